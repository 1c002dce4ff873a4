import type { Database } from "./database.js";

/** How many standbys a server can feed, and how many it feeds. */
export interface ServerRoom {
  readonly maxWalSenders: number;
  readonly usedWalSenders: number;
  readonly maxSlots: number;
  /** Physical ones. */
  readonly activeSlots: number;
}

/** Throws DatabaseError. */
export async function readRoom(database: Database): Promise<ServerRoom> {
  const [row] = await database.query<{
    max_wal_senders: number;
    used_wal_senders: number;
    max_slots: number;
    active_slots: number;
  }>(
    `SELECT pg_catalog.current_setting('max_wal_senders')::int AS max_wal_senders,
            (SELECT count(*)::int FROM pg_catalog.pg_stat_replication) AS used_wal_senders,
            pg_catalog.current_setting('max_replication_slots')::int AS max_slots,
            (SELECT count(*)::int FROM pg_catalog.pg_replication_slots
              WHERE slot_type = 'physical' AND active) AS active_slots`,
  );
  if (row === undefined) throw new RangeError("a query for one row returned none");
  return {
    maxWalSenders: row.max_wal_senders,
    usedWalSenders: row.used_wal_senders,
    maxSlots: row.max_slots,
    activeSlots: row.active_slots,
  };
}
