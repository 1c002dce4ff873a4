import { parseLsn, type Lsn } from "../model/lsn.js";
import type { Processes } from "../system/processes.js";

/** What pg_control tells of a data directory, whether its server runs or not. */
export interface ControlFile {
  /** In pg_controldata's words: `shut down`, `shut down in recovery`, `in production` … */
  readonly state: string;
  /** As text because it exceeds 2^53. */
  readonly systemIdentifier: string;
  readonly checkpointLsn: Lsn;
  /** Timeline of the latest checkpoint; stale for a while after a promotion. */
  readonly timeline: number;
  /** `0/0` unless the server was in recovery when it stopped. */
  readonly minimumRecoveryLsn: Lsn;
  readonly minimumRecoveryTimeline: number;
  /** 0 without data checksums. */
  readonly checksumVersion: number;
  /** As the server last ran with it. */
  readonly walLogHints: boolean;
  readonly walSegmentBytes: number;
}

export type ControlFileReading =
  | { readonly kind: "read"; readonly control: ControlFile }
  | { readonly kind: "unreadable"; readonly reason: string };

/** Runs pg_controldata of `binDirectory` (empty: of the PATH). A failure of any kind is a value. */
export async function readControlFile(
  processes: Processes,
  { binDirectory, dataDirectory }: { readonly binDirectory: string; readonly dataDirectory: string },
): Promise<ControlFileReading> {
  const program =
    binDirectory === "" ? "pg_controldata" : `${binDirectory.replace(/\/+$/, "")}/pg_controldata`;
  const result = await processes.run(program, ["-D", dataDirectory], { env: { LC_ALL: "C" } });
  if (result.startFailure !== null)
    return { kind: "unreadable", reason: `unable to execute "${program}": ${result.startFailure}` };
  if (result.exitCode !== 0) {
    const words = result.stderr.trim();
    return { kind: "unreadable", reason: words === "" ? "pg_controldata failed" : words };
  }
  return parseControlData(result.stdout);
}

/** Reads the output of pg_controldata in locale C. */
export function parseControlData(text: string): ControlFileReading {
  // It prints the values all the same, and they may be anything.
  if (/^WARNING: .*\bCRC\b/m.test(text)) return { kind: "unreadable", reason: "pg_control is damaged" };
  const values = new Map(
    [...text.matchAll(/^([^:\n]+):[ \t]+(.*)$/gm)].map(([, key, value]) => [key, value?.trim()]),
  );
  try {
    const valueOf = (key: string): string => {
      const value = values.get(key);
      if (value === undefined) throw new RangeError(`pg_controldata shows no "${key}"`);
      return value;
    };
    return {
      kind: "read",
      control: {
        state: valueOf("Database cluster state"),
        systemIdentifier: valueOf("Database system identifier"),
        checkpointLsn: parseLsn(valueOf("Latest checkpoint location")),
        timeline: Number(valueOf("Latest checkpoint's TimeLineID")),
        minimumRecoveryLsn: parseLsn(valueOf("Minimum recovery ending location")),
        minimumRecoveryTimeline: Number(valueOf("Min recovery ending loc's timeline")),
        checksumVersion: Number(valueOf("Data page checksum version")),
        walLogHints: valueOf("wal_log_hints setting") === "on",
        walSegmentBytes: Number(valueOf("Bytes per WAL segment")),
      },
    };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { kind: "unreadable", reason: error.message };
  }
}
