import { dirname } from "node:path";
import { pauseNoteFile, readPauseNote, removePauseNote } from "../coordination/pause-note.js";
import { readPauseWish } from "../metadata/pause-wishes.js";
import type { Brain } from "./brain.js";
import { queryTimeoutMs, type Runtime } from "./runtime.js";

/** Pauses or unpauses this daemon, and tells it; false when that could not be put on disk. */
export async function changePause(
  { context: { reporter } }: Runtime,
  brain: Brain,
  isPaused: boolean,
): Promise<boolean> {
  if (brain.state().memory.isPaused === isPaused) return true;
  await brain.submit({ kind: "pause-changed", isPaused });
  if (brain.state().memory.isPaused !== isPaused) return false;
  reporter.notice(isPaused ? "this daemon is paused now" : "this daemon is not paused any more");
  return true;
}

/** Does what was asked on this host while the server was down. What was said later by another way counts more. */
export async function takePauseNote(runtime: Runtime, brain: Brain): Promise<void> {
  const { memory, context } = runtime;
  if (memory.path === null) return;
  const path = pauseNoteFile(dirname(memory.path), context.settings().data_directory);
  const note = await readPauseNote(path);
  if (note === null) return;
  if (note.at > memory.state().pauseChangedAt && !(await changePause(runtime, brain, note.isPaused))) return;
  await removePauseNote(path).catch(() => undefined);
}

/** A wish that was left in the metadata, because no daemon showed itself there; it comes by replication. */
export async function takePauseWish(runtime: Runtime, brain: Brain): Promise<void> {
  const { own, ownId, memory } = runtime;
  const wish = await own.use(queryTimeoutMs(runtime), (database) => readPauseWish(database, ownId));
  if (wish.kind !== "answered" || wish.value === null || wish.value.at <= memory.state().pauseChangedAt)
    return;
  await changePause(runtime, brain, wish.value.isPaused);
}
