import type { TestProject } from "vitest/node";
import { takeEngine } from "../harness/containers-global-setup.js";
import { findCompose } from "./compose.js";

declare module "vitest" {
  interface ProvidedContext {
    /** The words of the compose program; null when this machine has none. */
    compose: readonly string[] | null;
  }
}

/** Finds the engine and the compose program; only CI takes it for a failure when one is missing. */
export async function setup(project: TestProject): Promise<void> {
  await takeEngine(project);
  const compose = findCompose();
  if (compose === null && process.env["CI"] === "true") {
    throw new Error("neither docker-compose nor the compose plugin of docker is installed");
  }
  project.provide("compose", compose);
}
