import type { TestProject } from "vitest/node";
import { takeEngine } from "../harness/containers-global-setup.js";
import { connectToEngine, removeContainers } from "../harness/containers-engine.js";
import { buildNodeImage } from "../harness/containers-image.js";

declare module "vitest" {
  interface ProvidedContext {
    /** The image of the nodes of fault stories. */
    faultImage: string;
  }
}

/** Builds the image; at the end nothing of this run is left. */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const engine = await takeEngine(project);
  if (engine === null) return undefined;
  const { name } = await buildNodeImage(engine, {
    dockerfile: "docker/reference.Dockerfile",
    repository: "tsrepmgr-faults",
    suite: "bookworm",
    postgresMajor: "15",
  });
  project.provide("faultImage", name);
  return async () => {
    await removeContainers(await connectToEngine(), process.pid);
  };
}
