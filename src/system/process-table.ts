import { readdir, readFile, readlink } from "node:fs/promises";

/** A process of this host, as far as the system lets us see it. */
export interface ProcessFacts {
  readonly pid: number;
  /** Program and arguments; null when the system does not tell. */
  readonly commandLine: readonly string[] | null;
  readonly workingDirectory: string | null;
  /** Together with the number it tells a process from a later one of the same number; null where unknown. */
  readonly startTime: string | null;
  /** Stopped by a signal: it will do nothing until it is told to go on. */
  readonly isStopped: boolean;
}

/** Null when no process has this number, or only the remains of one that nobody has collected. */
export async function findProcess(pid: number): Promise<ProcessFacts | null> {
  if (!isAlive(pid)) return null;
  const stat = await readStat(pid);
  if (stat[0] === "Z" || stat[0] === "X") return null;
  if (await isThread(pid)) return null;
  const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => null);
  return {
    pid,
    commandLine:
      commandLine === null || commandLine === ""
        ? null
        : commandLine.split("\0").filter((word) => word !== ""),
    workingDirectory: await readlink(`/proc/${pid}/cwd`).catch(() => null),
    startTime: stat[START_TIME] ?? null,
    isStopped: stat[0] === "T" || stat[0] === "t",
  };
}

/** Linux answers a number of a thread with what it knows of its process. */
async function isThread(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const process = /^Tgid:\s*(\d+)/m.exec(status)?.[1];
  return process !== undefined && Number(process) !== pid;
}

/** Whether a process has started this one, itself or by others in between; false where the system does not tell. */
export async function isAncestor(pid: number): Promise<boolean> {
  for (let parent = process.ppid; parent > 0; parent = Number((await readStat(parent))[PARENT] ?? 0)) {
    if (parent === pid) return true;
  }
  return false;
}

const PARENT = 1;

/** In clock ticks since the boot; `stat` counts from the state, field 3 of Linux' file. */
const START_TIME = 19;

/** The fields after the name, which may contain anything; empty where the system does not tell. */
async function readStat(pid: number): Promise<readonly string[]> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return text === "" ? [] : text.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** Every process that runs `program` and has `argument` among its arguments; none where the system does not tell. */
export async function findProcessesOf(program: string, argument: string): Promise<readonly number[]> {
  const names = await readdir("/proc").catch(() => []);
  const pids = names.map(Number).filter((pid) => Number.isInteger(pid));
  const found = await Promise.all(pids.map(findProcess));
  return found
    .filter((facts) => facts !== null)
    .filter(
      ({ commandLine }) => commandLine?.[0]?.split("/").at(-1) === program && commandLine.includes(argument),
    )
    .map(({ pid }) => pid);
}

/** The processes that this one has started; none where the system does not tell. */
export async function findChildren(pid: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return text.split(" ").flatMap((word) => (/^\d+$/.test(word) ? [Number(word)] : []));
}

function isAlive(pid: number): boolean {
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Sends SIGTERM; a process that is gone already is fine. */
export function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGTERM");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** The user that this process acts as; null where the system has no such thing. */
export function currentUserId(): number | null {
  return process.geteuid?.() ?? null;
}

export function currentProcessId(): number {
  return process.pid;
}

/** False when the process is gone already. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
    throw error;
  }
}
