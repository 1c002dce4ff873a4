import type { ClusterFacts } from "../../../decide/cluster-health-facts.js";
import { askNodes } from "../../../coordination/ask-nodes.js";
import { DatabaseError } from "../../../errors/database-error.js";
import { readSwitchoverTrace } from "../../../metadata/switchover-trace.js";
import type { SwitchoverTrace } from "../../../model/switchover-trace.js";
import type { Database } from "../../../postgres/database.js";
import type { CommandContext } from "../../define-command.js";
import { connectToCluster } from "../connect-to-cluster.js";

/** Reads the node records from the node at hand, then asks all nodes at once. Throws UserError. */
export async function gatherClusterFacts(context: CommandContext): Promise<ClusterFacts> {
  const { database, records } = await connectToCluster(context);
  const { configFile, settings } = context;
  const [switchover, answers] = await Promise.all([
    readTrace(database),
    askNodes(records, {
      ...context,
      ...(configFile === null ? {} : { openSession: { conninfo: settings.conninfo, database } }),
    }),
  ]);
  // The server takes leave while the table is drawn.
  database.close().catch(() => undefined);
  return {
    nodes: answers.flatMap((answer, index) => {
      const record = records[index];
      return record === undefined ? [] : [{ record, answer }];
    }),
    switchover,
  };
}

/** A reader who may not see it still sees the nodes. */
async function readTrace(database: Database): Promise<SwitchoverTrace | null> {
  try {
    return await readSwitchoverTrace(database);
  } catch (error) {
    if (error instanceof DatabaseError) return null;
    throw error;
  }
}
