import { basename, dirname, join } from "node:path";
import { formatLsn, parseLsn, type Lsn } from "../model/lsn.js";
import {
  inspectPath,
  isWritableDirectory,
  readFileIfThere,
  removeFile,
  replaceFile,
} from "../system/directories.js";
import { currentProcessId, findProcess } from "../system/process-table.js";

/** What a run writes down before it starts pg_rewind, and takes away when the node is a standby. */
export interface RewindMarker {
  readonly timeline: number;
  readonly checkpointLsn: Lsn;
  /** Configuration files that were put aside, by their path below the data directory. */
  readonly archive: { readonly directory: string; readonly files: readonly string[] } | null;
  /** Files may change only after the server has recovered; a recovery that was cut short is begun again. */
  readonly needsRecovery: boolean;
  /** `standby.signal` was made for the recovery, and goes if nothing comes of the rewind. */
  readonly madeSignal: boolean;
  /** pg_control before the rewind, in base64, where pg_rewind does not spare it until the end; null elsewhere. */
  readonly controlFile: string | null;
}

export interface FoundRewindMarker extends RewindMarker {
  /** The program that wrote it, if that is still at work. */
  readonly programPid: number | null;
}

interface StoredMarker {
  readonly timeline: number;
  readonly checkpoint: string;
  readonly archive: RewindMarker["archive"];
  readonly needsRecovery: boolean;
  readonly madeSignal: boolean;
  readonly controlFile?: string | null;
  readonly pid: number;
  readonly startTime: string | null;
}

/**
 * Beside the data directory, because pg_rewind removes from it what the source does not have; inside only where the
 * place beside may not be written. Null: no earlier rewind is recorded.
 */
export async function readRewindMarker(dataDirectory: string): Promise<FoundRewindMarker | null> {
  for (const path of Object.values(await placesOf(dataDirectory))) {
    const text = await readFileIfThere(path, "utf8");
    if (text === null) continue;
    const stored = JSON.parse(text) as StoredMarker;
    const found = await findProcess(stored.pid);
    const isAtWork =
      found !== null && found.startTime === stored.startTime && stored.pid !== currentProcessId();
    return {
      timeline: stored.timeline,
      checkpointLsn: parseLsn(stored.checkpoint),
      archive: stored.archive,
      needsRecovery: stored.needsRecovery,
      madeSignal: stored.madeSignal,
      controlFile: stored.controlFile ?? null,
      programPid: isAtWork ? stored.pid : null,
    };
  }
  return null;
}

/** Safe against a crash: it is on disk when this returns. Throws the file system's error. */
export async function writeRewindMarker(dataDirectory: string, marker: RewindMarker): Promise<void> {
  const { beside, inside } = await placesOf(dataDirectory);
  const pid = currentProcessId();
  const stored: StoredMarker = {
    timeline: marker.timeline,
    checkpoint: formatLsn(marker.checkpointLsn),
    archive: marker.archive,
    needsRecovery: marker.needsRecovery,
    madeSignal: marker.madeSignal,
    controlFile: marker.controlFile,
    pid,
    startTime: (await findProcess(pid))?.startTime ?? null,
  };
  const path = (await isWritableDirectory(dirname(beside))) ? beside : inside;
  await replaceFile(path, Buffer.from(`${JSON.stringify(stored)}\n`), 0o600);
}

export async function removeRewindMarker(dataDirectory: string): Promise<void> {
  for (const path of Object.values(await placesOf(dataDirectory))) await removeFile(path);
}

async function placesOf(
  dataDirectory: string,
): Promise<{ readonly beside: string; readonly inside: string }> {
  const facts = await inspectPath(dataDirectory);
  const path = facts.kind === "directory" ? facts.realPath : dataDirectory;
  return {
    beside: join(dirname(path), `.${basename(path)}.tsrepmgr_rewind.json`),
    inside: join(path, "tsrepmgr_rewind.json"),
  };
}
