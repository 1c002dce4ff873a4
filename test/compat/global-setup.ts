import type { TestProject } from "vitest/node";
import { takeEngine } from "../harness/containers-global-setup.js";
import { connectToEngine, removeContainers } from "../harness/containers-engine.js";
import { buildNodeImage } from "../harness/containers-image.js";
import { bookworm, trixie, type Release } from "./releases.js";

declare module "vitest" {
  interface ProvidedContext {
    /** Names of the images with the reference and our program, by Debian release. */
    referenceImages: Readonly<Record<Release["suite"], string>>;
  }
}

/** Builds both images. */
export async function setup(project: TestProject): Promise<void> {
  const engine = await takeEngine(project);
  if (engine === null) return;
  project.provide("referenceImages", {
    bookworm: (await buildNodeImage(engine, bookworm)).name,
    trixie: (await buildNodeImage(engine, trixie)).name,
  });
  hasEngine = true;
}

/** Leaves nothing of this run behind. */
export async function teardown(): Promise<void> {
  if (hasEngine) await removeContainers(await connectToEngine(), process.pid);
}

let hasEngine = false;
