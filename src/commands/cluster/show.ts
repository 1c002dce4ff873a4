import { assessCluster, type ClusterHealth } from "../../decide/cluster-health.js";
import { exitCodes, type ExitCode } from "../../errors/exit-codes.js";
import type { Uses } from "../../context.js";
import { defineCommand, type OutputFormat } from "../define-command.js";
import { gatherClusterFacts } from "./show/gather.js";
import { renderClusterCsv } from "./show/render-csv.js";
import { renderClusterJson } from "./show/render-json.js";
import { renderClusterTable, renderIssues } from "./show/render-text.js";

export const clusterShow = defineCommand({
  name: "cluster show",
  summary: "show the state of each node of the cluster",
  options: {
    csv: "emit output as CSV (with a subset of fields)",
    format: "emit output as text, csv or json",
    compact: "display only a subset of fields",
    dbname: "database of any node, or its connection string",
    host: "host of any node",
    port: "port of any node",
    username: "user to connect as",
  },
  effect: "reads",
  configuration: "unless-connection-given",
  run: async (context, options) => {
    const health = assessCluster(await gatherClusterFacts(context));
    const exitCode = health.problems.length === 0 ? exitCodes.success : exitCodes.nodeStatus;
    const { reporter, format } = context;
    reporter.data(renderHealth(health, { format, isCompact: options.compact, exitCode }));
    if (format === "text") reportIssues(health, context);
    return exitCode;
  },
});

interface Rendering {
  readonly format: OutputFormat;
  readonly isCompact: boolean;
  readonly exitCode: ExitCode;
}

function renderHealth(health: ClusterHealth, { format, isCompact, exitCode }: Rendering): string {
  if (format === "json") return renderClusterJson(health, exitCode);
  if (format === "csv") return renderClusterCsv(health);
  return renderClusterTable(health, isCompact);
}

/** As in repmgr the blank line before the block is part of the data, the block itself a log record. */
function reportIssues({ nodes, problems }: ClusterHealth, { reporter }: Uses<"reporter">): void {
  if (problems.length === 0 || reporter.isTerse) return;
  reporter.data("\n");
  const hidesReasons =
    !reporter.isVerbose &&
    nodes.some(({ answer }) => answer.kind === "unreachable" || answer.kind === "rejected");
  reporter.warning(
    renderIssues(problems, reporter.isVerbose),
    hidesReasons ? { hint: "execute with --verbose option to see connection error messages" } : {},
  );
}
