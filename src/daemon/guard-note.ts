import { join } from "node:path";
import { readFileIfThere, removeFile } from "../system/directories.js";
import type { Runtime } from "./runtime.js";

/** In the data directory, since the server itself writes it, as whatever user it runs. */
export const GUARD_NOTE_FILE = "tsrepmgr.stopped";

/** What the dead-man session says of the server that it stopped. */
export interface GuardNote {
  readonly timeline: number;
  readonly term: number;
}

type NoteOwner = Pick<Runtime, "ownId" | "systemIdentifier">;

export const describeNoteOwner = ({ ownId, systemIdentifier }: NoteOwner) => ({
  nodeId: ownId,
  systemIdentifier,
});

/** Null without a note, and for that of another node, which came with a copy of its data directory. */
export async function readGuardNote(dataDirectory: string, owner: NoteOwner): Promise<GuardNote | null> {
  const text = await readFileIfThere(join(dataDirectory, GUARD_NOTE_FILE), "utf8").catch(() => null);
  if (text === null) return null;
  try {
    const note = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const { timeline, term } = note;
    const isOwn = note["nodeId"] === owner.ownId && note["systemIdentifier"] === owner.systemIdentifier;
    if (!isOwn || typeof timeline !== "number" || typeof term !== "number") return null;
    return { timeline, term };
  } catch {
    return null;
  }
}

export async function removeGuardNote(dataDirectory: string): Promise<void> {
  await removeFile(join(dataDirectory, GUARD_NOTE_FILE)).catch(() => undefined);
}
