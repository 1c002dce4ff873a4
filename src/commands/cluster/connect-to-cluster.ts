import { exitCodes } from "../../errors/exit-codes.js";
import { UserError } from "../../errors/user-error.js";
import type { NodeRecord } from "../../model/node-record.js";
import type { Database } from "../../postgres/database.js";
import { connectToLocalNode, openDatabaseOrFail } from "../connect-local.js";
import type { CommandContext } from "../define-command.js";
import { readNodeRecords } from "../read-node-records.js";

export interface Cluster {
  /** The session on the node at hand; closed when the command ends. */
  readonly database: Database;
  /** As that node has them, by ID; at least one. */
  readonly records: readonly NodeRecord[];
}

type Context = Pick<
  CommandContext,
  | "environment"
  | "settings"
  | "configFile"
  | "connection"
  | "databases"
  | "interrupted"
  | "reporter"
  | "cleanup"
>;

/** Reads the node records from the node that the configuration or the connection options name. Throws UserError. */
export async function connectToCluster(context: Context): Promise<Cluster> {
  const database = await connectToAnyNode(context);
  const records = await readNodeRecords(context, database);
  if (records.length > 0) return { database, records };
  throw new UserError(exitCodes.badConfiguration, {
    message: "no node records were found",
    hint: `register a primary with "${context.environment.programName} primary register"`,
  });
}

/** As in repmgr a configuration file, also one that was found without -f, wins over connection options. */
function connectToAnyNode(context: Context): Promise<Database> {
  const { reporter, configFile, connection } = context;
  if (reporter.isVerbose) reporter.info("connecting to database");
  if (configFile === null) {
    return openDatabaseOrFail(context, connection, {
      exitCode: exitCodes.databaseConnection,
      message: "connection to database failed",
    });
  }
  if (connection.size > 0) {
    reporter.warning("connection options are ignored because a configuration file is in use", {
      detail: `configuration file is "${configFile}"`,
    });
  }
  return connectToLocalNode(context);
}
