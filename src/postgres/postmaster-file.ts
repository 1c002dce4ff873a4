import { join } from "node:path";
import { readFileIfThere } from "../system/directories.js";

/**
 * The main configuration file that a server was last started with, by its postmaster.opts: Debian keeps it outside the
 * data directory and names it at every start. Null when it lies in the data directory or is not known.
 */
export async function findLastConfigFile(dataDirectory: string): Promise<string | null> {
  const text = await readFileIfThere(join(dataDirectory, "postmaster.opts"), "utf8").catch(() => null);
  return /"(?:-c" "|--)config[_-]file=([^"]+)"/.exec(text ?? "")?.[1] ?? null;
}

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
