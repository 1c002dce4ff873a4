import { assessCluster, type ClusterHealth } from "../../decide/cluster-health.js";
import { exitCodes, type ExitCode } from "../../errors/exit-codes.js";
import { renderJsonDocument, renderJsonLine } from "../../output/json.js";
import { defineCommand, type CommandContext } from "../define-command.js";
import { watch } from "../watch.js";
import { gatherClusterFacts } from "./show/gather.js";
import { renderClusterCsv } from "./show/render-csv.js";
import { describeCluster } from "./show/render-json.js";
import { renderClusterTable, renderIssues } from "./show/render-text.js";
import { renderClusterTree } from "./show/render-tree.js";

const DEFAULT_INTERVAL_S = 2;

export const clusterShow = defineCommand({
  name: "cluster show",
  summary: "show the state of each node of the cluster",
  options: {
    csv: "emit output as CSV (with a subset of fields)",
    format: "emit output as text, csv or json",
    compact: "display only a subset of fields",
    tree: "draw who replicates from whom",
    watch: `show it again every SECONDS (default: ${DEFAULT_INTERVAL_S}) until Ctrl-C`,
    dbname: "database of any node, or its connection string",
    host: "host of any node",
    port: "port of any node",
    username: "user to connect as",
  },
  effect: "reads",
  configuration: "unless-connection-given",
  exitCodes: ["success", "badConfiguration", "databaseConnection", "nodeStatus"],
  examples: ["-f /etc/repmgr.conf cluster show --compact", "cluster show --tree --watch=5"],
  checkOptions: ({ tree, csv, format = "text" }) =>
    tree && (csv || format !== "text") ? ["--tree is a drawing: only text output can show it"] : [],
  run: async (context, options) => {
    const view: View = { isCompact: options.compact, isTree: options.tree };
    const gather = async (during: CommandContext): Promise<ClusterHealth> =>
      assessCluster(await gatherClusterFacts(during));
    if (options.watch === undefined) return showOnce(context, await gather(context), view);
    return watch(context, {
      name: "cluster show",
      intervalMs: (options.watch === true ? DEFAULT_INTERVAL_S : options.watch) * 1000,
      gather,
      show: (health, time) => showAgain(context, health, { ...view, time }),
    });
  },
});

interface View {
  readonly isCompact: boolean;
  readonly isTree: boolean;
}

const exitCodeOf = ({ problems }: ClusterHealth): ExitCode =>
  problems.length === 0 ? exitCodes.success : exitCodes.nodeStatus;

function showOnce(context: CommandContext, health: ClusterHealth, view: View): ExitCode {
  const exitCode = exitCodeOf(health);
  if (context.format === "json") {
    context.reporter.data(renderJsonDocument(describeCluster(health, exitCode)));
  } else {
    showText(context, health, view);
  }
  return exitCode;
}

/** One picture of many; as JSON it is one line and says when it was taken. */
function showAgain(
  context: CommandContext,
  health: ClusterHealth,
  view: View & { readonly time: number },
): void {
  if (context.format !== "json") {
    showText(context, health, view);
    return;
  }
  const time = new Date(view.time).toISOString();
  context.reporter.data(renderJsonLine({ ...describeCluster(health, exitCodeOf(health)), time }));
}

function showText(
  { reporter, format, display }: CommandContext,
  health: ClusterHealth,
  { isCompact, isTree }: View,
): void {
  if (format === "csv") {
    reporter.data(renderClusterCsv(health));
    return;
  }
  const { palette } = display;
  reporter.data(
    isTree
      ? renderClusterTree(health, { isCompact, palette, isUtf8: display.isUtf8 })
      : renderClusterTable(health, { isCompact, palette }),
  );
  reportIssues(health, reporter);
}

/** As in repmgr the blank line before the block is part of the data, the block itself a log record. */
function reportIssues({ nodes, problems }: ClusterHealth, reporter: CommandContext["reporter"]): void {
  if (problems.length === 0 || reporter.isTerse) return;
  reporter.data("\n");
  const hidesReasons =
    !reporter.isVerbose &&
    nodes.some(({ answer }) => answer.kind === "unreachable" || answer.kind === "rejected");
  const hints = problems.flatMap(({ code, hint }) =>
    code === "switchover_under_way" && hint !== undefined ? [hint] : [],
  );
  if (hidesReasons) hints.push("execute with --verbose option to see connection error messages");
  reporter.warning(renderIssues(problems, reporter.isVerbose), hints.length === 0 ? {} : { hint: hints });
}
