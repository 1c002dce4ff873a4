import { chooseTarget } from "../../decide/unregister.js";
import { planWitnessUnregistration } from "../../decide/unregister-witness.js";
import { exitCodes, type ExitCode } from "../../errors/exit-codes.js";
import { UserError } from "../../errors/user-error.js";
import { parseConninfo } from "../../model/conninfo.js";
import { describeNode, nodeId } from "../../model/node-record.js";
import { ConnectionError } from "../../postgres/connection-error.js";
import type { Database } from "../../postgres/database.js";
import { isInRecovery } from "../../postgres/server-state.js";
import { awaitMembership } from "../await-membership.js";
import { openDatabase, openDatabaseOrFail } from "../connect-local.js";
import { connectToTruePrimary } from "../connect-primary.js";
import { defineCommand, type CommandContext } from "../define-command.js";
import { readNodeRecords } from "../read-node-records.js";
import { reportProblems, reportWarnings } from "../report-problems.js";
import { announceDryRun, readTargetRequest, removeRecord } from "../unregister-node.js";
import { primaryConninfo } from "./primary-connection.js";

export const witnessUnregister = defineCommand({
  name: "witness unregister",
  summary: "remove the record of a witness",
  options: {
    "dry-run": "check the prerequisites and show what would be done",
    force: "with connection options of the primary: also while the witness is down",
    "node-id": "witness to unregister (default: this node)",
    "node-name": "witness to unregister, by its name",
    dbname: "database of the primary, or its connection string",
    host: "host of the primary",
    port: "port of the primary",
    username: "user on the primary",
  },
  effect: "changes",
  configuration: "required",
  exitCodes: ["success", "badConfiguration", "databaseConnection", "registrationSync"],
  examples: ["witness unregister --node-id=4", "witness unregister --force -h node1"],
  run: async (context, options): Promise<ExitCode> => {
    const { reporter, settings } = context;
    const isNamed = options["node-id"] !== undefined || options["node-name"] !== undefined;
    const primary = await connectToPrimary(context, { force: options.force, isNamed });
    const records = await readNodeRecords(context, primary);
    const choice = chooseTarget(records, readTargetRequest(options), nodeId(settings.node_id));
    if (choice.kind === "unknown") return reportProblems(reporter, [choice.problem]);
    const { target } = choice;
    const decision = planWitnessUnregistration({ records, target });
    if (decision.kind === "refused") return reportProblems(reporter, decision.problems);
    reportWarnings(reporter, decision.warnings);
    if (options["dry-run"]) {
      reporter.info("prerequisites for unregistering the witness node are met");
      return announceDryRun(reporter, target);
    }

    reporter.info(`unregistering witness node ${target.nodeId}`);
    await removeRecord(context, primary, {
      target,
      event: "witness_unregister",
      eventNodeId: target.nodeId,
      details: "witness unregistration succeeded",
      failureCode: exitCodes.badConfiguration,
    });
    reporter.info("witness unregistration complete", {
      detail: `witness node with ID ${target.nodeId} successfully unregistered`,
    });
    return awaitMembership(context, primary, { before: records, force: options.force });
  },
});

interface Permission {
  readonly force: boolean;
  /** The witness was named on the command line: the reference looks it up on the local server first. */
  readonly isNamed: boolean;
}

async function connectToPrimary(context: CommandContext, permission: Permission): Promise<Database> {
  const { reporter, settings, connection } = context;
  const name = describeNode({ nodeId: nodeId(settings.node_id), nodeName: settings.node_name });
  reporter.info(`connecting to node ${name}`);
  let local: Database;
  try {
    local = await openDatabase(context, parseConninfo(settings.conninfo));
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    const { force, isNamed } = permission;
    const mayGoOn = force && (connection.size > 0 || !isNamed);
    const exitCode = isNamed ? exitCodes.databaseConnection : exitCodes.badConfiguration;
    if (!mayGoOn) throw new UserError(exitCode, localDown(name, error), error);
    reporter.notice(
      `unable to connect to witness node ${name}, removing node record on cluster primary only`,
    );
    return connectAsTold(context);
  }
  if (connection.size > 0) {
    reporter.warning("database connection parameters are not needed, the local node is running", {
      hint: "they are used only for a witness that is down",
    });
  }
  return (await connectToTruePrimary(context, await readNodeRecords(context, local))).database;
}

const localDown = (
  name: string,
  error: ConnectionError,
): { message: string; detail: string; hint: string } => ({
  message: `unable to connect to node ${name}`,
  detail: error.message,
  hint: "for a witness that is down, provide primary connection parameters and use option -F/--force",
});

async function connectAsTold(context: CommandContext): Promise<Database> {
  const hint = "provide connection details for the primary server";
  if (context.connection.size === 0)
    throw new UserError(exitCodes.badConfiguration, { message: "unable to connect to primary", hint });
  const primary = await openDatabaseOrFail(context, primaryConninfo(context), {
    exitCode: exitCodes.badConfiguration,
    message: "unable to connect to primary",
    hint,
  });
  if (!(await isInRecovery(primary))) return primary;
  throw new UserError(exitCodes.badConfiguration, {
    message: "the connection parameters lead to a standby",
    detail: "the node record can be removed on the primary only",
    hint,
  });
}
