import { removeFile, replaceFile } from "../system/directories.js";
import { noteFile, readNote } from "./own-note.js";

/** What is asked of the daemon of a node whose server does not answer. */
export interface PauseNote {
  readonly isPaused: boolean;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export const pauseNoteFile = (stateDirectory: string, dataDirectory: string): string =>
  noteFile(stateDirectory, "pause", dataDirectory);

/** Throws the file system's error. */
export async function leavePauseNote(path: string, note: PauseNote): Promise<void> {
  await replaceFile(path, Buffer.from(`${JSON.stringify(note)}\n`), 0o600);
}

export async function readPauseNote(path: string): Promise<PauseNote | null> {
  const { isPaused, at } = (await readNote(path)) ?? {};
  return typeof isPaused === "boolean" && typeof at === "number" ? { isPaused, at } : null;
}

/** Throws the file system's error. */
export async function removePauseNote(path: string): Promise<void> {
  await removeFile(path);
}
