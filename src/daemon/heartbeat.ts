import { lookAtServer } from "../coordination/look-at-server.js";
import { DatabaseError } from "../errors/database-error.js";
import { listNodes } from "../metadata/nodes.js";
import { currentProcessId } from "../system/process-table.js";
import { describeFailure } from "../system/directories.js";
import { queryTimeoutMs, type Runtime } from "./runtime.js";

/**
 * One look at the local server: what it is, which node records it has, what is asked of this daemon; then the beacon,
 * which says what the daemon is now. A server that does not answer costs its time-out and nothing else.
 */
export async function beat(runtime: Runtime): Promise<void> {
  const { context, own } = runtime;
  const timeoutMs = queryTimeoutMs(runtime);
  const seen = await own.use(timeoutMs, async (database) => ({
    look: await lookAtServer(database),
    records: await listNodes(database),
  }));
  if (seen.kind !== "answered") {
    if (runtime.lastLook !== null)
      context.reporter.debug("the local server does not answer", { detail: seen.reason });
    runtime.lastLook = null;
    return;
  }
  const { look, records } = seen.value;
  runtime.lastLook = { look, at: context.clock.monotonic() };
  if (records.length > 0) runtime.records = records;
  if (look.pauseRequest !== null) await obeyPauseRequest(runtime, look.pauseRequest.isPaused);
  await publish(runtime);
}

async function publish(runtime: Runtime): Promise<void> {
  const { context, shown, memory, publisher, lastLook } = runtime;
  const state = memory.state();
  const seenAt = shown.upstreamSeenAt;
  await publisher.publish(
    {
      nodeId: runtime.ownId,
      upstreamNodeId: shown.upstreamNodeId,
      upstreamSeenMs: seenAt === null ? null : context.clock.monotonic() - seenAt,
      term: lastLook?.look.termRow ?? null,
      isPaused: state.isPaused,
      activity: shown.activity,
      followingNodeId: shown.followingNodeId,
      pid: currentProcessId(),
    },
    {
      votedTerm: state.votedTerm,
      votedFor: state.votedFor,
      boot: runtime.boot,
      primarySeenMs: null,
      leaseEcho: null,
    },
    queryTimeoutMs(runtime),
  );
}

/** On disk first: who asked reads the beacon, and relies on it over a restart. */
async function obeyPauseRequest({ context, memory }: Runtime, isPaused: boolean): Promise<void> {
  if (memory.state().isPaused === isPaused) return;
  try {
    await memory.change({ isPaused, pauseChangedAt: context.clock.now() });
    context.reporter.notice(isPaused ? "this daemon is paused now" : "this daemon is not paused any more");
  } catch (error) {
    if (error instanceof DatabaseError) throw error;
    context.reporter.error(`unable to ${isPaused ? "pause" : "unpause"}: the state file cannot be written`, {
      detail: describeFailure(error),
      hint: 'make "state_directory" writable for the user of this daemon',
    });
  }
}
