import { join } from "node:path";
import { readFileIfThere } from "../system/directories.js";

/** Where a running server can be reached from its own host, by its postmaster.pid. */
export interface PostmasterPlace {
  readonly port: string;
  /** Empty when the server has no Unix socket. */
  readonly socketDirectory: string;
}

/** Null when there is no such file, or it may not be read. */
export async function readPostmasterPlace(dataDirectory: string): Promise<PostmasterPlace | null> {
  const text = await readFileIfThere(join(dataDirectory, "postmaster.pid"), "utf8").catch(() => null);
  const [, , , port = "", socketDirectory = ""] = text?.split("\n") ?? [];
  return /^\d+$/.test(port) ? { port, socketDirectory } : null;
}
