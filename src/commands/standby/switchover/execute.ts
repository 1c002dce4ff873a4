import { judgeReception, type ShutdownReport } from "../../../decide/switchover.js";
import { DatabaseError } from "../../../errors/database-error.js";
import { exitCodes, type ExitCode } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { removeSwitchoverTrace, storeSwitchoverTrace } from "../../../metadata/switchover-trace.js";
import { formatLsn, type Lsn } from "../../../model/lsn.js";
import { describeNode } from "../../../model/node-record.js";
import type { Problem } from "../../../model/problem.js";
import type { Database } from "../../../postgres/database.js";
import { readReplayState } from "../../../postgres/replay-state.js";
import { ConnectionError } from "../../../postgres/connection-error.js";
import type { CommandContext } from "../../define-command.js";
import { pausePoolers, type PausedPoolers } from "../../poolers.js";
import { problemOf } from "../../remote-program.js";
import { setDaemonPaused } from "./daemons.js";
import { attachEverybody } from "./finish.js";
import { preparePromotion, promoteHere, settlePromotion, type PromotionReadiness } from "./promote-here.js";
import { stopPrimary } from "./remote-primary.js";
import { stepOf, type Switchover } from "./switchover.js";
import { abandonSwitchover, announceSwitchover, unpauseDaemons } from "./undo.js";

const POLL_MS = 20;

/**
 * Carries out what is left of a switchover. Ctrl-C is heard until the promotion, and takes everything back; from then on
 * there is only the way forward. Whatever happens the daemons are unpaused. Throws UserError.
 */
export async function carryOutSwitchover(
  context: CommandContext,
  order: Omit<Switchover, "unpause">,
): Promise<ExitCode> {
  // Sessions and waits of the steps must outlive an interruption, which would otherwise end the undoing as well.
  const steady: CommandContext = { ...context, interrupted: new AbortController().signal };
  const nodes = stepOf(order, "unpause-daemons")?.nodes ?? [];
  let unpausing: Promise<void> | null = null;
  const unpause = (): Promise<void> => (unpausing ??= unpauseDaemons(steady, order.records, nodes));
  try {
    return await carryOutSteps(steady, { ...order, unpause }, context.interrupted);
  } finally {
    await unpause();
  }
}

async function carryOutSteps(
  context: CommandContext,
  switchover: Switchover,
  interrupted: AbortSignal,
): Promise<ExitCode> {
  const { readiness, poolers, isBehind } =
    switchover.progress === "promoted"
      ? {
          readiness: await preparePromotion(context, switchover),
          poolers: await pausePoolers(context),
          isBehind: false,
        }
      : await demotePrimary(context, switchover, interrupted);
  const database = await promoteHere(context, switchover, { ...readiness, poolers });
  return complete(context, switchover, { database, isBehind });
}

interface Demotion {
  readonly readiness: PromotionReadiness;
  /** Their clients wait; they go on by themselves when this command ends without a new primary. */
  readonly poolers: PausedPoolers;
  /** The old primary wrote WAL that this node has not. */
  readonly isBehind: boolean;
}

/** Up to the moment when this node may be promoted. Throws UserError when everything has been taken back. */
async function demotePrimary(
  context: CommandContext,
  switchover: Switchover,
  interrupted: AbortSignal,
): Promise<Demotion> {
  const isResumed = switchover.progress === "primary-stopped";
  let wasStopped = false;
  try {
    const readiness = await preparePromotion(context, switchover);
    if (!isResumed) await begin(context, switchover);
    interrupted.throwIfAborted();
    const poolers = await pausePoolers(context);
    interrupted.throwIfAborted();
    wasStopped = true;
    const report = await stop(context, switchover, interrupted);
    const isBehind = await awaitReception(context, switchover, { report, interrupted });
    interrupted.throwIfAborted();
    return { readiness, poolers, isBehind };
  } catch (error) {
    const reason = reasonOf(error, interrupted);
    if (reason === null) throw error;
    // The run that was cut off may have asked for the promotion already.
    if (isResumed) return settlePromotion(context, switchover, reason);
    throw await abandonSwitchover(context, switchover, { reason, wasStopped });
  }
}

/** Null for a bug. */
function reasonOf(error: unknown, interrupted: AbortSignal): Problem | null {
  if (interrupted.aborted && error === interrupted.reason)
    return { message: "the switchover was interrupted" };
  const isOfWorld =
    error instanceof UserError || error instanceof DatabaseError || error instanceof ConnectionError;
  return isOfWorld ? problemOf(error) : null;
}

