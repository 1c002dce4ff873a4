import type { ImageRecipe } from "../harness/containers-image.js";

/** A Debian release: its reference repmgr and its PostgreSQL. */
export interface Release extends ImageRecipe {
  readonly suite: "bookworm" | "trixie";
  readonly referenceVersion: string;
  readonly networkPrefixes: readonly string[];
}

const recipe = { dockerfile: "docker/reference.Dockerfile", repository: "tsrepmgr-compat" };

export const bookworm: Release = {
  ...recipe,
  suite: "bookworm",
  postgresMajor: "15",
  referenceVersion: "5.3.3",
  networkPrefixes: ["172.29.15", "10.79.15", "192.168.115"],
};

export const trixie: Release = {
  ...recipe,
  suite: "trixie",
  postgresMajor: "17",
  referenceVersion: "5.5.0",
  networkPrefixes: ["172.29.17", "10.79.17", "192.168.117"],
};
