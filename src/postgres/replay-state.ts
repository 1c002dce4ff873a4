import { parseLsn, type Lsn } from "../model/lsn.js";
import type { Database } from "./database.js";

/** How far a standby has come. An LSN is null where nothing was received, or replayed, since the server started. */
export interface ReplayState {
  readonly isPaused: boolean;
  readonly received: Lsn | null;
  readonly replayed: Lsn | null;
  /** `recovery_min_apply_delay` in milliseconds. */
  readonly delayMs: number;
}

/** Asks a server in recovery; one that is not is as far as it can be. Throws DatabaseError. */
export async function readReplayState(database: Database): Promise<ReplayState> {
  const [row] = await database.query<{
    paused: boolean | null;
    received: string | null;
    replayed: string | null;
    delay_ms: string | null;
  }>(
    `SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_is_wal_replay_paused() END AS paused,
            pg_catalog.pg_last_wal_receive_lsn()::text AS received,
            pg_catalog.pg_last_wal_replay_lsn()::text AS replayed,
            (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'recovery_min_apply_delay') AS delay_ms`,
  );
  return {
    isPaused: row?.paused ?? false,
    received: toLsn(row?.received),
    replayed: toLsn(row?.replayed),
    delayMs: Number(row?.delay_ms ?? 0),
  };
}

const toLsn = (text: string | null | undefined): Lsn | null =>
  text === null || text === undefined ? null : parseLsn(text);
