import { lookWithRecords, type ServerLook } from "../coordination/look-at-server.js";
import type { DaemonShortcoming } from "../model/beacon.js";
import { parseConninfo } from "../model/conninfo.js";
import type { Beacon } from "../model/member-report.js";
import { readReplayedTimeline } from "../postgres/replayed-timeline.js";
import { currentProcessId } from "../system/process-table.js";
import { letterOf } from "../coordination/member-answers.js";
import { POOLER_HINT } from "./pooler-notice.js";
import { ownRecord, queryTimeoutMs, type Runtime } from "./runtime.js";

/**
 * One look at the local server: what it is, which node records it has, what is asked of this daemon. Null while it does
 * not answer, which costs its time-out and nothing else.
 */
export async function lookAtOwnServer(runtime: Runtime): Promise<ServerLook | null> {
  const { context, own, ownId } = runtime;
  const at = context.clock.monotonic();
  const seen = await own.use(queryTimeoutMs(runtime), (database) => lookWithRecords(database, ownId));
  if (seen.kind !== "answered") {
    if (runtime.lastLook !== null)
      context.reporter.warning("the local server does not answer", { detail: seen.reason });
    runtime.lastLook = null;
    return null;
  }
  if (seen.value.look.isThroughPooler) {
    // What this daemon shows in a session would be seen by chance.
    if (runtime.lastLook !== null)
      context.reporter.error('"conninfo" leads to a connection pooler now, the daemon does nothing', {
        hint: POOLER_HINT,
      });
    runtime.lastLook = null;
    return null;
  }
  const { records } = seen.value;
  const look = await correctTimeline(runtime, seen.value.look);
  runtime.lastLook = { look, at };
  if (records.length > 0) runtime.records = records;
  return look;
}

/** Judged by the timeline of its last restart point, the log of a standby would seem to have left the cluster's. */
async function correctTimeline(runtime: Runtime, look: ServerLook): Promise<ServerLook> {
  if (!look.inRecovery || look.walReceiverPid !== null) return look;
  const { databases } = runtime.context;
  const conninfo = parseConninfo(runtime.context.settings().conninfo);
  const replicationUser = ownRecord(runtime)?.replicationUser ?? "";
  const signal = AbortSignal.timeout(queryTimeoutMs(runtime));
  const timeline = await readReplayedTimeline(databases, { conninfo, replicationUser }, signal).catch(
    (error: unknown) => {
      if (signal.aborted) return null;
      throw error;
    },
  );
  return timeline === null ? look : { ...look, timeline: Math.max(timeline, look.timeline ?? 0) };
}

function shortcomingOf({ context, memory }: Runtime): DaemonShortcoming | null {
  if (context.settings().failover === "manual") return "manual";
  return memory.unkeptBecause === null ? null : "forgetful";
}

/** Shows on the local server what the daemon is now. */
export async function publish(runtime: Runtime, beacon: Beacon): Promise<void> {
  const { context, shown, publisher, lastLook, boot } = runtime;
  const { vote, leaseEcho, primarySeenAgoMs } = beacon;
  const seenAt = shown.upstreamSeenAt;
  await publisher.publish(
    {
      nodeId: beacon.nodeId,
      upstreamNodeId: beacon.upstreamNodeId,
      upstreamSeenMs: seenAt === null ? null : context.clock.monotonic() - seenAt,
      term: lastLook?.look.termRow ?? null,
      isPaused: beacon.isPaused,
      activity: letterOf(beacon.activity, ownRecord(runtime)?.type === "witness"),
      followingNodeId: null,
      pid: currentProcessId(),
      heldForMs: beacon.heldForMs === 0 ? null : beacon.heldForMs,
      shortcoming: shortcomingOf(runtime),
    },
    {
      votedTerm: vote?.term ?? 0,
      votedFor: vote?.candidate ?? null,
      boot,
      primarySeenMs: primarySeenAgoMs,
      leaseEcho,
    },
    queryTimeoutMs(runtime),
  );
}
