import { join } from "node:path";
import { inspectPath, readFileIfThere, removeFile, replaceFile } from "../system/directories.js";
import { findProcess, type ProcessFacts } from "../system/process-table.js";

/**
 * Lies in a data directory while a clone of ours fills it and until it is a complete standby. It lies inside because
 * the place beside a data directory is often not ours to write (a mount point, a package's directory).
 */
export const CLONE_MARKER = "tsrepmgr_clone.json";

/** A process that can be recognised later, though its number may be used again. */
export type MarkedProcess = Pick<ProcessFacts, "pid" | "startTime">;

export interface CloneMarker {
  readonly program: MarkedProcess;
  /** The slot that this clone made on the source; null when it was there before or none is used. */
  readonly createdSlot: string | null;
  /** Directories outside the data directory that were empty when the clone began to fill them. */
  readonly externalDirectories: readonly MarkedDirectory[];
}

interface MarkedDirectory {
  readonly path: string;
  readonly identity: string;
}

/** What an earlier clone of ours left. */
export interface UnfinishedClone {
  /** That program, if it still runs. */
  readonly programPid: number | null;
  readonly createdSlot: string | null;
  /** Those that are still the same ones, and hold nothing but what a base backup writes. */
  readonly externalDirectories: readonly string[];
}

/** Null when no unfinished clone of ours lies there. A marker that was cut off counts as one that knows nothing. */
export async function findUnfinishedClone(dataDirectory: string): Promise<UnfinishedClone | null> {
  let text: string | null;
  try {
    text = await readFileIfThere(join(dataDirectory, CLONE_MARKER), "utf8");
  } catch {
    return null;
  }
  if (text === null) return null;
  const marker = interpretMarker(text);
  return {
    programPid: await findAlive(marker.program),
    createdSlot: marker.createdSlot ?? null,
    externalDirectories: await findOwnDirectories(marker.externalDirectories ?? []),
  };
}

/** What a tablespace or a directory for WAL holds after pg_basebackup. */
const COPIED_ENTRY =
  /^(?:PG_\d+_\d+|[0-9A-F]{24}(?:\.partial)?|[0-9A-F]{8}\.history|archive_status|summaries)$/;

/** The marker may be old, and somebody may have put the place to another use since. */
async function findOwnDirectories(marked: readonly MarkedDirectory[]): Promise<readonly string[]> {
  const own: string[] = [];
  for (const { path, identity } of marked) {
    const facts = await inspectPath(path);
    if (facts.kind !== "directory" || facts.identity !== identity) continue;
    if (facts.entries.every((entry) => COPIED_ENTRY.test(entry))) own.push(path);
  }
  return own;
}

/** As they are now; what is no directory is left out. */
export async function identifyDirectories(paths: readonly string[]): Promise<readonly MarkedDirectory[]> {
  const marked: MarkedDirectory[] = [];
  for (const path of paths) {
    const facts = await inspectPath(path);
    if (facts.kind === "directory") marked.push({ path, identity: facts.identity });
  }
  return marked;
}

function interpretMarker(text: string): Partial<CloneMarker> {
  try {
    return JSON.parse(text) as Partial<CloneMarker>;
  } catch {
    return {};
  }
}

async function findAlive(marked: MarkedProcess | undefined): Promise<number | null> {
  if (marked === undefined) return null;
  const found = await findProcess(marked.pid);
  return found !== null && found.startTime === marked.startTime ? found.pid : null;
}

export async function markProcess(pid: number): Promise<MarkedProcess> {
  return { pid, startTime: (await findProcess(pid))?.startTime ?? null };
}

export async function writeCloneMarker(dataDirectory: string, marker: CloneMarker): Promise<void> {
  await replaceFile(join(dataDirectory, CLONE_MARKER), Buffer.from(`${JSON.stringify(marker)}\n`), 0o600);
}

export async function removeCloneMarker(dataDirectory: string): Promise<void> {
  await removeFile(join(dataDirectory, CLONE_MARKER));
}
