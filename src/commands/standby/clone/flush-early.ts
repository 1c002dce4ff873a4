import type { Clock } from "../../../system/clock.js";
import { systemCode } from "../../../system/directories.js";
import { flushFile, watchGrowingFiles } from "../../../system/write-back.js";

const PAUSE_MS = 100;
/** Of the time that goes into looking for files: a copy of very many keeps us from nothing else. */
const SHARE_OF_LOOKING = 0.1;

/**
 * Sends the copy to the disk while pg_basebackup receives it: it does so itself when all of it is there, and up to a third
 * of its time is spent with that. Resolves when `ended` aborts; to the error of a file that could not be stored, which the
 * system tells once, so that pg_basebackup would take the file for stored.
 */
export async function flushEarly(
  clock: Clock,
  directories: readonly string[],
  ended: AbortSignal,
): Promise<Error | null> {
  const lookForGrown = watchGrowingFiles(directories);
  let pauseMs = PAUSE_MS;
  try {
    while (await pause(clock, pauseMs, ended)) {
      const startedAt = clock.monotonic();
      const grown = await lookForGrown();
      pauseMs = Math.max(PAUSE_MS, (clock.monotonic() - startedAt) / SHARE_OF_LOOKING);
      for (const path of grown) await flushFile(path);
    }
    return null;
  } catch (error) {
    if (error instanceof Error && systemCode(error) !== null) return error;
    throw error;
  }
}

const pause = (clock: Clock, ms: number, ended: AbortSignal): Promise<boolean> =>
  clock.sleep(ms, ended).then(
    () => true,
    () => false,
  );
