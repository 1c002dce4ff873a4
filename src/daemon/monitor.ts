import { beaconOf, isUrgent, startState, watchedUpstream } from "../decide/transitions.js";
import type { DaemonState } from "../decide/watch-types.js";
import { exitCodes, type ExitCode } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";
import { describeNode, type NodeId } from "../model/node-record.js";
import type { DaemonMemory } from "../model/vote.js";
import { createBrain, type Brain } from "./brain.js";
import { createHands } from "./carry-out.js";
import { checkUpstream } from "./check-upstream.js";
import { createChores } from "./chores.js";
import { lookAtOwnServer, publish } from "./heartbeat.js";
import { createHistories, toMembership, toPeerSessions, toServerReport } from "./observe.js";
import { createReceiverPause } from "./receiver-pause.js";
import { describeStop } from "./describe-stop.js";
import { reportStatus, reportTransition } from "./report-transition.js";
import { ownRecord, queryTimeoutMs, type Runtime } from "./runtime.js";
import { reportBug, startLoop, type Loop } from "./start-loop.js";

const URGENT_MS = 100;
const LOOK_EVERY_MS = 1000;
const SHORTEST_CHECK_MS = 500;

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
  const loops: Loop[] = [];
  /** The look at the own server and the ticks: they are faster in some states. The upstream keeps its pace. */
  const hasten = (): void => {
    for (const loop of loops.slice(0, 2)) loop.wake();
  };
  const receiver = createReceiverPause(runtime);
  const hands = createHands(runtime, { histories, brain: () => brain, receiver });
  const brain: Brain = createBrain(context, initial, {
    carryOut: (action) => hands.carryOut(action),
    onTransition: (before, after) => {
      reportTransition(runtime, before, after);
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
  const everyUnlessUrgent = (ms: number) => (): number => (isUrgent(brain.state()) ? URGENT_MS : ms);

  const look = async (): Promise<void> => {
    const seen = await lookAtOwnServer(runtime);
    if (seen === null) {
      await brain.submit({ kind: "local-lost", stoppedByGuard: null });
      return;
    }
    const history = await histories.of(null, seen.timeline ?? 0);
    await brain.submit({
      kind: "local-seen",
      server: toServerReport(seen, history),
      membership: toMembership(runtime.records, seen.membershipVersion),
      sessions: toPeerSessions(seen),
    });
    const wish = seen.pauseRequest?.isPaused;
    if (wish !== undefined && wish !== brain.state().memory.isPaused) {
      await brain.submit({ kind: "pause-changed", isPaused: wish });
      if (brain.state().memory.isPaused === wish)
        reporter.notice(wish ? "this daemon is paused now" : "this daemon is not paused any more");
    }
    await publish(runtime, beaconOf(brain.state(), clock.monotonic()));
  };
  const checker = createChecker(runtime, brain);
  const chores = createChores(runtime);
  const timeouts = createTimeouts(runtime);
  await look();
  announceStart(runtime, brain.state());
  loops.push(
    startLoop(context, { everyMs: everyUnlessUrgent(LOOK_EVERY_MS), turn: look }),
    startLoop(context, {
      everyMs: everyUnlessUrgent(Math.min(context.settings().monitor_interval_secs, LOOK_EVERY_MS)),
      turn: () => brain.submit({ kind: "tick" }),
    }),
    startLoop(context, {
      everyMs: () => checker.pauseMs(),
      turn: () => checker.check(() => loops[2]?.wake()),
    }),
    startLoop(context, {
      everyMs: () => LOOK_EVERY_MS,
      turn: async () => {
        await receiver.restoreAfter(brain.state());
        await chores.turn(brain.state());
      },
    }),
  );
  runtime.wake = hasten;
  try {
    while (!interrupted.aborted) {
      await clock.sleep(LOOK_EVERY_MS, interrupted).catch(() => undefined);
      timeouts.check(brain.state());
    }
    reporter.notice(describeStop(signals));
    events.raise({
      event: "repmgrd_shutdown",
      successful: true,
      details: describeStop(signals),
    });
    return exitCodes.success;
  } finally {
    await hands.close();
    await Promise.all(loops.map((loop) => loop.stop()));
    await chores.turn(brain.state());
  }
}

function toDaemonMemory({
  votedTerm,
  votedFor,
  wasPrimary,
  promotingTerm,
  isPaused,
}: ReturnType<Runtime["memory"]["state"]>): DaemonMemory {
  return {
    vote: votedFor === null ? null : { term: votedTerm, candidate: votedFor },
    wasPrimary,
    promotingTerm,
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

interface Checker {
  pauseMs(): number;
  /** `again`: the next check is wanted at once. */
  check(again: () => void): Promise<void>;
}

/** The upstream's own loop: a silent one must not hold up anything else. */
function createChecker(runtime: Runtime, brain: Brain): Checker {
  const { context, shown, peers } = runtime;
  let watchedSession: AbortSignal | null = null;
  const noticeLoss = (lost: AbortSignal | null, again: () => void): void => {
    if (lost === null || lost === watchedSession) return;
    watchedSession = lost;
    lost.addEventListener("abort", again, { once: true });
  };
  return {
    pauseMs: () => {
      const { reconnect_interval, monitor_interval_secs } = context.settings();
      return brain.state().watch.state.kind === "reconnecting" ? reconnect_interval : monitor_interval_secs;
    },
    check: async (again) => {
      const id: NodeId | null = watchedUpstream(brain.state());
      const record = runtime.records.find(({ nodeId }) => nodeId === id);
      if (record === undefined || id === runtime.ownId) return;
      const before = brain.state().watch.state.kind;
      const { reconnect_interval } = context.settings();
      const timeoutMs =
        before === "reconnecting"
          ? Math.min(Math.max(reconnect_interval, SHORTEST_CHECK_MS), queryTimeoutMs(runtime))
          : queryTimeoutMs(runtime);
      const session = peers.of(record);
      const seen = await checkUpstream(context, session, { record, timeoutMs });
      if (watchedUpstream(brain.state()) !== id) return;
      if (seen.kind === "upstream-seen") {
        shown.upstreamSeenAt = context.clock.monotonic();
        noticeLoss(session.lost(), again);
      } else if (before === "watching") {
        context.reporter.warning(`unable to ping node ${describeNode(record)}`, { detail: seen.reason });
      }
      await brain.submit(seen.kind === "upstream-seen" ? seen : { kind: "upstream-lost" });
      // The first attempt follows at once, the others at the pace of reconnect_interval.
      if (before === "watching" && brain.state().watch.state.kind === "reconnecting") again();
    },
  };
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
