import { DatabaseError } from "../errors/database-error.js";
import { exitCodes } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";
import { listNodes } from "../metadata/nodes.js";
import type { NodeRecord } from "../model/node-record.js";
import type { Database } from "../postgres/database.js";
import type { CommandContext } from "./define-command.js";

/** The node records of a server that must have them. Throws UserError. */
export async function readNodeRecords(
  { environment }: Pick<CommandContext, "environment">,
  database: Database,
): Promise<readonly NodeRecord[]> {
  try {
    return await listNodes(database);
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    const hint = `if this database has no repmgr schema yet, execute "${environment.programName} primary register"`;
    const problem = { message: "unable to retrieve node records", detail: error.message, hint };
    throw new UserError(exitCodes.badConfiguration, problem, error);
  }
}
