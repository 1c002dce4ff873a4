import type { Database } from "./database.js";

export interface WalReceiverState {
  /** Null when no WAL receiver runs. */
  readonly pid: number | null;
  /** Whether the startup process waits until it may start one again. */
  readonly isRetryAwaited: boolean;
}

/** As a superuser. Throws DatabaseError. */
export async function readWalReceiver(database: Database): Promise<WalReceiverState> {
  const [row] = await database.query<{ pid: number | null; waiting: boolean }>(
    `SELECT (SELECT pid FROM pg_catalog.pg_stat_wal_receiver) AS pid,
            EXISTS (SELECT FROM pg_catalog.pg_stat_activity
                     WHERE backend_type = 'startup' AND wait_event = 'RecoveryRetrieveRetryInterval') AS waiting`,
  );
  return { pid: row?.pid ?? null, isRetryAwaited: row?.waiting ?? false };
}

export async function readRetryInterval(database: Database): Promise<number> {
  const [row] = await database.query<{ ms: string }>(
    "SELECT setting AS ms FROM pg_catalog.pg_settings WHERE name = 'wal_retrieve_retry_interval'",
  );
  return Number(row?.ms);
}

/** Takes effect when the server has reloaded its configuration, a moment later. */
export async function setRetryInterval(database: Database, ms: number): Promise<void> {
  await database.query(`ALTER SYSTEM SET wal_retrieve_retry_interval TO ${Math.trunc(ms)}`);
  await database.query("SELECT pg_catalog.pg_reload_conf()");
}
