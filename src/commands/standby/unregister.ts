import { chooseTarget } from "../../decide/unregister.js";
import { planStandbyUnregistration } from "../../decide/unregister-standby.js";
import { exitCodes, type ExitCode } from "../../errors/exit-codes.js";
import { UserError } from "../../errors/user-error.js";
import { parseConninfo } from "../../model/conninfo.js";
import { nodeId, type NodeRecord } from "../../model/node-record.js";
import { ConnectionError } from "../../postgres/connection-error.js";
import type { Database } from "../../postgres/database.js";
import { readReplicationSlot } from "../../postgres/replication-slots.js";
import { readAttachment } from "../../postgres/server-state.js";
import { awaitMembership } from "../await-membership.js";
import { openDatabase } from "../connect-local.js";
import { connectToTruePrimary } from "../connect-primary.js";
import { defineCommand, type CommandContext } from "../define-command.js";
import { readNodeRecords } from "../read-node-records.js";
import { reportProblems, reportWarnings } from "../report-problems.js";
import { announceDryRun, readTargetRequest, removeRecord } from "../unregister-node.js";

export const standbyUnregister = defineCommand({
  name: "standby unregister",
  summary: "remove the record of a standby",
  options: {
    "dry-run": "check the prerequisites and show what would be done",
    force: "take it for done although half of the nodes do not know of it",
    "node-id": "standby to unregister (default: this node)",
    "node-name": "standby to unregister, by its name",
  },
  effect: "changes",
  configuration: "required",
  exitCodes: ["success", "badConfiguration", "databaseConnection", "registrationSync"],
  examples: ["standby unregister", "standby unregister --node-name=node3"],
  run: async (context, options): Promise<ExitCode> => {
    const { reporter, settings } = context;
    reporter.info("connecting to local standby");
    const local = await connectToOwnServer(context);
    reporter.info("connecting to primary database");
    const localRecords = await readNodeRecords(context, local);
    const { database: primary } = await connectToTruePrimary(context, localRecords);

    const records = await readNodeRecords(context, primary);
    const choice = chooseTarget(records, readTargetRequest(options), nodeId(settings.node_id));
    if (choice.kind === "unknown") return reportProblems(reporter, [choice.problem]);
    const { target } = choice;
    const decision = planStandbyUnregistration({ records, target, ...(await readRemains(primary, target)) });
    if (decision.kind === "refused") return reportProblems(reporter, decision.problems);
    reportWarnings(reporter, decision.warnings);
    if (options["dry-run"]) return announceDryRun(reporter, target);

    reporter.notice(`unregistering node ${target.nodeId}`);
    await removeRecord(context, primary, {
      target,
      event: "standby_unregister",
      eventNodeId: target.nodeId,
      details: null,
      failureCode: exitCodes.badConfiguration,
    });
    reporter.info("standby unregistration complete");
    return awaitMembership(context, primary, { before: records, force: options.force });
  },
});

async function connectToOwnServer(context: CommandContext): Promise<Database> {
  const { settings } = context;
  try {
    return await openDatabase(context, parseConninfo(settings.conninfo));
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    const hint = `a standby that is down is unregistered on another node: "standby unregister --node-id=${settings.node_id}"`;
    const problem = { message: "connection to database failed", detail: error.message, hint };
    throw new UserError(exitCodes.databaseConnection, problem, error);
  }
}

async function readRemains(
  primary: Database,
  { nodeName, slotName }: NodeRecord,
): Promise<{ readonly isAttached: boolean; readonly slotName: string | null }> {
  const { attached } = await readAttachment(primary, nodeName);
  const slot = slotName === null ? null : await readReplicationSlot(primary, slotName);
  return { isAttached: attached, slotName: slot === null ? null : slotName };
}