async function begin(context: CommandContext, switchover: Switchover): Promise<void> {
  const { reporter } = context;
  const { own, primary, primaryDatabase, trace, rules } = switchover;
  if (primaryDatabase !== null) await storeSwitchoverTrace(primaryDatabase, trace);
  reporter.notice(
    `local node ${describeNode(own)} will be promoted to primary; current primary ${describeNode(primary)} will be demoted to standby`,
  );
  const pause = stepOf(switchover, "pause-daemons");
  if (pause === null) return;
  reporter.notice(`pausing repmgrd on ${pause.nodes.length} of ${switchover.records.length} nodes`);
  const failures = await Promise.all(
    pause.nodes.map(async (record) => {
      const reason = await setDaemonPaused(context, record, true);
      return reason === null ? [] : [`node ${describeNode(record)}: ${reason}`];
    }),
  );
  const detail = failures.flat().join("\n");
  if (detail === "") return;
  if (!rules.force) {
    throw new UserError(exitCodes.switchoverFailed, {
      message: "unable to pause all daemons",
      detail,
      hint: "a daemon that is not paused may start a failover; use -F/--force to continue all the same",
    });
  }
  reporter.warning("unable to pause all daemons", { detail });
}

async function stop(
  context: CommandContext,
  switchover: Switchover,
  interrupted: AbortSignal,
): Promise<ShutdownReport> {
  const { reporter } = context;
  const { primary, rules, progress } = switchover;
  reporter.notice(`stopping current primary node ${describeNode(primary)}`);
  const { superuser, shutdownTimeoutMs: timeoutMs } = rules;
  const command = stepOf(switchover, "stop-primary")?.command ?? "";
  if (progress === "not-begun")
    reporter.notice(
      "issuing CHECKPOINT",
      command === "" ? {} : { detail: `executing server command "${command}"` },
    );
  const seconds = Math.ceil(timeoutMs / 1000);
  reporter.info(`checking for primary shutdown; 1 of ${seconds} attempts ("shutdown_check_timeout")`);
  const report = await stopPrimary(
    context,
    { primary, superuser, timeoutMs, isResumed: progress !== "not-begun" },
    interrupted,
  );
  if (report.kind === "SHUTDOWN") {
    reporter.notice(
      `current primary has been cleanly shut down at location ${formatLsn(report.checkpointLsn)}`,
    );
  }
  return report;
}

/** True when the old primary wrote WAL that this node has not, and it is to be promoted all the same. Throws UserError. */
async function awaitReception(
  { clock, settings, reporter }: CommandContext,
  { local, primary, rules }: Switchover,
  { report, interrupted }: { readonly report: ShutdownReport; readonly interrupted: AbortSignal },
): Promise<boolean> {
  const timeoutMs = settings.wal_receive_check_timeout;
  const begun = clock.monotonic();
  for (;;) {
    const { received, replayed } = await readReplayState(local);
    const verdict = judgeReception(report, {
      primary,
      reachedLsn: furthest(received, replayed),
      waitedMs: clock.monotonic() - begun,
      timeoutMs,
      force: rules.force,
      alwaysPromote: rules.alwaysPromote,
    });
    if (verdict.kind === "abort") throw new UserError(exitCodes.switchoverFailed, verdict.problem);
    if (verdict.kind === "promote") {
      if (verdict.isBehind)
        reporter.warning(`this node did not receive all WAL of node ${describeNode(primary)}`);
      return verdict.isBehind;
    }
    await clock.sleep(POLL_MS, interrupted);
  }
}

const furthest = (received: Lsn | null, replayed: Lsn | null): Lsn | null =>
  received === null || (replayed !== null && replayed > received) ? replayed : received;

/** From here on the new primary is there: what fails is left to do. */
async function complete(
  context: CommandContext,
  switchover: Switchover,
  promoted: { readonly database: Database; readonly isBehind: boolean },
): Promise<ExitCode> {
  const { reporter } = context;
  const { own, primary, rules } = switchover;
  const { database, isBehind } = promoted;
  const isLost = isBehind && !rules.forceRewind;
  const issues = isLost
    ? [
        {
          message: `node ${describeNode(primary)} has WAL that the new primary ${describeNode(own)} never received`,
          hint: `it stays down; to discard that WAL: ${switchover.trace.command} --force-rewind`,
        },
      ]
    : await attachEverybody(context, switchover, promoted);
  await switchover.unpause();
  if (!isLost) await removeTrace(context, database);
  const isComplete = issues.length === 0;
  if (isComplete) {
    const roles = `node ${describeNode(own)} promoted to primary, node ${describeNode(primary)} demoted to standby`;
    reporter.notice(roles);
    await announceSwitchover(context, switchover, { successful: true, details: roles, database });
    reporter.notice("switchover was successful", {
      detail: `node "${own.nodeName}" is now primary and node "${primary.nodeName}" is attached as standby`,
    });
    reporter.notice("STANDBY SWITCHOVER has completed successfully");
    return exitCodes.success;
  }
  for (const { message, ...continuation } of issues) reporter.error(message, continuation);
  const details = `node ${describeNode(own)} promoted to primary, but: ${issues.map(({ message }) => message).join("; ")}`;
  await announceSwitchover(context, switchover, { successful: false, details, database });
  reporter.notice("STANDBY SWITCHOVER has completed with issues", {
    hint: "see preceding log message(s) for details",
  });
  return isLost ? exitCodes.switchoverFailed : exitCodes.switchoverIncomplete;
}

async function removeTrace({ reporter }: CommandContext, database: Database): Promise<void> {
  try {
    await removeSwitchoverTrace(database);
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    reporter.warning("unable to remove the trace of the switchover", { detail: error.message });
  }
}
