import type { ClusterFacts } from "../../../decide/cluster-health-facts.js";
import { askNodes } from "../../../coordination/ask-nodes.js";
import type { CommandContext } from "../../define-command.js";
import { connectToCluster } from "../connect-to-cluster.js";

/** Reads the node records from the node at hand, then asks all nodes at once. Throws UserError. */
export async function gatherClusterFacts(context: CommandContext): Promise<ClusterFacts> {
  const { database, records } = await connectToCluster(context);
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
