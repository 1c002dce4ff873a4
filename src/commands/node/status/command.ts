import { assessNodeStatus, type NodeStatus } from "../../../decide/node-status.js";
import { exitCodes, type ExitCode } from "../../../errors/exit-codes.js";
import { defineCommand, type CommandContext } from "../../define-command.js";
import { reportUnreadableArchive } from "../report-archive.js";
import { gatherNodeStatus } from "./gather.js";
import { renderNodeStatusCsv } from "./render-csv.js";
import { renderNodeStatusJson } from "./render-json.js";
import { renderNodeStatusProblems, renderNodeStatusText } from "./render-text.js";
import { describeShutdown } from "./shutdown.js";

export const nodeStatus = defineCommand({
  name: "node status",
  summary: "show an overview of this node and what is wrong with its replication",
  options: {
    csv: "emit output as CSV",
    format: "emit output as text, csv or json",
    "is-shutdown-cleanly": "only tell, in one line, whether the server is down and has written all its WAL",
  },
  effect: "reads",
  configuration: "required",
  exitCodes: ["success", "badConfiguration", "databaseConnection", "nodeStatus"],
  examples: ["node status", "node status --csv"],
  run: async (context, options): Promise<ExitCode> => {
    const { reporter } = context;
    if (options["is-shutdown-cleanly"]) {
      reporter.data(await describeShutdown(context));
      return exitCodes.success;
    }
    const status = assessNodeStatus(await gatherNodeStatus(context));
    const exitCode = status.problems.length === 0 ? exitCodes.success : exitCodes.nodeStatus;
    if (context.format !== "json") warn(context, status);
    reporter.data(render(context, status, exitCode));
    if (context.format === "text" && status.problems.length > 0 && !reporter.isTerse) {
      reporter.warning(renderNodeStatusProblems(status.problems), {
        hint: 'execute "node check" for more details',
      });
    }
    return exitCode;
  },
});

/** What a reader of CSV sees of the reasons, too. */
function warn({ reporter }: CommandContext, { facts, unattached }: NodeStatus): void {
  reportUnreadableArchive(reporter, facts.pendingArchiving);
  for (const { nodeName } of unattached)
    reporter.warning(`node "${nodeName}" not found in "pg_stat_replication"`);
}

function render({ format, reporter }: CommandContext, status: NodeStatus, exitCode: ExitCode): string {
  if (format === "json") return renderNodeStatusJson(status, exitCode);
  if (format === "csv") return renderNodeStatusCsv(status, reporter);
  return renderNodeStatusText(status, reporter);
}
