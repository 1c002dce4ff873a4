import { planResumption } from "../../../decide/switchover.js";
import { exitCodes, type ExitCode } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { describeNode } from "../../../model/node-record.js";
import type { CommandContext } from "../../define-command.js";
import { problemOf, reachProgram } from "../../remote-program.js";
import type { Order } from "./command.js";
import { describeSwitchoverStep } from "./describe-step.js";
import { carryOutSwitchover } from "./execute.js";
import type { Start } from "./find-start.js";
import { readSiblings } from "./gather.js";
import { unpauseDaemons } from "./undo.js";

/** Carries on where an earlier run was cut off. Throws UserError. */
export async function resumeSwitchover(
  context: CommandContext,
  start: Exclude<Start, { readonly progress: "not-begun" }>,
  { rules, command, isDryRun }: Order,
): Promise<ExitCode> {
  const { reporter } = context;
  const { own, primary, records, progress } = start;
  reporter.notice(`resuming the switchover on node ${describeNode(own)}, which was cut off`, {
    detail:
      progress === "promoted"
        ? `this node is the primary; the old one was node ${describeNode(primary)}`
        : `node ${describeNode(primary)} does not answer as the primary; this node was not promoted yet`,
  });
  try {
    await requireHost(context, start);
  } catch (error) {
    if (!isDryRun) await unpauseDaemons(context, records, start.trace.paused);
    throw error;
  }
  const siblings = await readSiblings(context, start, rules.siblingsFollow);
  const trace = { ...start.trace, command };
  const followed = records.filter(
    ({ nodeId, upstreamNodeId }) => upstreamNodeId === own.nodeId && nodeId !== primary.nodeId,
  );
  const steps = planResumption({ own, siblings, followed, trace, progress }, rules);
  if (!isDryRun) {
    return carryOutSwitchover(context, {
      ...start,
      primaryDatabase: null,
      trace,
      rules,
      steps,
    });
  }
  for (const step of steps) reporter.info(describeSwitchoverStep(step, { own, primary, records }));
  return exitCodes.success;
}

/** How the old primary ended is known on its host only. */
async function requireHost(
  context: CommandContext,
  { primary, progress }: Exclude<Start, { readonly progress: "not-begun" }>,
): Promise<void> {
  try {
    await reachProgram(context, primary);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (progress === "promoted") return;
    const { message, detail, hint } = problemOf(error);
    throw new UserError(exitCodes.switchoverFailed, {
      message: `unable to learn how the old primary ended: ${message}`,
      ...(detail === undefined ? {} : { detail }),
      ...(hint === undefined ? {} : { hint }),
    });
  }
}
