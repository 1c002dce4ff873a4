import type { Lsn } from "../model/lsn.js";
import { parseLsn, formatLsn } from "../model/lsn.js";
import { formatConninfo, type Conninfo } from "../model/conninfo.js";
import type { ProcessResult, Processes } from "../system/processes.js";
import { childEnvironment } from "./child-environment.js";
import { quoteForShell } from "./service-control.js";

export interface RewindRequest {
  readonly program: string;
  readonly dataDirectory: string;
  readonly source: Conninfo;
  /** Of a layout that keeps postgresql.conf elsewhere; null when it lies in the data directory. */
  readonly configFile: string | null;
}

export interface RewindCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** Carries the password. */
  readonly env: Readonly<Record<string, string>>;
}

/** The command with everything that may be shown; the password goes through the environment. */
export function buildRewindCommand({
  program,
  dataDirectory,
  source,
  configFile,
}: RewindRequest): RewindCommand {
  const { conninfo, env } = childEnvironment(source);
  return {
    program,
    args: [
      ...["-D", dataDirectory, `--source-server=${formatConninfo(conninfo)}`],
      ...(configFile === null ? [] : [`--config-file=${configFile}`]),
    ],
    env,
  };
}

/** In the reference's form: only the values quoted. */
export function showRewindCommand({ program, args }: RewindCommand): string {
  const words = args.map((word) => {
    const [, option, value] = /^(--[a-z-]+=)(.*)$/s.exec(word) ?? [];
    if (option !== undefined && value !== undefined) return `${option}${quoteForShell(value)}`;
    return word.startsWith("-") ? word : quoteForShell(word);
  });
  return [program, ...words].join(" ");
}

export type RewindOutcome =
  | { readonly kind: "rewound" }
  /** pg_rewind found nothing to do. */
  | { readonly kind: "not-needed" }
  | { readonly kind: "failed"; readonly reason: string; readonly mayHaveChanged: boolean };

const SHOWN_LINES = 12;

/**
 * Runs pg_rewind. It ends with us, even by SIGKILL, so that a later run never meets it at work; Ctrl-C does not end
 * it, because half a rewind is worth nothing.
 */
export async function runRewind(
  processes: Processes,
  { program, args, env }: RewindCommand,
): Promise<RewindOutcome> {
  // Its words are read here.
  const result = await processes.run(program, args, { env: { ...env, LC_ALL: "C" }, endsWithUs: true });
  const words = `${result.stdout}\n${result.stderr}`.trim();
  if (result.exitCode === 0) {
    return /no rewind required/.test(words) ? { kind: "not-needed" } : { kind: "rewound" };
  }
  // The shell that guards it says 126 and 127 of a program that cannot be executed.
  const neverRan = result.startFailure !== null || result.exitCode === 126 || result.exitCode === 127;
  // Until it announces the checkpoint to rewind from, pg_rewind has only read.
  const refusedByItself = result.exitCode === 1 && !/rewinding from/.test(words);
  return {
    kind: "failed",
    reason: [...words.split("\n").slice(-SHOWN_LINES), describeEnding(result)]
      .filter((line) => line !== "")
      .join("\n"),
    mayHaveChanged: !neverRan && !refusedByItself,
  };
}

function describeEnding({ signal, exitCode, startFailure }: ProcessResult): string {
  if (startFailure !== null) return `unable to execute pg_rewind: ${startFailure}`;
  return signal === null
    ? `pg_rewind ended with exit status ${exitCode ?? "unknown"}`
    : `pg_rewind was ended by ${signal}`;
}

/**
 * Where the local WAL ends, as pg_waldump finds it from a known record on; null when it cannot tell. pg_control only
 * knows the last checkpoint.
 */
export async function readEndOfWal(
  processes: Processes,
  place: {
    readonly binDirectory: string;
    readonly dataDirectory: string;
    readonly timeline: number;
    readonly from: Lsn;
    /** Ends the search; the answer is null then. */
    readonly signal?: AbortSignal;
  },
): Promise<Lsn | null> {
  const directory = place.binDirectory.replace(/\/+$/, "");
  const program = directory === "" ? "pg_waldump" : `${directory}/pg_waldump`;
  const args = ["-z", "-p", `${place.dataDirectory}/pg_wal`, "-t", String(place.timeline)];
  const result = await processes.run(program, [...args, "-s", formatLsn(place.from)], {
    env: { LC_ALL: "C" },
    ...(place.signal === undefined ? {} : { signal: place.signal }),
  });
  if (place.signal?.aborted === true) return null;
  return parseEndOfWal(result.stderr);
}

/**
 * From pg_waldump's `error in WAL record at <last>: invalid record length at <end>: …`: the latter is where the next
 * would begin. Where what follows is no record at all (`unexpected pageaddr …`), the last record is the best that is known.
 */
export function parseEndOfWal(text: string): Lsn | null {
  const [, last, reason = ""] = /error in WAL record at ([0-9A-F]+\/[0-9A-F]+): (.*)/.exec(text) ?? [];
  if (last === undefined) return null;
  const end = [...reason.matchAll(/\bat ([0-9A-F]+\/[0-9A-F]+)/g)].at(-1)?.[1];
  return parseLsn(end ?? last);
}
