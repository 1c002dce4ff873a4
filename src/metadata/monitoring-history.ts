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
