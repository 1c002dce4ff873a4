import { examineCluster } from "../../decide/doctor/examine.js";
import { isProblem, type DoctorRow } from "../../decide/doctor/report.js";
import { exitCodes, type ExitCode } from "../../errors/exit-codes.js";
import { defineCommand, type CommandContext } from "../define-command.js";
import { gatherDoctorFacts } from "./gather.js";
import { renderDoctorJson } from "./render-json.js";
import { listRepairs, renderDoctorTable } from "./render-text.js";

export const doctor = defineCommand({
  name: "doctor",
  summary:
    "examine this host and every node: configuration, connections, pg_hba.conf, settings, slots, clocks and more; each problem with what repairs it",
  options: {
    format: "emit output as text or json",
    dbname: "database of a node to read the node records from, while this server is down or has none",
    host: "host of that node",
    port: "port of that node",
    username: "user to connect to it as",
  },
  effect: "reads",
  configuration: "examined",
  exitCodes: ["success", "badConfiguration", "nodeStatus"],
  examples: ["-f /etc/repmgr.conf doctor", "doctor --format=json", "doctor -h node1 -U repmgr -d repmgr"],
  checkOptions: ({ format }) => (format === "csv" ? ["doctor has no CSV: use --format=json"] : []),
  run: async (context) => {
    const rows = examineCluster(await gatherDoctorFacts(context));
    const exitCode = rows.some(isProblem) ? exitCodes.nodeStatus : exitCodes.success;
    if (context.format === "json") context.reporter.data(renderDoctorJson(rows, exitCode));
    else showText(context, rows);
    return exitCode satisfies ExitCode;
  },
});

function showText({ reporter, display }: CommandContext, rows: readonly DoctorRow[]): void {
  reporter.data(renderDoctorTable(rows, display.palette));
  const problems = rows.filter(isProblem);
  if (problems.length === 0) return;
  reporter.data("\n");
  const count = problems.length === 1 ? "1 problem was" : `${problems.length} problems were`;
  reporter.warning(`${count} found`, { hint: listRepairs(rows) });
}
