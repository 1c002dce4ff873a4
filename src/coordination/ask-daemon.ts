import type { Database } from "../postgres/database.js";
import { lookAtServer } from "./look-at-server.js";

/** What a server tells of the daemon of its node: ours by its beacon, the reference's by its library. */
export interface DaemonFacts {
  readonly isRunning: boolean;
  /** Null when it is not known. */
  readonly pid: number | null;
  readonly isPaused: boolean;
  /** Whole seconds since it saw its upstream; null: never, or not told. */
  readonly upstreamSeenS: number | null;
}

interface FunctionsRow {
  readonly pid: number | null;
  readonly running: boolean | null;
  readonly paused: boolean | null;
  readonly seen: number | null;
}

/** Throws DatabaseError, also when there is neither a beacon nor a schema with the functions. */
export async function askDaemon(database: Database): Promise<DaemonFacts> {
  const { beacon } = await lookAtServer(database);
  if (beacon !== null) {
    const seenMs = beacon.upstreamSeenMs === null ? null : beacon.upstreamSeenMs + (beacon.ageMs ?? 0);
    return {
      isRunning: true,
      pid: beacon.pid,
      isPaused: beacon.isPaused,
      upstreamSeenS: seenMs === null ? null : Math.floor(seenMs / 1000),
    };
  }
  const [row] = await database.query<FunctionsRow>(
    `SELECT repmgr.get_repmgrd_pid() AS pid, repmgr.repmgrd_is_running() AS running,
            repmgr.repmgrd_is_paused() AS paused, repmgr.get_upstream_last_seen() AS seen`,
  );
  const pid = row?.pid ?? -1;
  const seen = row?.seen ?? -1;
  return {
    isRunning: row?.running ?? false,
    pid: pid < 0 ? null : pid,
    isPaused: row?.paused ?? false,
    upstreamSeenS: pid < 0 || seen < 0 ? null : seen,
  };
}
