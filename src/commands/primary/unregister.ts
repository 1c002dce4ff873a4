import { chooseTarget } from "../../decide/unregister.js";
import { planPrimaryUnregistration } from "../../decide/unregister-primary.js";
import { exitCodes, type ExitCode } from "../../errors/exit-codes.js";
import { UserError } from "../../errors/user-error.js";
import { describeNode, nodeId } from "../../model/node-record.js";
import { awaitMembership } from "../await-membership.js";
import { connectToLocalNode } from "../connect-local.js";
import { connectToRegisteredPrimary } from "../connect-primary.js";
import { defineCommand } from "../define-command.js";
import { readNodeRecords } from "../read-node-records.js";
import { readServerRole } from "../read-server-role.js";
import { reportProblems, reportWarnings } from "../report-problems.js";
import { announceDryRun, readTargetRequest, removeRecord } from "../unregister-node.js";

export const primaryUnregister = defineCommand({
  name: "primary unregister",
  summary: "remove the record of an inactive primary",
  options: {
    "dry-run": "check the prerequisites and show what would be done",
    force: "remove the record of a node that is active, or that runs as a standby",
    "node-id": "node to unregister (default: the registered primary)",
  },
  effect: "changes",
  configuration: "required",
  exitCodes: ["success", "badConfiguration", "databaseConnection", "databaseQuery", "registrationSync"],
  examples: ["primary unregister --node-id=1 --dry-run"],
  run: async (context, options): Promise<ExitCode> => {
    const { reporter, settings } = context;
    const local = await connectToLocalNode(context);
    const localRecords = await readNodeRecords(context, local);
    const localId = nodeId(settings.node_id);
    const executing = localRecords.find((record) => record.nodeId === localId);
    if (executing === undefined) throw new UserError(exitCodes.badConfiguration, localRecordMissing(localId));
    const primary = await connectToRegisteredPrimary(context, localRecords, {
      noPrimaryCode: exitCodes.databaseConnection,
    });

    const records = await readNodeRecords(context, primary.database);
    const choice = chooseTarget(records, readTargetRequest(options), primary.record.nodeId);
    if (choice.kind === "unknown") return reportProblems(reporter, [choice.problem]);
    const { target } = choice;
    const targetRole = await readServerRole(context, target);
    const facts = { records, registeredPrimaryId: primary.record.nodeId, target, targetRole };
    const decision = planPrimaryUnregistration(facts, { force: options.force });
    if (decision.kind === "refused") return reportProblems(reporter, decision.problems);
    reportWarnings(reporter, decision.warnings);
    if (options["dry-run"]) return announceDryRun(reporter, target);

    const from = target.nodeId === localId ? "" : ` from node ${describeNode(executing)}`;
    await removeRecord(context, primary.database, {
      target,
      event: "primary_unregister",
      eventNodeId: localId,
      details: `node ${describeNode(target)} unregistered${from}`,
      failureCode: exitCodes.databaseQuery,
    });
    reporter.info(`node ${describeNode(target)} was successfully unregistered`);
    return awaitMembership(context, primary.database, { before: records, force: options.force });
  },
});

const localRecordMissing = (localId: number): { message: string; detail: string; hint: string } => ({
  message: "unable to retrieve record for local node",
  detail: `local node id is ${localId}`,
  hint: 'check with "cluster show" that this node was correctly registered',
});
