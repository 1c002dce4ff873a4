import { exitCodes } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";
import { raiseMembershipVersion } from "../metadata/cluster-record.js";
import { insertNode } from "../metadata/nodes.js";
import type { NodeRecord } from "../model/node-record.js";
import type { Database } from "../postgres/database.js";

/** Adds the record of a node that was not there when it was decided so. Throws UserError when it is by now. */
export async function insertRecord(database: Database, record: NodeRecord): Promise<void> {
  if (await insertNode(database, record)) return raiseMembershipVersion(database);
  throw new UserError(exitCodes.badConfiguration, {
    message: `node ${record.nodeId} was registered by somebody else at this moment`,
    hint: 'see "cluster show", then use -F/--force to overwrite the record',
  });
}
