import type { DaemonState } from "../decide/watch-types.js";
import { addHistoryRecord } from "../metadata/monitoring-history.js";
import type { NodeId, NodeRecord } from "../model/node-record.js";
import type { StandingSession } from "../coordination/standing-session.js";
import { copyMembers, readMembers } from "./run-commands.js";
import { ownRecord, queryTimeoutMs, type Runtime } from "./runtime.js";

/** What is done beside the watch, and that nothing waits for. */
export interface Chores {
  turn(state: DaemonState): Promise<void>;
}

export function createChores(runtime: Runtime): Chores {
  const { context } = runtime;
  const lastDone = new Map<string, number>();
  const isDue = (what: string, everyMs: number): boolean => {
    const now = context.clock.monotonic();
    if (now - (lastDone.get(what) ?? -Infinity) < everyMs) return false;
    lastDone.set(what, now);
    return true;
  };
  return {
    turn: async (state) => {
      const settings = context.settings();
      const primary = findPrimarySession(runtime, state);
      if (primary === null) return;
      if (runtime.events.waiting > 0)
        await primary.session.use(queryTimeoutMs(runtime), (database) => runtime.events.storeOn(database));
      if (state.watch.role === "standby" && state.watch.state.kind === "watching") {
        await keepActive(runtime, primary.session);
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
  { watch }: DaemonState,
): PrimarySession | null {
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

/** A standby that is back after it was marked as failed takes its place again. */
async function keepActive(runtime: Runtime, primary: StandingSession): Promise<void> {
  const record: NodeRecord | null = ownRecord(runtime);
  if (record === null || record.active || runtime.lastLook === null) return;
  const changed = await primary.use(queryTimeoutMs(runtime), (database) =>
    database.query(
      "UPDATE repmgr.nodes SET active = true WHERE node_id = $1 AND NOT active RETURNING node_id",
      [runtime.ownId],
    ),
  );
  if (changed.kind !== "answered" || changed.value.length === 0) return;
  runtime.context.reporter.notice(`node "${record.nodeName}" (ID: ${record.nodeId}) is active again`);
  runtime.events.raise({
    event: "standby_recovery",
    successful: true,
    details: `node "${record.nodeName}" (ID: ${record.nodeId}) has become active`,
  });
}

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
