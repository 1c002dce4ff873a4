import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestServer } from "./postgres-server.js";

/** A process that was found a moment ago may have ended by itself since. */
export function signalIfThere(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Every process of the server: the postmaster alone would leave its sessions at work. */
export async function signalServer({ dataDirectory }: TestServer, name: NodeJS.Signals): Promise<void> {
  const pid = Number.parseInt(await readFile(join(dataDirectory, "postmaster.pid"), "utf8"), 10);
  signalIfThere(pid, name);
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  for (const child of children.trim().split(/\s+/)) {
    if (child !== "") signalIfThere(Number(child), name);
  }
}
