import type { DaemonShortcoming } from "../model/beacon.js";
import type { Database } from "../postgres/database.js";
import { lookAtServer, type ServerLook } from "./look-at-server.js";

/** What a server tells of the daemon of its node: ours by its beacon, the reference's by its library. */
export interface DaemonFacts {
  readonly isRunning: boolean;
  /** Null when it is not known. */
  readonly pid: number | null;
  readonly isPaused: boolean;
  /** Whole seconds since it saw its upstream; null: never, or not told. */
  readonly upstreamSeenS: number | null;
  /** For so long it gives no vote to others, and stands for none unless it has voted for itself; 0: it is free. */
  readonly heldForMs: number;
  readonly hasVotedForItself: boolean;
  readonly shortcoming: DaemonShortcoming | null;
  readonly isThroughPooler: boolean;
}

interface FunctionsRow {
  readonly pid: number | null;
  readonly running: boolean | null;
  readonly paused: boolean | null;
  readonly seen: number | null;
}

/** Throws DatabaseError, also when there is neither a beacon nor a schema with the functions. */
export async function askDaemon(database: Database): Promise<DaemonFacts> {
  const look = await lookAtServer(database);
  const shown = readBeacon(look);
  if (shown !== null) return shown;
  const [row] = await database.query<FunctionsRow>(
    `SELECT repmgr.get_repmgrd_pid() AS pid, repmgr.repmgrd_is_running() AS running,
            repmgr.repmgrd_is_paused() AS paused, repmgr.get_upstream_last_seen() AS seen`,
  );
  const isRunning = row?.running ?? false;
  // Ours, started meanwhile: the functions read its beacon too, and tell less of it.
  const late = isRunning ? readBeacon(await lookAtServer(database)) : null;
  if (late !== null) return late;
  const pid = row?.pid ?? -1;
  const seen = row?.seen ?? -1;
  return {
    isRunning,
    pid: pid < 0 ? null : pid,
    isPaused: row?.paused ?? false,
    upstreamSeenS: pid < 0 || seen < 0 ? null : seen,
    heldForMs: 0,
    hasVotedForItself: false,
    shortcoming: null,
    isThroughPooler: look.isThroughPooler,
  };
}

function readBeacon({ beacon, vote, isThroughPooler }: ServerLook): DaemonFacts | null {
  if (beacon === null) return null;
  const seenMs = beacon.upstreamSeenMs === null ? null : beacon.upstreamSeenMs + (beacon.ageMs ?? 0);
  return {
    isRunning: true,
    pid: beacon.pid,
    isPaused: beacon.isPaused,
    upstreamSeenS: seenMs === null ? null : Math.floor(seenMs / 1000),
    heldForMs: Math.max(0, (beacon.heldForMs ?? 0) - (beacon.ageMs ?? 0)),
    hasVotedForItself: vote?.votedFor === beacon.nodeId,
    shortcoming: beacon.shortcoming,
    isThroughPooler,
  };
}
