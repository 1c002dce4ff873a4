import { planFollow, type FollowStep } from "../../../decide/follow.js";
import { exitCodes, type ExitCode } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { announceEvent } from "../../../events/announce-event.js";
import { maskConninfo } from "../../../model/conninfo.js";
import { describeNode, nodeId } from "../../../model/node-record.js";
import { isInRecovery } from "../../../postgres/server-state.js";
import { decideStandbyParameters, describeDiscardedRecord } from "../../attach-standby.js";
import { checkVote } from "../../check-vote.js";
import { connectToLocalNode } from "../../connect-local.js";
import { defineCommand, type CommandContext } from "../../define-command.js";
import type { Participants } from "../../gather-attachment.js";
import { runInterruptibly } from "../../interruption.js";
import { markRun } from "../../marked-run.js";
import { buildRecloneCommand } from "../../reclone-command.js";
import { reportProblems } from "../../report-problems.js";
import { carryOutFollowStep, startStoppedStandby } from "./execute.js";
import { findParticipants, gatherFollowFacts } from "./gather.js";

export const standbyFollow = defineCommand({
  name: "standby follow",
  summary: "make this running standby stream from the primary, or from another node",
  options: {
    "dry-run": "check the prerequisites and show what would be done",
    "upstream-node-id": "node to follow (default: the current primary)",
    wait: "wait for a primary to appear, at most primary_follow_timeout",
  },
  effect: "changes",
  configuration: "required",
  exitCodes: ["success", "badConfiguration", "noRestart", "databaseConnection", "followFailed"],
  examples: ["standby follow", "standby follow --upstream-node-id=2"],
  run: async (context, options): Promise<ExitCode> => {
    const { reporter, settings } = context;
    const marked = await markRun(context, "standby follow");
    if (marked.goesOn && !options["dry-run"]) await startStoppedStandby(context);
    const local = await connectToLocalNode(context);
    if (!(await isInRecovery(local))) {
      throw new UserError(exitCodes.badConfiguration, {
        message: "this node should be a standby",
        detail: "the server is not in recovery",
        hint: 'a former primary returns with "node rejoin"',
      });
    }
    const upstream = options["upstream-node-id"];
    const participants = await findParticipants(context, local, {
      upstreamNodeId: upstream === undefined ? null : nodeId(upstream),
      waitMs: options.wait === undefined ? 0 : settings.primary_follow_timeout,
    });
    const facts = await gatherFollowFacts(context, local, participants);
    const plan = planFollow(facts, {
      useReplicationSlots: settings.use_replication_slots,
      parameters: await decideStandbyParameters(context, participants),
      restarts: settings.standby_follow_restart,
      recloneCommand: buildRecloneCommand(context, participants.target),
    });
    if (plan.kind === "refused") return reportProblems(reporter, plan.problems, exitCodes.followFailed);
    const { systemIdentifier } = facts.attach.local;
    const older = await checkVote(context, { ...participants, systemIdentifier }, "follow");
    if (older !== null) return reportProblems(reporter, [older], exitCodes.followFailed);
    const { message, ...continuation } = plan.finding;
    reporter.info(message, continuation);
    if (options["dry-run"]) {
      for (const step of plan.steps) reporter.info(`would ${describeStep(step, participants)}`);
      reporter.info("prerequisites for executing STANDBY FOLLOW are met");
      return exitCodes.success;
    }
    return marked.during(() => carryOut(context, { ...participants, facts }, plan.steps));
  },
});

async function carryOut(
  context: CommandContext,
  following: Parameters<typeof carryOutFollowStep>[1],
  steps: readonly FollowStep[],
): Promise<ExitCode> {
  const { own, target, primaryDatabase } = following;
  const { reporter } = context;
  const event = {
    event: "standby_follow",
    nodeId: own.nodeId,
    subject: { nodeId: target.nodeId, nodeName: target.nodeName, conninfo: target.conninfo },
  } as const;
  const details = `standby attached to upstream node ${describeNode(target)}`;
  const isFollowing = steps.every(({ kind }) => kind === "drop-former-slot");
  if (isFollowing) reporter.notice("this node follows that upstream already", { detail: details });
  if (steps.length === 0) return exitCodes.success;
  try {
    await runInterruptibly(
      context,
      {
        command: "standby follow",
        exitCode: exitCodes.followFailed,
        steps,
        describe: (step) => describeStep(step, following),
      },
      (step) => carryOutFollowStep(context, following, step),
    );
  } catch (error) {
    if (!(error instanceof UserError) || context.interrupted.aborted) throw error;
    reporter.notice("STANDBY FOLLOW failed");
    await announceEvent(context, { ...event, successful: false, details: error.message }, primaryDatabase);
    throw error;
  }
  if (isFollowing) return exitCodes.success;
  await announceEvent(context, { ...event, successful: true, details }, primaryDatabase);
  reporter.notice("STANDBY FOLLOW successful", { detail: details });
  return exitCodes.success;
}

function describeStep(step: FollowStep, { target }: Participants): string {
  switch (step.kind) {
    case "create-slot":
      return `create replication slot "${step.name}" on node ${describeNode(target)}`;
    case "write-configuration":
      return `write primary_conninfo = '${maskConninfo(step.parameters.get("primary_conninfo") ?? "")}' into postgresql.auto.conf`;
    case "apply-configuration":
      return `${step.by} this server`;
    case "discard-incomplete-record":
      return `stop this server and ${describeDiscardedRecord(step.record)}`;
    case "record-upstream":
      return `record node ${step.record.upstreamNodeId} as the upstream of this node`;
    case "await-attachment":
      return `wait until this node streams from node ${describeNode(target)}`;
    case "drop-former-slot":
      return `drop replication slot "${step.name}" on node ${describeNode(step.upstream)}`;
  }
}
