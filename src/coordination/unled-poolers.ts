import { removeFile, replaceFile } from "../system/directories.js";
import { noteFile, readNote } from "./own-note.js";

/** The pgbouncers that a promotion of this node could not lead to it: the daemon tries again as long as it leads. */
export interface UnledPoolers {
  /** As `host:port`. */
  readonly addresses: readonly string[];
  /** When that was found, in milliseconds since the epoch. */
  readonly at: number;
}

export const unledPoolersFile = (stateDirectory: string, dataDirectory: string): string =>
  noteFile(stateDirectory, "unled-pgbouncers", dataDirectory);

/** None removes the note. Throws the file system's error. */
export async function writeUnledPoolers(path: string, unled: UnledPoolers): Promise<void> {
  if (unled.addresses.length === 0) await removeFile(path);
  else await replaceFile(path, Buffer.from(`${JSON.stringify(unled)}\n`), 0o600);
}

export async function readUnledPoolers(path: string): Promise<UnledPoolers | null> {
  const { addresses, at } = (await readNote(path)) ?? {};
  return Array.isArray(addresses) && typeof at === "number" ? { addresses: addresses.map(String), at } : null;
}
