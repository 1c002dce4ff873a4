import { startOnItsOwn } from "../system/detached-process.js";
import { replaceFileUnflushed } from "../system/directories.js";
import { findProcess, type ProcessFacts } from "../system/process-table.js";
import { quoteForShell } from "./service-control.js";
import { renderStopScript, type StopOrder } from "./stop-script.js";

/** What the dead-man process has to know from the start. */
export interface GuardProcessOrder extends StopOrder {
  /** Where the kicks are. Tells this process from those of other nodes, too. */
  readonly kickFile: string;
  /** With its start time: a later process of the same number is another one. */
  readonly postmaster: Pick<ProcessFacts, "pid" | "startTime">;
}

/** Until when the server may be writable, and as what. */
export interface ProcessKick {
  /** On the clock of `readUptimeMs`. */
  readonly goodUntil: number;
  readonly timeline: number;
  readonly term: number;
  /** The server was seen to be writable; before, its `standby.signal` says whether it is. */
  readonly isWritable: boolean;
}

/** The name under which the process list shows it. */
export const GUARD_PROCESS_NAME = "tsrepmgrd-guard";

/** Throws the file system's error. */
export async function writeKick(kickFile: string, kick: ProcessKick): Promise<void> {
  const { goodUntil, timeline, term, isWritable } = kick;
  const words = [Math.floor(goodUntil / 10), timeline, term, isWritable ? "writable" : "standby"];
  await replaceFileUnflushed(kickFile, `${words.join(" ")}\n`);
}

/** Starts a process that nothing that happens to ours ends. It ends with the server. Null: it could not be started. */
export function startGuardProcess(order: GuardProcessOrder): Promise<number | null> {
  return startOnItsOwn(["/bin/sh", "-c", renderGuardProcess(order), GUARD_PROCESS_NAME, order.kickFile]);
}

/** Whether it runs, and is not stopped. */
export async function isGuardProcessAlive(pid: number, kickFile: string): Promise<boolean> {
  const facts = await findProcess(pid);
  return facts?.commandLine?.includes(kickFile) === true && !facts.isStopped;
}

/**
 * The loop reads its clock and its kicks without starting programs. PostgreSQL removes `standby.signal` before it takes
 * the first write after a promotion; beside a primary that was seen, the file is there for its next start.
 */
function renderGuardProcess(order: GuardProcessOrder): string {
  const { kickFile, dataDirectory, postmaster } = order;
  const isServer =
    postmaster.startTime === null
      ? `kill -0 ${postmaster.pid} 2>/dev/null`
      : `read -r stat 2>/dev/null </proc/${postmaster.pid}/stat && set -- \${stat##*) } && [ "$1" != Z ] && [ "\${20}" = ${postmaster.startTime} ]`;
  return `
trap '' HUP INT TERM QUIT PIPE
file=${quoteForShell(kickFile)}
good=0; timeline=0; term=0; role=standby
while ${isServer}; do
  read -r good timeline term role <"$file"
  read -r up rest </proc/uptime
  up=\${up%.*}\${up#*.}
  if [ "$up" -gt "$good" ] && { [ "$role" = writable ] || [ ! -e ${quoteForShell(`${dataDirectory}/standby.signal`)} ]; }; then
    read -r pid <${quoteForShell(`${dataDirectory}/postmaster.pid`)}
    [ "$pid" = ${postmaster.pid} ] || exit 0
    ${renderStopScript(order).replaceAll("@timeline@", `'"$timeline"'`).replaceAll("@term@", `'"$term"'`)}
    exit 0
  fi
  sleep 0.1
done 2>/dev/null`;
}
