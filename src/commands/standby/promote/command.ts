import { planPromotion, type PromotionStep } from "../../../decide/promote.js";
import { judgeServerVersion } from "../../../decide/schema.js";
import { exitCodes, type ExitCode } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { findNode } from "../../../metadata/nodes.js";
import { readSchemaState } from "../../../metadata/schema-state.js";
import { describeNode, nodeId, type NodeId, type NodeRecord } from "../../../model/node-record.js";
import type { Database } from "../../../postgres/database.js";
import { isInRecovery } from "../../../postgres/server-state.js";
import {
  buildServerCommand,
  configuredCommand,
  controlDirectory,
} from "../../../postgres/service-control.js";
import { connectToLocalNode } from "../../connect-local.js";
import { defineCommand, type CommandContext } from "../../define-command.js";
import { markRun, type MarkedRun } from "../../marked-run.js";
import { pausePoolers, rehearsePoolers } from "../../poolers.js";
import { reportProblems, reportWarnings } from "../../report-problems.js";
import { carryOutPromotion } from "./execute.js";
import { gatherPromotionFacts } from "./gather.js";
import { collectVotes, isSynchronousByHand } from "./synchronous.js";

export const standbyPromote = defineCommand({
  name: "standby promote",
  summary: "make this standby the primary, when no primary is alive",
  options: {
    "dry-run": "check the prerequisites and show what would be done",
    force:
      "promote even if siblings cannot be reached or there is no room for them; a primary that is alive is never overruled",
    "siblings-follow": "let the other standbys and the witness of the old primary follow this one",
    "remote-user": "user to log in with on the hosts of the siblings",
  },
  effect: "changes",
  configuration: "required",
  exitCodes: ["success", "badConfiguration", "databaseConnection", "databaseQuery", "promotionFailed"],
  examples: ["standby promote --dry-run", "standby promote --siblings-follow"],
  run: async (context, options): Promise<ExitCode> => {
    const { reporter, settings } = context;
    const local = await connectToLocalNode(context);
    const marked = await markRun(context, "standby promote");
    const { own, isPromoted } = await requireStandby(context, local, marked);
    const facts = await gatherPromotionFacts(context, {
      local,
      own,
      isPromoted,
      siblingsFollow: options["siblings-follow"],
    });
    const plan = planPromotion(facts, {
      configuredCommand: configuredCommand(settings, "promote"),
      controlCommand: buildServerCommand(settings, "promote", { directory: controlDirectory(settings) }),
      force: options.force,
    });
    if (plan.kind === "refused") {
      const exitCode = facts.livePrimary === null ? exitCodes.badConfiguration : exitCodes.promotionFailed;
      return reportProblems(reporter, plan.problems, exitCode);
    }
    reportWarnings(reporter, plan.warnings);
    if (options["dry-run"]) {
      reporter.info(isPromoted ? STANDBY_IN_RECORD : "node is a standby");
      reporter.info("no active primary server found in this replication cluster");
      for (const step of plan.steps) reporter.info(describeStep(step));
      await rehearsePoolers(context, own.conninfo);
      reporter.info("prerequisites for executing STANDBY PROMOTE are met");
      return exitCodes.success;
    }
    if (isPromoted) reporter.info(STANDBY_IN_RECORD);
    if (!isPromoted && isSynchronousByHand(context)) {
      const problem = await collectVotes(context, local, own);
      if (problem !== null && !options.force)
        return reportProblems(reporter, [problem], exitCodes.promotionFailed);
      if (problem !== null)
        reporter.warning(problem.message, problem.detail === undefined ? {} : { detail: problem.detail });
    }
    const poolers = await pausePoolers(context);
    await marked.during(() => carryOutPromotion(context, { local, own, steps: plan.steps, poolers }));
    return exitCodes.success;
  },
});

const STANDBY_IN_RECORD = "this server is promoted already, but its record does not say so";

/** What was promoted, but is not recorded as the primary, counts as one: an earlier run did not come to its end. */
async function requireStandby(
  context: CommandContext,
  local: Database,
  { goesOn }: Pick<MarkedRun, "goesOn">,
): Promise<{ readonly own: NodeRecord; readonly isPromoted: boolean }> {
  const tooOld = judgeServerVersion(local.serverVersion);
  if (tooOld !== null) throw new UserError(exitCodes.badConfiguration, tooOld);
  const id = nodeId(context.settings.node_id);
  const isPromoted = !(await isInRecovery(local));
  const own = isPromoted ? await findNodeIfAny(local, id) : await findNode(local, id);
  const isRecorded = own?.type === "primary" && own.active;
  if (isPromoted && (own === null || (isRecorded && !goesOn))) {
    throw new UserError(exitCodes.promotionFailed, {
      message: "STANDBY PROMOTE can only be executed on a standby node",
      detail: "this server is not in recovery",
    });
  }
  if (own !== null) return { own, isPromoted };
  throw new UserError(exitCodes.databaseQuery, {
    message: `no record found for this node (ID: ${id})`,
    hint: 'register it with "standby register" as long as the primary is there, or check "node_id"',
  });
}

/** A server that is no standby may have no metadata at all. */
async function findNodeIfAny(database: Database, id: NodeId): Promise<NodeRecord | null> {
  const { exists, missingColumns } = await readSchemaState(database);
  return exists && missingColumns.length === 0 ? findNode(database, id) : null;
}

function describeStep(step: PromotionStep): string {
  if (step.kind === "record-primary")
    return `node records would be updated: node ${step.node} is the primary`;
  if (step.kind === "follow")
    return `STANDBY FOLLOW would be executed on ${step.siblings.map((node) => `node ${describeNode(node)}`).join(", ")}`;
  return step.method.kind === "function"
    ? 'node will be promoted using the "pg_promote()" function'
    : `node will be promoted using command "${step.method.command}"`;
}
