import { spawn } from "node:child_process";
import type { TestProject } from "vitest/node";
import { connectToEngine, ownerLabel, removeContainers, type Engine } from "./containers-engine.js";
import { buildNodeImage, type NodeImage } from "./containers-image.js";

declare module "vitest" {
  interface ProvidedContext {
    /** Why there are no containers; null when there are. */
    engineFailure: string | null;
    containerOwner: number;
    nodeImage: NodeImage;
  }
}

/** Builds the image of the nodes; at the end nothing of this run is left. */
export default async function setUp(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const engine = await takeEngine(project);
  if (engine === null) return undefined;
  project.provide("nodeImage", await buildNodeImage(engine));
  return () => removeContainers(engine, process.pid);
}

/** Finds the engine and removes what ended runs left; null when none answers, which only CI takes for a failure. */
export async function takeEngine(project: TestProject): Promise<Engine | null> {
  const engine = await connectToEngine().catch((error: unknown) => {
    if (process.env["CI"] === "true") throw error;
    project.provide("engineFailure", `no container engine answers (${String(error)})`);
    return null;
  });
  if (engine === null) return null;
  project.provide("engineFailure", null);
  project.provide("containerOwner", process.pid);
  await removeContainers(engine);
  startReaper();
  return engine;
}

/**
 * Vitest ends without its teardown when it is interrupted. A process of its own session that waits for the end of
 * ours cleans up even after SIGKILL.
 */
function startReaper(): void {
  const filter = `--filter label=${ownerLabel}=${String(process.pid)}`;
  const script = `
    cat > /dev/null
    for attempt in 1 2 3; do
      docker ps --all --quiet ${filter} | xargs --no-run-if-empty docker rm --force --volumes
      docker network ls --quiet ${filter} | xargs --no-run-if-empty docker network rm
      sleep 1
    done`;
  const reaper = spawn("sh", ["-c", script], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  reaper.unref();
}
