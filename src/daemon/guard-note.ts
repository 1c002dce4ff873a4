import { join } from "node:path";
import type { ServerLook } from "../coordination/look-at-server.js";
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

/** The note of the own guard, for as long as nothing else on this node knows that its server was the primary. */
export interface GuardNotes {
  /** `seen` null: the server does not answer. */
  take(seen: Pick<ServerLook, "inRecovery" | "startedAt"> | null): Promise<GuardNote | null>;
}

export function createGuardNotes(runtime: Runtime): GuardNotes {
  const { context, memory } = runtime;
  /** Only a primary is stopped, so that a note is there when a standby has started, or not at all. */
  let startWithoutNote: string | null = null;
  return {
    take: async (seen) => {
      const { data_directory } = context.settings();
      if (seen?.inRecovery === false) {
        await removeGuardNote(data_directory);
        return null;
      }
      if (seen !== null && seen.startedAt === startWithoutNote) return null;
      // Also of a server that is up again by now: it was a primary, and its control file does not say so any more.
      const note = await readGuardNote(data_directory, runtime);
      startWithoutNote = note === null && seen !== null ? seen.startedAt : null;
      return memory.state().wasPrimary === null ? note : null;
    },
  };
}

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
