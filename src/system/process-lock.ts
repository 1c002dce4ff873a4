import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { systemCode } from "./directories.js";

/** Gives the lock back; the end of the process does so as well, even SIGKILL. */
export type ReleaseLock = () => Promise<void>;

/**
 * Holds `subject` against every other process of this host that asks for it; null when one has it. The lock is a name
 * among Linux' abstract sockets, so that no file of a killed process can stay behind; elsewhere nobody is kept out.
 */
export async function acquireProcessLock(subject: string): Promise<ReleaseLock | null> {
  const name = createHash("sha256").update(subject).digest("hex");
  const server = createServer((socket) => socket.destroy());
  server.listen({ path: `\0tsrepmgr-${name}` });
  try {
    await once(server, "listening");
  } catch (error) {
    return systemCode(error) === "EADDRINUSE" ? null : () => Promise.resolve();
  }
  server.unref();
  return async () => {
    server.close();
    await once(server, "close");
  };
}
