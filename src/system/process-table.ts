import { readdir, readFile, readlink } from "node:fs/promises";

/** A process of this host, as far as the system lets us see it. */
export interface ProcessFacts {
  readonly pid: number;
  /** Program and arguments; null when the system does not tell. */
  readonly commandLine: readonly string[] | null;
  readonly workingDirectory: string | null;
  /** Together with the number it tells a process from a later one of the same number; null where unknown. */
  readonly startTime: string | null;
}

/** Null when no process has this number. */
export async function findProcess(pid: number): Promise<ProcessFacts | null> {
  if (!isAlive(pid)) return null;
  const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => null);
  return {
    pid,
    commandLine:
      commandLine === null || commandLine === ""
        ? null
        : commandLine.split("\0").filter((word) => word !== ""),
    workingDirectory: await readlink(`/proc/${pid}/cwd`).catch(() => null),
    startTime: await readStartTime(pid),
  };
}

/** Clock ticks since the boot: field 22 of Linux' stat, counted after the name, which may contain anything. */
async function readStartTime(pid: number): Promise<string | null> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? null;
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
