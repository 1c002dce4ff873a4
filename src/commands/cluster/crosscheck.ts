import { assembleMatrix, connectivity, hasFailure } from "../../decide/connectivity.js";
import { defineCommand } from "../define-command.js";
import { gatherConnectivity, gatherReports } from "./connectivity/gather.js";
import { connectivityOptions, localNodeId, showMatrix } from "./connectivity/show.js";

export const clusterCrosscheck = defineCommand({
  name: "cluster crosscheck",
  summary: "show which nodes can connect to which others, asked from every node",
  options: connectivityOptions,
  effect: "reads",
  configuration: "unless-connection-given",
  exitCodes: ["success", "badConfiguration", "databaseConnection", "badSsh", "internal", "nodeStatus"],
  examples: ["cluster crosscheck", "cluster crosscheck --format=json"],
  run: async (context, options) => {
    const request = { localId: localNodeId(context, options["node-id"]), asksUnreachable: true };
    const facts = await gatherConnectivity(context, request);
    const matrix = assembleMatrix({ ...facts, reports: await gatherReports(context, request, facts) });
    return showMatrix(context, "cluster crosscheck", {
      matrix,
      hasFailure: hasFailure(matrix, connectivity.unreachable),
    });
  },
});
