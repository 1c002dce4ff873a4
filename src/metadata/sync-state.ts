import { isIP } from "node:net";
import { ConninfoError, parseConninfo } from "../model/conninfo.js";
import { parseLsn } from "../model/lsn.js";
import type { NodeRecord } from "../model/node-record.js";
import {
  parseSyncState,
  renderSyncState,
  type SyncLook,
  type SyncNode,
  type SyncState,
} from "../model/sync-state.js";
import type { Database } from "../postgres/database.js";
import { readStandbyNames, readWalSenders } from "../postgres/synchronous-standbys.js";
import { ensureSettings, hasSettings } from "./cluster-record.js";
import { listNodes } from "./nodes.js";

const STATE = "sync_state";

/** Null where there is none. Throws DatabaseError. */
export async function readSyncState(database: Database): Promise<SyncState | null> {
  if (!(await hasSettings(database))) return null;
  const [row] = await database.query<{ value: string }>("SELECT value FROM repmgr.settings WHERE name = $1", [
    STATE,
  ]);
  return row === undefined ? null : parseSyncState(row.value);
}

/** Throws DatabaseError. */
export async function writeSyncState(primary: Database, state: SyncState): Promise<void> {
  await ensureSettings(primary);
  await primary.query(
    `INSERT INTO repmgr.settings (name, value) VALUES ($1, $2)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    [STATE, renderSyncState(state)],
  );
}

/** Throws DatabaseError. */
export async function removeSyncState(primary: Database): Promise<void> {
  if (await hasSettings(primary)) await primary.query("DELETE FROM repmgr.settings WHERE name = $1", [STATE]);
}

/** Reads a primary. Throws DatabaseError. */
export async function lookAtSync(primary: Database): Promise<SyncLook> {
  // The end of the log is read first: whatever is flushed up to there was there before the rest was read.
  const [row] = await primary.query<{ lsn: string }>("SELECT pg_catalog.pg_current_wal_lsn()::text AS lsn");
  const [state, names, records, senders] = [
    await readSyncState(primary),
    await readStandbyNames(primary),
    await listNodes(primary),
    await readWalSenders(primary),
  ];
  const nodes = records.filter(({ type }) => type === "primary" || type === "standby").map(toSyncNode);
  return { state, names, nodes, senders, lsn: parseLsn(row?.lsn ?? "0/0") };
}

function toSyncNode({ nodeId, nodeName, slotName, conninfo }: NodeRecord): SyncNode {
  return { nodeId, nodeName, slotName, address: readAddress(conninfo) };
}

function readAddress(conninfo: string): string | null {
  try {
    const keywords = parseConninfo(conninfo);
    const host = keywords.get("hostaddr") || keywords.get("host") || "";
    return isIP(host) === 0 ? null : host;
  } catch (error) {
    if (error instanceof ConninfoError) return null;
    throw error;
  }
}

/**
 * Two that change the set at once would undo each other's steps: the daemon of the primary and a command. Null when
 * somebody else is at it. Throws DatabaseError.
 */
export async function withSyncLock<T>(primary: Database, work: () => Promise<T>): Promise<T | null> {
  const [row] = await primary.query<{ taken: boolean }>(
    "SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtext('repmgr.sync_state')) AS taken",
  );
  if (row?.taken !== true) return null;
  try {
    return await work();
  } finally {
    await primary.query("SELECT pg_catalog.pg_advisory_unlock(pg_catalog.hashtext('repmgr.sync_state'))");
  }
}
