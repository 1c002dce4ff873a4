import { findLivingPrimary } from "../decide/election.js";
import type { DaemonState } from "../decide/watch-types.js";
import { createChildWatch } from "./child-nodes.js";
import { createClusterKeeper } from "./keep-known-cluster.js";
import { createLibraryBridge } from "./library-bridge.js";
import { createOwnStanding } from "./own-standing.js";
import { addHistoryRecord } from "../metadata/monitoring-history.js";
import type { NodeId } from "../model/node-record.js";
import type { StandingSession } from "../coordination/standing-session.js";
import { copyMembers, readMembers } from "./run-commands.js";
import { queryTimeoutMs, type Runtime } from "./runtime.js";

/** Somebody may have removed one; in milliseconds. */
export const LOOKS_AT_FILES_EVERY_MS = 5000;

/** What is done beside the watch, and that nothing waits for. */
export interface Chores {
  turn(state: DaemonState): Promise<void>;
}

export function createChores(runtime: Runtime, currentState: () => DaemonState): Chores {
  const { context } = runtime;
  const lastDone = new Map<string, number>();
  const isDue = (what: string, everyMs: number): boolean => {
    const now = context.clock.monotonic();
    if (now - (lastDone.get(what) ?? -Infinity) < everyMs) return false;
    lastDone.set(what, now);
    return true;
  };
  const children = createChildWatch(runtime);
  const standing = createOwnStanding(runtime);
  const library = createLibraryBridge(runtime);
  const keeper = createClusterKeeper(runtime);
  return {
    turn: async (state) => {
      const settings = context.settings();
      await library.update(state);
      await keeper.keep({ looksAtFile: isDue("file", LOOKS_AT_FILES_EVERY_MS) });
      const isLeading = state.watch.role === "primary" && state.watch.state.kind === "leading";
      if (!isLeading) children.forget();
      else if (
        settings.child_nodes_check_interval > 0 &&
        isDue("children", settings.child_nodes_check_interval)
      )
        await children.check(state);
      const primary = findPrimarySession(runtime, state);
      if (primary === null) return;
      // A server that is being fenced still answers, but what it stores nobody will see.
      const isStillPrimary = (): boolean =>
        findPrimarySession(runtime, currentState())?.nodeId === primary.nodeId;
      if (runtime.events.waiting > 0)
        await primary.session.use(queryTimeoutMs(runtime), (database) =>
          runtime.events.storeOn(database, isStillPrimary),
        );
      if (state.watch.role !== "primary") await standing.keep(primary);
      if (state.watch.role === "standby") {
        if (settings.monitoring_history && isDue("history", settings.monitor_interval_secs))
          await recordHistory(runtime, primary);
      }
      if (state.watch.role === "witness" && isDue("sync", settings.witness_sync_interval)) {
        const members = await primary.session.use(queryTimeoutMs(runtime), readMembers);
        if (members.kind === "answered") await copyMembers(runtime, members.value);
      }
    },
  };
}

interface PrimarySession {
  readonly nodeId: NodeId;
  readonly session: StandingSession;
}

function findPrimarySession(
  { own, ownId, peers, records }: Runtime,
  state: DaemonState,
): PrimarySession | null {
  const { watch } = state;
  if (watch.state.kind === "fenced" || leavesItToOperator(state)) {
    const successor = findLivingPrimary(state);
    const record = records.find(({ nodeId }) => nodeId === successor);
    return record === undefined ? null : { nodeId: record.nodeId, session: peers.of(record) };
  }
  if (watch.role === "primary")
    return watch.state.kind === "leading" ? { nodeId: ownId, session: own } : null;
  if (watch.role === "unknown" || watch.state.kind !== "watching") return null;
  const { upstream } = watch.state;
  const direct = typeof upstream === "object" ? upstream : { nodeId: upstream, isPrimary: true };
  const record = records.find(({ nodeId, type, active }): boolean =>
    direct.isPrimary ? nodeId === direct.nodeId : type === "primary" && active,
  );
  return record === undefined ? null : { nodeId: record.nodeId, session: peers.of(record) };
}

const leavesItToOperator = ({ watch }: DaemonState): boolean =>
  watch.state.kind === "degraded" && watch.state.reason === "follow-by-hand";

interface ReplayRow {
  readonly monitor_time: string;
  readonly apply_time: string | null;
  readonly received: string | null;
  readonly replayed: string | null;
}

async function recordHistory(runtime: Runtime, primary: PrimarySession): Promise<void> {
  const { own, ownId, context } = runtime;
  const timeoutMs = queryTimeoutMs(runtime);
  const replay = await own.use(timeoutMs, (database) =>
    database.query<ReplayRow>(
      `SELECT CURRENT_TIMESTAMP::text AS monitor_time, pg_catalog.pg_last_xact_replay_timestamp()::text AS apply_time,
              pg_catalog.pg_last_wal_receive_lsn()::text AS received,
              pg_catalog.pg_last_wal_replay_lsn()::text AS replayed`,
    ),
  );
  const row = replay.kind === "answered" ? replay.value[0] : undefined;
  if (row === undefined) return;
  const added = await primary.session.use(timeoutMs, (database) =>
    addHistoryRecord(database, {
      primaryNodeId: primary.nodeId,
      standbyNodeId: ownId,
      monitorTime: row.monitor_time,
      applyTime: row.apply_time,
      receivedLsn: row.received,
      replayedLsn: row.replayed,
    }),
  );
  if (added.kind !== "answered" && context.reporter.isVerbose)
    context.reporter.warning("monitoring history was not written", { detail: added.reason });
}
