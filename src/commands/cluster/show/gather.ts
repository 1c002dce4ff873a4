import type { ClusterFacts } from "../../../decide/cluster-health-facts.js";
import { askNodes } from "../../../coordination/ask-nodes.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import type { NodeRecord } from "../../../model/node-record.js";
import type { Database } from "../../../postgres/database.js";
import { connectToLocalNode, openDatabaseOrFail } from "../../connect-local.js";
import type { CommandContext } from "../../define-command.js";
import { readNodeRecords } from "../../read-node-records.js";

/** Reads the node records from the node at hand, then asks all nodes at once. Throws UserError. */
export async function gatherClusterFacts(context: CommandContext): Promise<ClusterFacts> {
  const database = await connectToAnyNode(context);
  const records = await readNodeRecords(context, database);
  requireRecords(context, records);
  const { configFile, settings } = context;
  const answers = await askNodes(records, {
    ...context,
    ...(configFile === null ? {} : { openSession: { conninfo: settings.conninfo, database } }),
  });
  // The server takes leave while the table is drawn.
  database.close().catch(() => undefined);
  return {
    nodes: answers.flatMap((answer, index) => {
      const record = records[index];
      return record === undefined ? [] : [{ record, answer }];
    }),
  };
}

function requireRecords({ environment }: CommandContext, records: readonly NodeRecord[]): void {
  if (records.length > 0) return;
  throw new UserError(exitCodes.badConfiguration, {
    message: "no node records were found",
    hint: `register a primary with "${environment.programName} primary register"`,
  });
}

/** As in repmgr a configuration file, also one that was found without -f, wins over connection options. */
function connectToAnyNode(context: CommandContext): Promise<Database> {
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
