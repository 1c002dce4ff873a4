import { assembleMatrix, connectivity, hasFailure } from "../../decide/connectivity.js";
import { defineCommand } from "../define-command.js";
import { gatherConnectivity } from "./connectivity/gather.js";
import { connectivityOptions, localNodeId, showMatrix } from "./connectivity/show.js";

export const clusterMatrix = defineCommand({
  name: "cluster matrix",
  summary: "show which nodes can connect to which others, asked from this node",
  options: connectivityOptions,
  effect: "reads",
  configuration: "unless-connection-given",
  exitCodes: ["success", "badConfiguration", "databaseConnection", "badSsh", "internal", "nodeStatus"],
  examples: ["cluster matrix", "cluster matrix --csv"],
  run: async (context, options) => {
    const matrix = assembleMatrix(
      await gatherConnectivity(context, {
        localId: localNodeId(context, options["node-id"]),
        asksUnreachable: false,
      }),
    );
    // The reference's rule, whatever the reason for the difference is: as CSV the unknown counts as failed.
    const worstAllowed = context.format === "csv" ? connectivity.unknown : connectivity.unreachable;
    return showMatrix(context, "cluster matrix", { matrix, hasFailure: hasFailure(matrix, worstAllowed) });
  },
});
