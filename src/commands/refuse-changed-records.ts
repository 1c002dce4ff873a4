import { exitCodes } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";
import { listNodes, lockNodes } from "../metadata/nodes.js";
import type { NodeRecord } from "../model/node-record.js";
import type { Database } from "../postgres/database.js";

/**
 * Locks the records for the transaction at hand and makes sure that they still are those on which the decision
 * rests: two nodes that register at the same moment must not both find the same id or name free. Throws UserError.
 */
export async function refuseChangedRecords(database: Database, seen: readonly NodeRecord[]): Promise<void> {
  await lockNodes(database);
  if (JSON.stringify(await listNodes(database)) === JSON.stringify(seen)) return;
  throw new UserError(exitCodes.badConfiguration, {
    message: "the node records were changed by somebody else at this moment",
    hint: 'see "cluster show", then run the command again',
  });
}
