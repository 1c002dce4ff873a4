import { nodeId, type NodeId, type NodeRecord, type NodeType } from "../model/node-record.js";
import type { Database } from "../postgres/database.js";

/** A node record as the database has it. */
export interface NodeRow {
  readonly node_id: number;
  readonly upstream_node_id: number | null;
  readonly active: boolean;
  readonly node_name: string;
  readonly type: NodeType;
  readonly location: string;
  readonly priority: number;
  readonly conninfo: string;
  readonly repluser: string;
  readonly slot_name: string | null;
  readonly config_file: string;
}

export const SELECT_NODES = `SELECT node_id, upstream_node_id, active, node_name, type, location, priority, conninfo,
                             repluser, slot_name, config_file
                        FROM repmgr.nodes`;

export const toRecord = (row: NodeRow): NodeRecord => ({
  nodeId: nodeId(row.node_id),
  upstreamNodeId: row.upstream_node_id === null ? null : nodeId(row.upstream_node_id),
  active: row.active,
  nodeName: row.node_name,
  type: row.type,
  location: row.location,
  priority: row.priority,
  conninfo: row.conninfo,
  replicationUser: row.repluser,
  slotName: row.slot_name,
  configFile: row.config_file,
});

const toRow = (record: NodeRecord): readonly unknown[] => [
  record.nodeId,
  record.upstreamNodeId,
  record.active,
  record.nodeName,
  record.type,
  record.location,
  record.priority,
  record.conninfo,
  record.replicationUser,
  record.slotName,
  record.configFile,
];

/** Every registered node as this server knows them, ordered by id. */
export async function listNodes(database: Database): Promise<readonly NodeRecord[]> {
  const rows = await database.query<NodeRow>(`${SELECT_NODES} ORDER BY node_id`);
  return rows.map(toRecord);
}

export async function findNode(database: Database, id: NodeId): Promise<NodeRecord | null> {
  const [row] = await database.query<NodeRow>(`${SELECT_NODES} WHERE node_id = $1`, [id]);
  return row === undefined ? null : toRecord(row);
}

/** The row that says "primary and active", whatever its server really is. */
export async function findRegisteredPrimary(database: Database): Promise<NodeRecord | null> {
  const [row] = await database.query<NodeRow>(
    `${SELECT_NODES} WHERE type = 'primary' AND active ORDER BY node_id LIMIT 1`,
  );
  return row === undefined ? null : toRecord(row);
}

/** Keeps everybody else from changing node records until the transaction ends; reading goes on. */
export async function lockNodes(database: Database): Promise<void> {
  await database.query("LOCK TABLE repmgr.nodes IN SHARE ROW EXCLUSIVE MODE");
}

/** Adds a node; false when its id is taken, also by somebody who was faster. */
export async function insertNode(database: Database, record: NodeRecord): Promise<boolean> {
  const inserted = await database.query(
    `INSERT INTO repmgr.nodes (node_id, upstream_node_id, active, node_name, type, location, priority, conninfo,
                               repluser, slot_name, config_file)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (node_id) DO NOTHING RETURNING node_id`,
    toRow(record),
  );
  return inserted.length === 1;
}

/** Overwrites the row of the same id; false when there is none. */
export async function updateNode(database: Database, record: NodeRecord): Promise<boolean> {
  const updated = await database.query(
    `UPDATE repmgr.nodes
        SET upstream_node_id = $2, active = $3, node_name = $4, type = $5, location = $6, priority = $7,
            conninfo = $8, repluser = $9, slot_name = $10, config_file = $11
      WHERE node_id = $1 RETURNING node_id`,
    toRow(record),
  );
  return updated.length === 1;
}

export async function deactivateNode(database: Database, id: NodeId): Promise<void> {
  await database.query("UPDATE repmgr.nodes SET active = false WHERE node_id = $1", [id]);
}

/** Removes a node; false when there is none of that id. Throws DatabaseError when others have it as their upstream. */
export async function deleteNode(database: Database, id: NodeId): Promise<boolean> {
  const deleted = await database.query("DELETE FROM repmgr.nodes WHERE node_id = $1 RETURNING node_id", [id]);
  return deleted.length === 1;
}
