import { createHash } from "node:crypto";
import { join } from "node:path";
import { readOwnedFile } from "../system/owned-file.js";
import { currentUserId } from "../system/process-table.js";

/** Where a note about a node lies that is named before its server can be asked; several nodes may share the directory. */
export function noteFile(stateDirectory: string, name: string, dataDirectory: string): string {
  const node = createHash("sha256").update(dataDirectory).digest("hex").slice(0, 16);
  return join(stateDirectory, `${name}-${node}.json`);
}

/** The values of a note; null for everything that this user's own program has not written. */
export async function readNote(path: string): Promise<Readonly<Record<string, unknown>> | null> {
  const file = await readOwnedFile(path);
  if (file.kind !== "file" || (currentUserId() !== null && file.ownerId !== currentUserId())) return null;
  try {
    const values: unknown = JSON.parse(file.content.toString("utf8"));
    return typeof values === "object" && values !== null ? { ...values } : null;
  } catch {
    return null;
  }
}
