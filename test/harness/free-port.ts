import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { runDirectory } from "./test-run.js";

/** A loopback port that nobody listens on and that no other test of this run was given. */
export async function freePort(): Promise<number> {
  const reserved = join(runDirectory(), "ports");
  await mkdir(reserved, { recursive: true });
  for (;;) {
    const port = await askKernel();
    try {
      await mkdir(join(reserved, String(port)));
      return port;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}

async function askKernel(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
