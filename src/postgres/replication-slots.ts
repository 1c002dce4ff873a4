import type { Database } from "./database.js";
import { createPhysicalSlot, dropSlot } from "./replication-protocol.js";

export interface ReplicationSlot {
  readonly isPhysical: boolean;
  readonly isActive: boolean;
}

/** A session that may make slots: with SQL functions, or as a walsender with replication commands. */
export interface SlotSession {
  readonly method: "sql" | "protocol";
  readonly database: Database;
}

/** Null when the server has no slot of this name. */
export async function readReplicationSlot(database: Database, name: string): Promise<ReplicationSlot | null> {
  const [row] = await database.query<{ is_physical: boolean; is_active: boolean }>(
    `SELECT slot_type = 'physical' AS is_physical, active AS is_active
       FROM pg_catalog.pg_replication_slots WHERE slot_name = $1`,
    [name],
  );
  return row === undefined ? null : { isPhysical: row.is_physical, isActive: row.is_active };
}

/** Makes a physical slot that keeps WAL from now on. Throws DatabaseError, also when the slot exists. */
export async function createReplicationSlot({ method, database }: SlotSession, name: string): Promise<void> {
  if (method === "protocol") return createPhysicalSlot(database, name);
  await database.query("SELECT pg_catalog.pg_create_physical_replication_slot($1, true)", [name]);
}

/** Throws DatabaseError, also while the slot is active. */
export async function dropReplicationSlot({ method, database }: SlotSession, name: string): Promise<void> {
  if (method === "protocol") return dropSlot(database, name);
  await database.query("SELECT pg_catalog.pg_drop_replication_slot($1)", [name]);
}

/** All physical slots of the server, by name. */
export async function listPhysicalSlots(
  database: Database,
): Promise<readonly { readonly name: string; readonly isActive: boolean }[]> {
  const rows = await database.query<{ slot_name: string; active: boolean }>(
    `SELECT slot_name, active FROM pg_catalog.pg_replication_slots
      WHERE slot_type = 'physical' ORDER BY slot_name`,
  );
  return rows.map(({ slot_name, active }) => ({ name: slot_name, isActive: active }));
}

/** `sync_replication_slots`, which PostgreSQL has from 17 on. */
export async function isSynchronisingSlots(database: Database): Promise<boolean> {
  const [row] = await database.query<{ setting: string | null }>(
    "SELECT pg_catalog.current_setting('sync_replication_slots', true) AS setting",
  );
  return row?.setting === "on";
}
