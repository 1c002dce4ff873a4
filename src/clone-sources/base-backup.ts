import type { Processes } from "../system/processes.js";

export interface BaseBackupRun {
  readonly program: string;
  readonly args: readonly string[];
  /** Carries the password. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends pg_basebackup. */
  readonly signal: AbortSignal;
  /** Called about once a second with kB; a total of 0 is unknown. The first call comes before any file is written. */
  readonly onProgress: (doneKb: number, totalKb: number) => void;
}

export type BaseBackupOutcome =
  | { readonly kind: "complete" }
  | { readonly kind: "failed"; readonly reason: string; readonly diskFull: boolean };

const PROGRESS_LINE = /^\s*(?:(\d+)\/)?(\d+) kB\b/;
const NEWS_LINE = /^\s*waiting for checkpoint/;
const SHOWN_ERROR_LINES = 12;

/** Runs pg_basebackup with `-P` and follows what it says. An ending of any kind is a value. */
export async function runBaseBackup(processes: Processes, run: BaseBackupRun): Promise<BaseBackupOutcome> {
  let unfinishedLine = "";
  const result = await processes.run(run.program, run.args, {
    // Its words are read here, and are shown beside ours.
    env: { ...run.env, LC_ALL: "C" },
    signal: run.signal,
    // It forks a second process for the WAL, which would go on for ever without the first.
    endsWithUs: true,
    onStderr: (chunk) => {
      const lines = (unfinishedLine + chunk).split(/[\r\n]+/);
      unfinishedLine = lines.pop() ?? "";
      for (const line of lines) followLine(line, run.onProgress);
    },
  });
  if (result.exitCode === 0) return { kind: "complete" };
  if (result.startFailure !== null) return { kind: "failed", reason: result.startFailure, diskFull: false };
  const words = result.stderr
    .split(/[\r\n]+/)
    .filter((line) => line.trim() !== "" && !PROGRESS_LINE.test(line) && !NEWS_LINE.test(line))
    .slice(-SHOWN_ERROR_LINES);
  const ending =
    result.signal === null ? `exit status ${result.exitCode ?? "unknown"}` : `ended by ${result.signal}`;
  return {
    kind: "failed",
    reason: words.length === 0 ? `pg_basebackup: ${ending}` : words.join("\n"),
    diskFull: words.some((line) => /No space left on device|Disk quota exceeded/.test(line)),
  };
}

function followLine(line: string, onProgress: BaseBackupRun["onProgress"]): void {
  const match = PROGRESS_LINE.exec(line);
  if (match === null) {
    if (NEWS_LINE.test(line)) onProgress(0, 0);
    return;
  }
  const [, first, second = "0"] = match;
  // `done/total kB`, or `done kB` when the size is not estimated.
  if (first === undefined) onProgress(Number(second), 0);
  else onProgress(Number(first), Number(second));
}

/** Runs a program with `--version`; its major version, or null when it could not be run. */
export async function readProgramVersion(processes: Processes, program: string): Promise<number | null> {
  const result = await processes.run(program, ["--version"]);
  const major = /\(PostgreSQL\) (\d+)/.exec(result.stdout)?.[1];
  return result.exitCode === 0 && major !== undefined ? Number(major) : null;
}
