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
    const hint = hintForUnreadableRecords(error, environment.programName);
    const problem = { message: "unable to retrieve node records", detail: error.message, hint };
    throw new UserError(exitCodes.badConfiguration, problem, error);
  }
}

/** What helps when the tables of schema repmgr cannot be read; registering does so only where they are not there. */
export function hintForUnreadableRecords({ meaning }: DatabaseError, programName: string): string {
  switch (meaning) {
    case "undefined-object":
      return `if this database has no repmgr schema yet, execute "${programName} primary register"`;
    case "insufficient-privilege":
      return 'as its owner or a superuser: "GRANT USAGE ON SCHEMA repmgr TO …" and "GRANT ALL ON ALL TABLES IN SCHEMA repmgr TO …"';
    case "connection-lost":
      return "the server ended the session: check that it is running, then run the command again";
    default:
      return "see the log of the server for the reason, then run the command again";
  }
}
