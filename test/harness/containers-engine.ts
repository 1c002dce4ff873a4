import { readFileSync } from "node:fs";
import { getContainerRuntimeClient } from "testcontainers";

// testcontainers' own helper for cleaning up is an image that has to be pulled; the label below does its work.
process.env["TESTCONTAINERS_RYUK_DISABLED"] = "true";

/** Everything that container tests make has this label; its value is the process that has to clean it up. */
export const ownerLabel = "tsrepmgr.tests.owner";

export type Engine = Awaited<ReturnType<typeof getContainerRuntimeClient>>["container"]["dockerode"];

/** The container engine of DOCKER_HOST or of this machine; throws when none answers. */
export async function connectToEngine(): Promise<Engine> {
  return (await getContainerRuntimeClient()).container.dockerode;
}

/** Removes containers and networks of a process, or without one those that processes which are gone have left. */
export async function removeContainers(engine: Engine, owner?: number): Promise<void> {
  const filters = { label: [owner === undefined ? ownerLabel : `${ownerLabel}=${String(owner)}`] };
  const isForUs = (found: { Labels?: Record<string, string> | undefined }): boolean =>
    owner !== undefined || !isRunning(Number(found.Labels?.[ownerLabel]));
  const containers = await engine.listContainers({ all: true, filters });
  await Promise.all(
    containers
      .filter(isForUs)
      .map(({ Id }) => engine.getContainer(Id).remove({ force: true, v: true }).catch(ignoreMissing)),
  );
  const networks = await engine.listNetworks({ filters });
  await Promise.all(
    networks.filter(isForUs).map(({ Id }) => engine.getNetwork(Id).remove().catch(ignoreMissing)),
  );
}

/** Whether a process has not ended; a zombie has. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${String(pid)}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Somebody else was faster: 404 gone, 409 being removed already. */
function ignoreMissing(error: unknown): void {
  const { statusCode } = error as { statusCode?: number };
  if (statusCode !== 404 && statusCode !== 409) throw error;
}
