import { exitCodes, type ExitCode } from "../../errors/exit-codes.js";
import { renderJsonDocument } from "../../output/json.js";
import { renderIssues } from "../cluster/show/render-text.js";
import { defineCommand } from "../define-command.js";
import { gatherServiceStatus } from "./status/gather.js";
import {
  describeServiceStatus,
  renderArmed,
  renderServiceCsv,
  renderServiceTable,
  renderSynchronous,
  renderLease,
} from "./status/render.js";

export const serviceStatus = defineCommand({
  name: "service status",
  summary: "show the daemon of each node, and whether an automatic failover would come about",
  options: {
    csv: "emit output as CSV",
    format: "emit output as text, csv or json",
    compact: "shorten titles",
    detail: "show location and priority too",
  },
  effect: "reads",
  configuration: "required",
  exitCodes: ["success", "badConfiguration", "databaseConnection"],
  examples: ["service status", "service status --format=json"],
  run: async (context, options): Promise<ExitCode> => {
    const { reporter, format, display } = context;
    const status = await gatherServiceStatus(context);
    if (format === "json") {
      reporter.data(renderJsonDocument(describeServiceStatus(status, exitCodes.success)));
      return exitCodes.success;
    }
    if (format === "csv") {
      reporter.data(renderServiceCsv(status));
      return exitCodes.success;
    }
    reporter.data(
      renderServiceTable(status, {
        isCompact: options.compact,
        isDetailed: options.detail,
        palette: display.palette,
      }),
    );
    if (reporter.isTerse) return exitCodes.success;
    reporter.data(renderArmed(status));
    reporter.data(renderSynchronous(status, display));
    reporter.data(renderLease(status));
    if (status.problems.length > 0) {
      reporter.data("\n");
      reporter.warning(renderIssues(status.problems, reporter.isVerbose));
    }
    return exitCodes.success;
  },
});
