import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { describeFailure, systemCode } from "./directories.js";
import { findProcess, isAncestor, type ProcessFacts } from "./process-table.js";

/** How the attempt to hold a pid file ended. */
export type PidFileOutcome =
  | { readonly kind: "held"; readonly release: () => void }
  | { readonly kind: "in-use"; readonly pid: number }
  | { readonly kind: "unreadable"; readonly reason: string }
  | { readonly kind: "unwritable"; readonly reason: string };

/** A file that another starting daemon keeps changing is taken as its own. */
const ATTEMPTS = 5;

/**
 * Writes this process' number into a new file, without newline as the reference does. A file whose daemon is gone is
 * replaced; its number may belong to another program by now, as after each start of a container.
 */
export async function holdPidFile(path: string): Promise<PidFileOutcome> {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    return { kind: "unwritable", reason: describeFailure(error) };
  }
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    try {
      writeFileSync(path, String(process.pid), { flag: "wx", mode: 0o644 });
      return { kind: "held", release: () => releasePidFile(path) };
    } catch (error) {
      if (systemCode(error) !== "EEXIST") return { kind: "unwritable", reason: describeFailure(error) };
    }
    const holder = await findDaemonOfPidFile(path);
    // Who starts this daemon has its name on the command line, too, and after a restart of the container perhaps the number.
    if (holder.kind === "running" && !(await isAncestor(holder.pid)))
      return { kind: "in-use", pid: holder.pid };
    if (holder.kind === "unreadable") return holder;
    if (holder.kind !== "none" && !removeStale(path, holder.content)) return takeOverInPlace(path);
  }
  return { kind: "unwritable", reason: `"${path}" is being written by another process` };
}

export type PidFileHolder =
  | { readonly kind: "none" }
  | { readonly kind: "running"; readonly pid: number; readonly content: string }
  | { readonly kind: "stale"; readonly content: string }
  | { readonly kind: "unreadable"; readonly reason: string };

/** The daemon that a pid file names, when it runs. */
export async function findDaemonOfPidFile(path: string): Promise<PidFileHolder> {
  let content: string;
  try {
    content = readFileSync(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return { kind: "none" };
    return { kind: "unreadable", reason: describeFailure(error) };
  }
  const pid = Number.parseInt(content, 10);
  if (!(pid > 0) || pid === process.pid) return { kind: "stale", content };
  const facts = await findProcess(pid);
  return facts !== null && mayBeDaemon(facts)
    ? { kind: "running", pid, content }
    : { kind: "stale", content };
}

/** A process whose command line the system hides is taken for a daemon: two of them are worse than none. */
export function mayBeDaemon({ commandLine }: Pick<ProcessFacts, "commandLine">): boolean {
  if (commandLine === null) return true;
  const [program = "", ...rest] = commandLine
    .flatMap((word) => word.split(" "))
    .map((word) => basename(word));
  const isDaemon = (word: string): boolean => /^(?:ts)?repmgrd(?:\.js)?:?$/.test(word);
  return isDaemon(program) || (/^(?:node|nodejs|sh|dash|bash)$/.test(program) && rest.some(isDaemon));
}

/**
 * Renamed first, so that the file of a daemon that was faster is noticed and put back. False when this user may not
 * change the directory.
 */
function removeStale(path: string, content: string): boolean {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
    if (readFileSync(aside, "utf8") !== content) linkSync(aside, path);
  } catch (error) {
    if (["EACCES", "EPERM", "EROFS"].includes(systemCode(error) ?? "")) return false;
    // Otherwise somebody else has replaced it meanwhile; the next attempt sees by whom.
  }
  rmSync(aside, { force: true });
  return true;
}

/** A file that an init script of root made for this user, in a directory like /run. */
function takeOverInPlace(path: string): PidFileOutcome {
  try {
    writeFileSync(path, String(process.pid), { flag: "r+" });
    truncateSync(path, String(process.pid).length);
    return { kind: "held", release: () => releasePidFile(path) };
  } catch (error) {
    return { kind: "unwritable", reason: describeFailure(error) };
  }
}

function releasePidFile(path: string): void {
  try {
    if (readFileSync(path, "utf8") !== String(process.pid)) return;
    truncateSync(path);
    rmSync(path, { force: true });
  } catch {
    // It is gone, or its directory is not ours to change: then it is empty now.
  }
}
