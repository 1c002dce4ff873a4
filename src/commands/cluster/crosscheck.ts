import { assembleMatrix, connectivity, hasFailure } from "../../decide/connectivity.js";
import { defineCommand } from "../define-command.js";
import { gatherConnectivity, gatherReports } from "./connectivity/gather.js";
import { localNodeId, showMatrix } from "./connectivity/show.js";

export const clusterCrosscheck = defineCommand({
  name: "cluster crosscheck",
  summary: "show which nodes can connect to which others, asked from every node",
  options: {
    csv: "emit output as CSV",
    format: "emit output as text, csv or json",
    "remote-user": "SSH user on the other nodes",
    "node-id": "ID of this node, when no configuration file is used",
    dbname: "database of any node, or its connection string",
    host: "host of any node",
    port: "port of any node",
    username: "user to connect as",
  },
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
