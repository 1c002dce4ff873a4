import {
  awaitsOwnServer,
  beaconOf,
  isElecting,
  isUrgent,
  startState,
  watchedUpstream,
} from "../decide/transitions.js";
import { untilBeatMs } from "../decide/beat.js";
import { leasePace } from "../decide/lease.js";
import type { DaemonState } from "../decide/watch-types.js";
import type { ServerLook } from "../coordination/look-at-server.js";
import { exitCodes, type ExitCode } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";
import { describeNode, type NodeId } from "../model/node-record.js";
import type { DaemonMemory } from "../model/vote.js";
import { createBrain, type Brain } from "./brain.js";
import { createHands } from "./carry-out.js";
import { createChores, LOOKS_AT_FILES_EVERY_MS } from "./chores.js";
import { createDoubleWatch } from "./double-watch.js";
import { createGuardNotes } from "./guard-note.js";
import { lookAtOwnServer, publish } from "./heartbeat.js";
import {
  createHistories,
  toMembership,
  toPeerSessions,
  toServerReport,
} from "../coordination/member-answers.js";
import { createManualFollower } from "./manual-follower.js";
import { createLatePoolers } from "./late-poolers.js";
import { createMemoryKeeper } from "./memory-keeper.js";
import { changePause, takePauseNote, takePauseWish } from "./pause-note.js";
import { createPresence } from "./presence.js";
import { createReceiverPause } from "./receiver-pause.js";
import { createLossNotice } from "./notice-loss.js";
import { describeStop } from "./describe-stop.js";
import { reportStatus, reportTransition } from "./report-transition.js";
import { ownRecord, type Runtime } from "./runtime.js";
import { reportBug, startLoop, type Loop } from "./start-loop.js";
import { createStandbyArming } from "./starts-as-standby.js";
import { createSynchronousMode } from "./synchronous-mode.js";
import { createUpstreamChecker } from "./upstream-checker.js";

const URGENT_MS = 100;
const ELECTING_MS = 50;
const LOOK_EVERY_MS = 1000;
/** So long after its loss a server is expected back: whoever restarts it may wait for this daemon. */
const RESTART_MS = 15_000;
/** After its server came back: so long the log with what was asked meanwhile may take. */
const WISHES_FOR_MS = 15_000;

