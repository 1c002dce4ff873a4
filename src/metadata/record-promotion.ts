import type { NodeId } from "../model/node-record.js";
import type { Database } from "../postgres/database.js";

/**
 * Makes a node the one active primary of the metadata, in one transaction. Rows of its former siblings stay: each
 * changes its own when it follows. Throws DatabaseError.
 */
export async function recordPromotion(database: Database, id: NodeId): Promise<void> {
  await database.transaction(async () => {
    await database.query(
      "UPDATE repmgr.nodes SET active = false WHERE type = 'primary' AND active AND node_id <> $1",
      [id],
    );
    await database.query(
      "UPDATE repmgr.nodes SET type = 'primary', upstream_node_id = NULL, active = true WHERE node_id = $1",
      [id],
    );
  });
}
