import { join } from "node:path";
import type { ProcessResult, Processes } from "../system/processes.js";
import {
  emptyDirectory,
  makeTemporaryDirectory,
  readFileIfThere,
  removeEmptyDirectory,
} from "../system/directories.js";
import { endProcess } from "../system/process-table.js";

export interface IsolatedRecovery {
  readonly binDirectory: string;
  readonly dataDirectory: string;
  /** Of a layout that keeps postgresql.conf elsewhere; null when it lies in the data directory. */
  readonly configFile: string | null;
  readonly majorVersion: number;
  /** That of the directory's own log; `current` = that of its last checkpoint. */
  readonly timeline: number | "current";
  /** Ends the recovery before it is complete. */
  readonly interrupted: AbortSignal;
}

export type RecoveryOutcome =
  { readonly kind: "recovered" } | { readonly kind: "failed"; readonly reason: string };

const SHOWN_LINES = 12;

/** It says so in the server's log when every change that may be on disk has its WAL replayed. */
const CONSISTENT = /consistent recovery state reached/;

/** At DEBUG2, when it has replayed all WAL that is there, and would ask an upstream for more. */
const EXHAUSTED = /switched WAL source from (?:archive|pg_wal) to stream/;

/** Since this version WAL is read ahead of the replay. */
const READS_AHEAD_SINCE = 15;

/** Since this version there is no `promote_trigger_file`. */
const NO_TRIGGER_FILE_SINCE = 16;

/**
 * Recovers a server that was not shut down cleanly as a standby without an upstream that nobody can reach, and shuts it
 * down when it has replayed all of its WAL: a standby is consistent long before, and pg_rewind would take that point for
 * its end. Unlike recovery in single-user mode it leaves `standby.signal` in its place all the time and writes no WAL of its
 * own, so that the directory never becomes one that starts as a primary. The server ends with us, even by SIGKILL.
 */
export async function recoverInIsolation(
  processes: Processes,
  request: IsolatedRecovery,
): Promise<RecoveryOutcome> {
  const directory = request.binDirectory.replace(/\/+$/, "");
  const program = directory === "" ? "postgres" : `${directory}/postgres`;
  const socketDirectory = await makeTemporaryDirectory("tsrepmgr-recovery-");
  const seen = { isConsistent: false, isExhausted: false };
  const isRecovered = (): boolean => seen.isConsistent && seen.isExhausted;
  let unread = "";
  const stop = (): void => void stopServer(request.dataDirectory);
  request.interrupted.addEventListener("abort", stop, { once: true });
  try {
    const result = await processes.run(program, listArguments(request, socketDirectory), {
      env: { LC_ALL: "C" },
      endsWithUs: true,
      onStderr: (chunk) => {
        if (isRecovered()) return;
        unread += chunk;
        seen.isConsistent ||= CONSISTENT.test(unread);
        seen.isExhausted ||= EXHAUSTED.test(unread);
        unread = unread.slice(unread.lastIndexOf("\n") + 1);
        if (isRecovered()) stop();
      },
    });
    if (isRecovered() && result.exitCode === 0) return { kind: "recovered" };
    return { kind: "failed", reason: describeEnding(result) };
  } finally {
    request.interrupted.removeEventListener("abort", stop);
    await emptyDirectory(socketDirectory);
    await removeEmptyDirectory(socketDirectory);
  }
}

/** What the command line says wins over every file. */
function listArguments(
  { dataDirectory, configFile, majorVersion, timeline }: IsolatedRecovery,
  socketDirectory: string,
): readonly string[] {
  const targets = ["", "_lsn", "_name", "_time", "_xid"].map((suffix) => `recovery_target${suffix}=`);
  const settings = [
    ...(configFile === null ? [] : [`config_file=${configFile}`]),
    ...["listen_addresses=", `unix_socket_directories=${socketDirectory}`, "ssl=off"],
    `external_pid_file=${socketDirectory}/pid`,
    // Not the latest: a primary that was fenced has the history of its successor, which it is no ancestor of.
    `recovery_target_timeline=${timeline}`,
    ...["logging_collector=off", "log_destination=stderr", "log_min_messages=debug2", "lc_messages=C"],
    ...["primary_conninfo=", "primary_slot_name=", "restore_command=", "archive_mode=off", ...targets],
    "recovery_min_apply_delay=0",
    ...(majorVersion < NO_TRIGGER_FILE_SINCE ? ["promote_trigger_file="] : []),
    ...(majorVersion >= READS_AHEAD_SINCE ? ["recovery_prefetch=off"] : []),
  ];
  return ["-D", dataDirectory, ...settings.flatMap((setting) => ["-c", setting])];
}

/** The postmaster is the only process of this server that it leaves to somebody else to end. */
async function stopServer(dataDirectory: string): Promise<void> {
  const text = await readFileIfThere(join(dataDirectory, "postmaster.pid"), "utf8");
  const pid = Number.parseInt(text ?? "", 10);
  if (pid > 0) endProcess(pid);
}

function describeEnding({ startFailure, stderr, exitCode, signal }: ProcessResult): string {
  if (startFailure !== null) return `unable to execute postgres: ${startFailure}`;
  const words = stderr
    .trim()
    .split("\n")
    .filter((line) => line !== "" && !/ DEBUG: /.test(line));
  const ending = signal === null ? `exit status ${exitCode ?? "unknown"}` : `ended by ${signal}`;
  return [...words.slice(-SHOWN_LINES), `postgres: ${ending}`].join("\n");
}