/** Watches and acts until a signal ends it. Throws UserError (code 9) when degraded_monitoring_timeout is over. */
export async function monitor(runtime: Runtime): Promise<ExitCode> {
  const { context, memory, events } = runtime;
  const { clock, interrupted, signals, reporter } = context;
  const histories = createHistories(context);
  const initial = startState(runtime.ownId, {
    memory: memory.forgottenBecause === null ? toDaemonMemory(memory.state()) : null,
    leaseSeed: Math.floor(Math.random() * 1_000_000_000),
    settings: context.settings(),
    now: clock.monotonic(),
  });
  let looks: Loop | null = null;
  let hastened: readonly Loop[] = [];
  /** The look at the own server, the ticks, and who is waited for: they are faster in some states. */
  const hasten = (): void => {
    for (const loop of hastened) loop.wake();
  };
  const receiver = createReceiverPause(runtime);
  const synchronous = createSynchronousMode(runtime);
  const arming = createStandbyArming(context);
  const double = createDoubleWatch(runtime);
  const tellManual = createManualFollower(runtime);
  const hands = createHands(runtime, { histories, brain: () => brain, receiver, synchronous });
  const brain: Brain = createBrain(context, initial, {
    carryOut: (action, now) => hands.carryOut(action, now),
    onTransition: (before, after) => {
      reportTransition(runtime, before, after);
      tellManual(after);
      if (before.watch.state.kind === after.watch.state.kind) return;
      receiver.restoreAfter(after).catch((error: unknown) => reportBug(reporter, error));
      if (
        before.watch.role !== "primary" &&
        after.watch.role === "primary" &&
        before.watch.role !== "unknown"
      )
        events.raise({
          event: "repmgrd_reload",
          successful: true,
          details: `monitoring cluster primary ${describeOwn(runtime)}`,
        });
      hasten();
      // At once, so that who asks at the same moment sees a better candidate that is willing.
      publish(runtime, beaconOf(after, clock.monotonic())).catch((error: unknown) =>
        reportBug(reporter, error),
      );
    },
  });
  if (memory.state().isPaused) await brain.submit({ kind: "pause-changed", isPaused: true });
  const noticeLoss = createLossNotice(() => looks?.wake());
  const onBeat = (everyMs: number): number => untilBeatMs(everyMs, clock.monotonic());
  const beatUnlessUrgent = (ms: number) => (): number => {
    if (isElecting(brain.state())) return ELECTING_MS;
    return isUrgent(brain.state()) ? URGENT_MS : onBeat(Math.min(ms, leasePace(context.settings())));
  };

  const presence = createPresence(clock);
  const guardNotes = createGuardNotes(runtime);
  const look = async (): Promise<void> => {
    await takePauseNote(runtime, brain);
    const wasDetached = memory.state().isDetached;
    const seen = await lookAtOwnServer(runtime);
    const stoppedByGuard = await guardNotes.take(seen);
    if (seen === null || stoppedByGuard !== null) await brain.submit({ kind: "local-lost", stoppedByGuard });
    presence.note(seen !== null);
    if (seen === null) return;
    noticeLoss(runtime.own.lost());
    double.check(seen);
    const history = await histories.of(null, seen.timeline ?? 0);
    const report = toServerReport(seen, history);
    if (wasDetached && isAttachedAgain(seen))
      await memory.change({ isDetached: false }).catch(() => undefined);
    const sessions = toPeerSessions(seen);
    const isVotable = (candidate: NodeId): boolean => !hands.isThroughPooler(candidate);
    await brain.submit({
      kind: "local-seen",
      server: { ...report, isDetached: report.isDetached && memory.state().isDetached },
      membership: toMembership(runtime.records, seen),
      sessions: {
        ...sessions,
        requests: sessions.requests.filter(({ candidate }) => isVotable(candidate)),
      },
    });
    const wish = seen.pauseRequest?.isPaused;
    if (wish !== undefined) await changePause(runtime, brain, wish);
    await publish(runtime, beaconOf(brain.state(), clock.monotonic()));
    if (presence.isNew(WISHES_FOR_MS)) await takePauseWish(runtime, brain);
  };
  const checker = createUpstreamChecker(runtime, brain);
  const chores = createChores(runtime, () => brain.state());
  const poolers = createLatePoolers(runtime);
  const timeouts = createTimeouts(runtime);
  await look();
  announceStart(runtime, brain.state());
  looks = startLoop(context, {
    pauseMs: () =>
      awaitsOwnServer(brain.state()) || presence.isJustLost(RESTART_MS)
        ? URGENT_MS
        : beatUnlessUrgent(LOOK_EVERY_MS)(),
    turn: look,
  });
  const ticks = startLoop(context, {
    pauseMs: beatUnlessUrgent(Math.min(context.settings().monitor_interval_secs, LOOK_EVERY_MS)),
    turn: () => brain.submit({ kind: "tick" }),
  });
  const checks: Loop = startLoop(context, {
    pauseMs: () => checker.pauseMs(),
    turn: () => checker.check(() => checks.wake()),
  });
  const choresAfter = startLoop(context, {
    pauseMs: () => onBeat(LOOK_EVERY_MS),
    turn: async () => {
      await receiver.restoreAfter(brain.state());
      await chores.turn(brain.state());
    },
  });
  const keeper = createMemoryKeeper(runtime);
  const memoryKeeping = startLoop(context, {
    pauseMs: () => onBeat(LOOKS_AT_FILES_EVERY_MS),
    turn: () => keeper.turn(),
  });
  const latePoolers = startLoop(context, {
    pauseMs: () => onBeat(LOOK_EVERY_MS),
    turn: () => poolers.keep(brain.state()),
  });
  const standbyNames = startLoop(context, {
    pauseMs: () => onBeat(synchronous.pauseMs),
    turn: async () => {
      if (!hands.isPromoting) await arming.keep(brain.state());
      await synchronous.keep(brain.state());
    },
  });
  hastened = [looks, ticks, standbyNames];
  const loops = [looks, ticks, checks, choresAfter, memoryKeeping, latePoolers, standbyNames];
  runtime.wake = hasten;
  try {
    while (!interrupted.aborted) {
      await clock.sleep(onBeat(LOOK_EVERY_MS), interrupted).catch(() => undefined);
      timeouts.check(brain.state());
    }
    reporter.notice(describeStop(signals));
    warnOfLease(runtime, brain.state());
    events.raise({
      event: "repmgrd_shutdown",
      successful: true,
      details: describeStop(signals),
    });
    return exitCodes.success;
  } finally {
    await hands.close();
    await Promise.all(loops.map((loop) => loop.stop()));
    await synchronous.close();
    await chores.turn(brain.state());
  }
}

