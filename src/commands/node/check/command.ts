import { checkStatuses, type CheckFinding } from "../../../decide/node-check-findings.js";
import { exitCodes, type ExitCode } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import type { Conninfo } from "../../../model/conninfo.js";
import type { NodeType } from "../../../model/node-record.js";
import { defineCommand, type CommandContext } from "../../define-command.js";
import type { OptionValues } from "../../option-table.js";
import { gatherReplicationFacts } from "../status/gather.js";
import { runCheck, runOverview, serverCheckNames, type ServerCheckName } from "./checks.js";
import {
  connectForCheck,
  localConninfo,
  tryDatabaseConnection,
  tryReplicationConnection,
} from "./connection.js";
import {
  renderCheckNagios,
  renderCheckText,
  renderOptions,
  renderOverviewCsv,
  renderOverviewOptions,
  renderOverviewText,
} from "./render.js";
import { renderNodeCheckJson } from "./render-json.js";

type CheckOption = ServerCheckName | "has-passfile" | "replication-connection" | "db-connection";

type Options = OptionValues<CheckOption | "superuser" | "quiet" | "remote-node-id">;

export const nodeCheck = defineCommand({
  name: "node check",
  summary:
    "check this node, as a whole or in one respect; a single check exits with 0 to 3 as Nagios expects",
  options: {
    "archive-ready": "number of WAL files that wait to be archived",
    upstream: "whether this node is attached to its upstream",
    downstream: "whether all standbys of this node are attached",
    "replication-lag": "how far replay is behind, in seconds",
    role: "whether the server is what it is registered as, and is ROLE if given: primary, standby or witness",
    slots: "whether all physical replication slots are in use",
    "missing-slots": "whether every standby of this node has its replication slot",
    "data-directory-config": "whether data_directory in repmgr.conf is the server's",
    repmgrd: "whether the daemon of this node is running",
    "replication-config-owner": "whether the replication configuration can be rewritten (with --optformat)",
    "db-connection": "whether a connection to this server can be made",
    "replication-connection": "whether a replication connection to --remote-node-id can be made",
    "has-passfile": "whether password files are understood; they are",
    "remote-node-id": "node for --replication-connection",
    superuser: "connect as this user",
    csv: "emit the overview as CSV",
    nagios: "emit a single check as a line for Nagios",
    optformat: "emit a single check as options, for programs",
    format: "emit output as text, csv or json",
    quiet: "log errors only; with --role=ROLE no output either, only the exit code",
  },
  effect: "reads",
  // Only --has-passfile does without one.
  configuration: "optional",
  exitCodes: ["success", "badConfiguration", "databaseConnection", "nodeStatus"],
  examples: ["node check", "node check --replication-lag --nagios", "-q node check --role=primary"],
  run: async (context, options): Promise<ExitCode> => {
    if (options["has-passfile"]) return exitCodes.success;
    requireConfiguration(context);
    const conninfo = localConninfo(context, options.superuser);
    if (options["replication-connection"]) {
      const outcome = await tryReplicationConnection(context, conninfo, options["remote-node-id"]);
      context.reporter.data(`--connection=${outcome}\n`);
      return showAllGiven(context, conninfo, options);
    }
    if (options["db-connection"]) {
      const finding = await tryDatabaseConnection(context, conninfo);
      refuseFormats(context, "db-connection", ["csv", "nagios"]);
      return showCheck(context, finding);
    }
    const database = await connectForCheck(context, conninfo);
    const checking = { context, database, facts: await gatherReplicationFacts(context, database) };
    const chosen = serverCheckNames.find((name) => isGiven(options, name));
    if (chosen === undefined) {
      if (context.format === "nagios") throw onlySingle(context);
      return showOverview(context, await runOverview(checking));
    }
    refuseFormats(context, chosen, ["csv"]);
    if (chosen === "replication-config-owner") requireOptionFormat(context);
    const expected = readExpectedRole(options);
    const finding = await runCheck(checking, chosen, expected);
    const isSilent = chosen === "role" && expected !== null && options.quiet;
    return isSilent ? exitCodeOf(finding) : showCheck(context, finding);
  },
});

/** A switchover asks everything of one process: a line of options for each check that was given besides. */
async function showAllGiven(
  context: CommandContext,
  conninfo: Conninfo,
  options: Options,
): Promise<ExitCode> {
  const given = serverCheckNames.filter((name) => isGiven(options, name));
  if (context.format !== "optformat" || given.length === 0) return exitCodes.success;
  const database = await connectForCheck(context, conninfo);
  const checking = { context, database, facts: await gatherReplicationFacts(context, database) };
  for (const name of given)
    context.reporter.data(renderOptions(await runCheck(checking, name, readExpectedRole(options))));
  return exitCodes.success;
}

function requireConfiguration({ configFile }: CommandContext): void {
  if (configFile !== null) return;
  throw new UserError(exitCodes.badConfiguration, {
    message: "no configuration file was found",
    hint: "provide the file of this node with -f/--config-file",
  });
}

const isGiven = (options: Options, name: ServerCheckName): boolean =>
  options[name] !== false && options[name] !== undefined;

const readExpectedRole = ({ role }: Options): NodeType | null =>
  typeof role === "string" ? (role as NodeType) : null;

const exitCodeOf = ({ status }: CheckFinding): ExitCode => checkStatuses.indexOf(status) as ExitCode;

function refuseFormats(
  { format }: CommandContext,
  check: CheckOption,
  formats: readonly CommandContext["format"][],
): void {
  if (!formats.includes(format)) return;
  throw new UserError(exitCodes.badConfiguration, {
    message: `--${format} output not provided with --${check} option`,
    hint: "use --format=json for programs",
  });
}

/** The reference's rule; JSON is an addition and free of it. */
function requireOptionFormat({ format }: CommandContext): void {
  if (format === "optformat" || format === "json") return;
  throw new UserError(exitCodes.badConfiguration, {
    message: "--replication-config-owner option can only be used with --optformat",
  });
}

const onlySingle = ({ environment }: CommandContext): UserError =>
  new UserError(exitCodes.badConfiguration, {
    message: "--nagios can only be used with a specific check",
    hint: `execute "${environment.programName} node check --help" for details`,
  });

const ownNode = ({ settings }: CommandContext): { readonly id: number; readonly name: string } => ({
  id: settings.node_id,
  name: settings.node_name,
});

function showCheck(context: CommandContext, finding: CheckFinding): ExitCode {
  const { format, reporter } = context;
  const exitCode = exitCodeOf(finding);
  if (format === "json") reporter.data(renderNodeCheckJson(ownNode(context), [finding], exitCode));
  else if (format === "nagios") reporter.data(renderCheckNagios(finding) ?? renderCheckText(finding));
  else if (format === "optformat") reporter.data(renderOptions(finding));
  else reporter.data(renderCheckText(finding));
  return exitCode;
}

function showOverview(context: CommandContext, findings: readonly CheckFinding[]): ExitCode {
  const { format, reporter } = context;
  const node = ownNode(context);
  const exitCode = findings.every(({ status }) => status === "OK") ? exitCodes.success : exitCodes.nodeStatus;
  if (format === "json") reporter.data(renderNodeCheckJson(node, findings, exitCode));
  else if (format === "csv") reporter.data(renderOverviewCsv(node, findings));
  else if (format === "optformat") reporter.data(renderOverviewOptions(node, findings));
  else reporter.data(renderOverviewText(node, findings));
  return exitCode;
}
