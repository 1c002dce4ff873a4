import { removeFile, replaceFile } from "../system/directories.js";
import { currentProcessId, findProcess } from "../system/process-table.js";
import { noteFile, readNote } from "./own-note.js";

/** That a command is at work on a node: what is left when it is killed tells the next run that it goes on. */
interface RunMark {
  readonly pid: number;
  readonly startTime: string | null;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** After that an operator has looked at the cluster and means what he types. */
const GOES_ON_WITHIN_MS = 3_600_000;

export const runMarkOf = (stateDirectory: string, command: string, dataDirectory: string): string =>
  noteFile(stateDirectory, `run-${command.replaceAll(" ", "-")}`, dataDirectory);

/** Whether the mark is of a run that was killed within the last hour, rather than of one that is still at work. */
export async function wasCutOff(path: string, now: number): Promise<boolean> {
  const mark = await readMark(path);
  if (mark === null || now - mark.at > GOES_ON_WITHIN_MS) return false;
  const process = await findProcess(mark.pid);
  return process === null || process.startTime !== mark.startTime;
}

/** Throws the file system's error. */
export async function writeRunMark(path: string, now: number): Promise<void> {
  const pid = currentProcessId();
  const mark: RunMark = { pid, startTime: (await findProcess(pid))?.startTime ?? null, at: now };
  await replaceFile(path, Buffer.from(`${JSON.stringify(mark)}\n`), 0o600);
}

/** Throws the file system's error. */
export async function removeRunMark(path: string): Promise<void> {
  await removeFile(path);
}

async function readMark(path: string): Promise<RunMark | null> {
  const { pid, startTime, at } = (await readNote(path)) ?? {};
  if (typeof pid !== "number" || typeof at !== "number") return null;
  return { pid, startTime: typeof startTime === "string" ? startTime : null, at };
}
