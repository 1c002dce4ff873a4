import { lookAtServer, type ServerLook } from "../coordination/look-at-server.js";
import { listNodes } from "../metadata/nodes.js";
import type { Beacon } from "../model/member-report.js";
import { currentProcessId } from "../system/process-table.js";
import { letterOf } from "./observe.js";
import { ownRecord, queryTimeoutMs, type Runtime } from "./runtime.js";

/**
 * One look at the local server: what it is, which node records it has, what is asked of this daemon. Null while it does
 * not answer, which costs its time-out and nothing else.
 */
export async function lookAtOwnServer(runtime: Runtime): Promise<ServerLook | null> {
  const { context, own, ownId } = runtime;
  const seen = await own.use(queryTimeoutMs(runtime), async (database) => ({
    look: await lookAtServer(database, ownId),
    records: await listNodes(database),
  }));
  if (seen.kind !== "answered") {
    if (runtime.lastLook !== null)
      context.reporter.warning("the local server does not answer", { detail: seen.reason });
    runtime.lastLook = null;
    return null;
  }
  const { look, records } = seen.value;
  runtime.lastLook = { look, at: context.clock.monotonic() };
  if (records.length > 0) runtime.records = records;
  return look;
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