/** By whichever command; what could not be written is seen again at the next look. */
const isAttachedAgain = ({ inRecovery, isWithoutUpstream }: ServerLook): boolean =>
  !inRecovery || isWithoutUpstream === false;

/** Whoever stops the daemon for a while may not know what that does. */
function warnOfLease({ context }: Runtime, { watch }: DaemonState): void {
  const { primary_isolation_timeout: timeout } = context.settings();
  if (watch.role !== "primary" || watch.state.kind !== "leading" || watch.state.lease === null) return;
  context.reporter.warning(
    `the local server will be stopped within ${(timeout ?? 0) / 1000} seconds unless a daemon runs here again by then`,
    { hint: 'to stop daemons for longer, execute "service pause" before' },
  );
}

function toDaemonMemory({
  votedTerm,
  votedFor,
  wasPrimary,
  promotingTerm,
  exclusion,
  isPaused,
}: ReturnType<Runtime["memory"]["state"]>): DaemonMemory {
  return {
    vote: votedFor === null ? null : { term: votedTerm, candidate: votedFor },
    wasPrimary,
    promotingTerm,
    exclusion,
    isPaused,
  };
}

function describeOwn(runtime: Runtime): string {
  const own = ownRecord(runtime);
  return own === null ? `(ID: ${runtime.ownId})` : describeNode(own);
}

function announceStart(runtime: Runtime, state: DaemonState): void {
  const upstreamId = watchedUpstream(state);
  const upstream = runtime.records.find(({ nodeId }) => nodeId === upstreamId);
  const details =
    upstream === undefined
      ? `monitoring cluster primary ${describeOwn(runtime)}`
      : `monitoring connection to upstream node ${describeNode(upstream)}`;
  runtime.events.raise({ event: "repmgrd_start", successful: true, details });
}

interface Timeouts {
  check(state: DaemonState): void;
}

/** The status line, and the end of a daemon that has nothing to watch for too long. */
function createTimeouts(runtime: Runtime): Timeouts {
  const { context, events } = runtime;
  const { clock } = context;
  let degradedSince: number | null = null;
  let lastStatus = clock.monotonic();
  return {
    check: (state) => {
      const { log_status_interval, degraded_monitoring_timeout } = context.settings();
      const now = clock.monotonic();
      if (log_status_interval !== null && now - lastStatus >= log_status_interval) {
        lastStatus = now;
        reportStatus(runtime, state);
      }
      const { kind } = state.watch.state;
      const isDegraded = state.watch.role !== "witness" && (kind === "degraded" || kind === "server-lost");
      degradedSince = isDegraded ? (degradedSince ?? now) : null;
      if (degradedSince === null || degraded_monitoring_timeout === null) return;
      if (now - degradedSince < degraded_monitoring_timeout) return;
      const message = `degraded monitoring timeout of ${degraded_monitoring_timeout / 1000} seconds exceeded, terminating`;
      events.raise({ event: "repmgrd_shutdown", successful: true, details: message });
      throw new UserError(exitCodes.monitoringTimeout, { message });
    },
  };
}
