import type { NodeId } from "../model/node-record.js";
import type { Database } from "../postgres/database.js";

/** Rows of `repmgr.monitoring_history`: those of one standby (null: of all) that are at least so many days old. */
export interface HistorySelection {
  readonly nodeId: NodeId | null;
  readonly keepDays: number;
}

const CONDITION = `last_monitor_time <= pg_catalog.now() - pg_catalog.make_interval(days => $1::int)
                   AND ($2::int IS NULL OR standby_node_id = $2)`;

const parameters = ({ keepDays, nodeId }: HistorySelection): readonly unknown[] => [keepDays, nodeId];

export async function countHistory(database: Database, selection: HistorySelection): Promise<number> {
  const [row] = await database.query<{ count: string }>(
    `SELECT count(*)::text AS count FROM repmgr.monitoring_history WHERE ${CONDITION}`,
    parameters(selection),
  );
  return Number(row?.count ?? 0);
}

/** Deletes the rows; all of them at once by TRUNCATE, as repmgr does. Throws DatabaseError. */
export async function deleteHistory(database: Database, selection: HistorySelection): Promise<void> {
  if (selection.nodeId === null && selection.keepDays === 0) {
    await database.query("TRUNCATE repmgr.monitoring_history");
    return;
  }
  await database.query(`DELETE FROM repmgr.monitoring_history WHERE ${CONDITION}`, parameters(selection));
}

/** Gives the space of deleted rows back to the table. Throws DatabaseError. */
export async function vacuumHistory(database: Database): Promise<void> {
  await database.query("VACUUM repmgr.monitoring_history");
}

/** What one look of a standby's daemon adds to `repmgr.monitoring_history`. */
export interface HistoryRecord {
  readonly primaryNodeId: NodeId;
  readonly standbyNodeId: NodeId;
  /** By the clock of the standby, as its server writes it. */
  readonly monitorTime: string;
  readonly applyTime: string | null;
  readonly receivedLsn: string | null;
  readonly replayedLsn: string | null;
}

/** Both lags are bytes and never negative: a standby that restores from an archive replays what it never received. */
export async function addHistoryRecord(primary: Database, record: HistoryRecord): Promise<void> {
  await primary.query(
    `INSERT INTO repmgr.monitoring_history (primary_node_id, standby_node_id, last_monitor_time, last_apply_time,
                                            last_wal_primary_location, last_wal_standby_location,
                                            replication_lag, apply_lag)
     SELECT $1, $2, $3::timestamptz, $4::timestamptz, p.lsn, s.received,
            GREATEST(0, p.lsn - s.received)::bigint, GREATEST(0, s.received - s.replayed)::bigint
       FROM (SELECT pg_catalog.pg_current_wal_lsn() AS lsn) p,
            (SELECT COALESCE($5::pg_lsn, '0/0') AS received, COALESCE($6::pg_lsn, '0/0') AS replayed) s`,
    [
      record.primaryNodeId,
      record.standbyNodeId,
      record.monitorTime,
      record.applyTime,
      record.receivedLsn,
      record.replayedLsn,
    ],
  );
}
