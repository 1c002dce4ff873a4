import { untilBeatMs } from "../decide/beat.js";
import {
  attemptLimitMs,
  countsAsAttempt,
  glanceLimitMs,
  glancePaceMs,
  usualCheckMs,
} from "../decide/check-pace.js";
import { watchedUpstream } from "../decide/transitions.js";
import type { DaemonState } from "../decide/watch-types.js";
import { maskConninfo } from "../model/conninfo.js";
import type { NodeId } from "../model/node-record.js";
import type { Brain } from "./brain.js";
import { checkUpstream } from "./check-upstream.js";
import { createLossNotice } from "./notice-loss.js";
import { queryTimeoutMs, type Runtime } from "./runtime.js";

/** The upstream's own loop: a silent one must not hold up anything else. */
export interface UpstreamChecker {
  pauseMs(): number;
  /** `again`: the next check is wanted at once. */
  check(again: () => void): Promise<void>;
}

export function createUpstreamChecker(runtime: Runtime, brain: Brain): UpstreamChecker {
  const { context, shown, peers } = runtime;
  const { clock, reporter } = context;
  let lastCheckMs = 0;
  let checkedAt = -Infinity;
  let checkAgain = (): void => undefined;
  const noticeLoss = createLossNotice(() => {
    checkedAt = -Infinity;
    checkAgain();
  });
  const isCheckDue = (): boolean => {
    const { monitor_interval_secs } = context.settings();
    return clock.monotonic() - checkedAt > monitor_interval_secs - glancePaceMs(monitor_interval_secs) / 2;
  };
  return {
    pauseMs: () => {
      const { reconnect_interval, monitor_interval_secs } = context.settings();
      if (brain.state().watch.state.kind === "reconnecting")
        return Math.max(0, reconnect_interval - lastCheckMs);
      return untilBeatMs(glancePaceMs(monitor_interval_secs), clock.monotonic());
    },
    check: async (again) => {
      const id: NodeId | null = watchedUpstream(brain.state());
      const record = runtime.records.find(({ nodeId }) => nodeId === id);
      if (record === undefined || id === runtime.ownId) return;
      const before = brain.state().watch.state.kind;
      const { reconnect_interval } = context.settings();
      const session = peers.of(record);
      const startedAt = clock.monotonic();
      if (before !== "reconnecting" && !isCheckDue()) {
        if (before !== "watching") return;
        if (await session.givesSign(glanceLimitMs(context.settings().monitor_interval_secs))) return;
      }
      checkedAt = startedAt;
      const silentMs = clock.monotonic() - startedAt;
      const timeoutMs = limitOf(runtime, brain.state()) - silentMs;
      const seen = await checkUpstream(context, session, { record, timeoutMs });
      lastCheckMs = clock.monotonic() - startedAt;
      if (watchedUpstream(brain.state()) !== id) return;
      if (seen.kind === "upstream-seen") {
        shown.upstreamSeenAt = clock.monotonic();
        shown.usualCheckMs = usualCheckMs(shown.usualCheckMs, lastCheckMs - silentMs);
        checkAgain = again;
        noticeLoss(session.lost());
      } else if (before === "watching" || before === "reconnecting") {
        const masked = maskConninfo(record.conninfo);
        reporter.warning(`unable to ping "${masked}"`, { detail: seen.reason });
      }
      await brain.submit(seen.kind === "upstream-seen" ? seen : { kind: "upstream-lost" });
      if (before !== "watching" || brain.state().watch.state.kind !== "reconnecting") return;
      // The first attempt follows at once, the others at the pace of reconnect_interval.
      if (countsAsAttempt(lastCheckMs, reconnect_interval)) await brain.submit({ kind: "upstream-lost" });
      else again();
    },
  };
}

function limitOf(runtime: Runtime, { watch: { state } }: DaemonState): number {
  const { reconnect_interval, reconnect_attempts } = runtime.context.settings();
  const limitMs = queryTimeoutMs(runtime);
  if (state.kind !== "reconnecting") return limitMs;
  return attemptLimitMs({
    isLast: state.attempt >= reconnect_attempts,
    usualMs: runtime.shown.usualCheckMs,
    reconnectIntervalMs: reconnect_interval,
    queryTimeoutMs: limitMs,
  });
}
