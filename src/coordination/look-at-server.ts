import {
  parseBeacon,
  parseExclusionWish,
  parseLease,
  parsePauseRequest,
  parseVoteBeacon,
  parseVoteRequest,
  type DaemonBeacon,
  type Lease,
  type PauseRequest,
  type VoteBeacon,
  type ShownVoteRequest,
} from "../model/beacon.js";
import { DatabaseError } from "../errors/database-error.js";
import {
  noClusterRecord,
  SELECT_CLUSTER_RECORD,
  toClusterRecord,
  type SettingsRow,
} from "../metadata/cluster-record.js";
import { SELECT_NODES, toRecord, type NodeRow } from "../metadata/nodes.js";
import { parseLsn, type Lsn } from "../model/lsn.js";
import type { RecordedExclusion, SyncExclusion } from "../model/sync-exclusion.js";
import type { NodeRecord } from "../model/node-record.js";
import type { SyncState } from "../model/sync-state.js";
import type { PromotionRecord } from "../model/vote.js";
import type { Database } from "../postgres/database.js";
import { isThroughPooler } from "../postgres/pooler-between.js";

/** A beacon, with the time since its daemon renewed it by the clock of the asked server; null where it is not told. */
interface SeenBeacon extends DaemonBeacon {
  readonly ageMs: number | null;
}

/** Everything that an election, a vote and the daemon's own watch need of one server, at one moment. */
export interface ServerLook {
  /** What sessions show cannot be relied on then: several share one, and none is kept. */
  readonly isThroughPooler: boolean;
  readonly inRecovery: boolean;
  /** The end of the log: written on a primary; received or replayed, whichever is further, on a standby. */
  readonly lsn: Lsn | null;
  readonly receivedLsn: Lsn | null;
  readonly replayedLsn: Lsn | null;
  readonly isReplayPaused: boolean;
  readonly timeline: number | null;
  /** The row of `repmgr.voting_term` in this server's own log. */
  readonly termRow: number | null;
  readonly systemIdentifier: string;
  readonly startedAt: string;
  /** Whether the startup process waits for more WAL; null where it is not told or there is none. */
  readonly isDrained: boolean | null;
  readonly walReceiverPid: number | null;
  /** Whether `primary_conninfo` is empty; null for a user who may not see it. */
  readonly isWithoutUpstream: boolean | null;
  /** Whether its own node records call it the active primary. */
  readonly isRecordedPrimary: boolean;
  /** The promotions in its log, as the new primaries wrote them, oldest first. */
  readonly promotions: readonly PromotionRecord[];
  /** Of its node records. */
  readonly membershipVersion: number;
  /** Null outside of synchronous mode. */
  readonly syncState: SyncState | null;
  /** Of a witness: the standby for which it does not vote. */
  readonly exclusion: RecordedExclusion | null;
  readonly beacon: SeenBeacon | null;
  readonly vote: VoteBeacon | null;
  readonly requests: readonly ShownVoteRequest[];
  readonly leases: readonly Lease[];
  readonly exclusions: readonly SyncExclusion[];
  /** The newest one. */
  readonly pauseRequest: PauseRequest | null;
}

interface LookRow {
  readonly backend_pid: number;
  readonly in_recovery: boolean;
  readonly lsn: string | null;
  readonly received_lsn: string | null;
  readonly replayed_lsn: string | null;
  readonly replay_paused: boolean;
  readonly timeline: number | null;
  readonly term_row: number | null;
  readonly system_identifier: string;
  readonly started_at: string;
  readonly drained: boolean | null;
  readonly wal_receiver_pid: number | null;
  readonly without_upstream: boolean | null;
  readonly recorded_primary: boolean;
  readonly has_settings: boolean;
  readonly sessions: readonly { readonly name: string; readonly age_ms: number | null }[];
  readonly settings: readonly SettingsRow[] | null;
  readonly nodes: readonly NodeRow[] | null;
}

const listRows = (select: string): string =>
  `(SELECT COALESCE(pg_catalog.json_agg(listed), '[]') FROM (${select}) AS listed)`;
const NOTHING = "NULL::json";
const SETTINGS = listRows(SELECT_CLUSTER_RECORD);
const NODES = listRows(`${SELECT_NODES} ORDER BY node_id`);

/**
 * A restarted standby says the start of its segment as received, so the further of both positions counts. The last
 * checkpoint of a promoted server is on the old timeline for a while. Only sessions of roles that may write the
 * metadata are believed; the newest come first.
 */
const renderLook = (settings: string, nodes: string): string => `
  SELECT pg_catalog.pg_backend_pid() AS backend_pid,
         r.in_recovery,
         CASE WHEN r.in_recovery
              THEN GREATEST(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn())
              ELSE pg_catalog.pg_current_wal_lsn() END::text AS lsn,
         pg_catalog.pg_last_wal_receive_lsn()::text AS received_lsn,
         pg_catalog.pg_last_wal_replay_lsn()::text AS replayed_lsn,
         CASE WHEN r.in_recovery THEN pg_catalog.pg_is_wal_replay_paused() ELSE false END AS replay_paused,
         CASE WHEN r.in_recovery
              THEN GREATEST((SELECT received_tli FROM pg_catalog.pg_stat_wal_receiver),
                            (SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()))
              ELSE ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8))::bit(32)::int
         END AS timeline,
         (SELECT pg_catalog.max(term) FROM repmgr.voting_term) AS term_row,
         (SELECT system_identifier::text FROM pg_catalog.pg_control_system()) AS system_identifier,
         pg_catalog.pg_postmaster_start_time()::text AS started_at,
         (SELECT wait_event IN ('RecoveryWalStream', 'RecoveryRetrieveRetryInterval')
            FROM pg_catalog.pg_stat_activity WHERE backend_type = 'startup') AS drained,
         (SELECT pid FROM pg_catalog.pg_stat_wal_receiver) AS wal_receiver_pid,
         (SELECT setting = '' FROM pg_catalog.pg_settings WHERE name = 'primary_conninfo') AS without_upstream,
         EXISTS (SELECT FROM repmgr.nodes WHERE node_id = $1 AND type = 'primary' AND active) AS recorded_primary,
         pg_catalog.to_regclass('repmgr.settings') IS NOT NULL AS has_settings,
         (SELECT COALESCE(pg_catalog.json_agg(pg_catalog.json_build_object(
                    'name', application_name,
                    'age_ms', EXTRACT(epoch FROM pg_catalog.clock_timestamp() - state_change) * 1000)
                    ORDER BY backend_start DESC), '[]')
            FROM pg_catalog.pg_stat_activity
           WHERE datname = pg_catalog.current_database() AND application_name LIKE 'tsr1%'
             AND pg_catalog.has_table_privilege(usesysid, 'repmgr.nodes', 'INSERT')) AS sessions,
         ${settings} AS settings, ${nodes} AS nodes
    FROM (SELECT pg_catalog.pg_is_in_recovery() AS in_recovery OFFSET 0) AS r`;

/** The sessions whose server has the table of settings: where it is missing a statement that names it is refused. */
const withSettings = new WeakSet<Database>();

/** `id` is the node that the server is asked as; 0 when it does not matter. Throws DatabaseError. */
export async function lookAtServer(database: Database, id = 0): Promise<ServerLook> {
  return toLook(database, await readLook(database, id, NOTHING));
}

/** Also its node records, of the same moment. Throws DatabaseError. */
export async function lookWithRecords(
  database: Database,
  id: number,
): Promise<{ readonly look: ServerLook; readonly records: readonly NodeRecord[] }> {
  const row = await readLook(database, id, NODES);
  return { look: toLook(database, row), records: (row.nodes ?? []).map(toRecord) };
}

/** In one round trip, but for the first look of a session. */
async function readLook(database: Database, id: number, nodes: string): Promise<LookRow> {
  const isComplete = withSettings.has(database);
  try {
    const [row] = await database.query<LookRow>(renderLook(isComplete ? SETTINGS : NOTHING, nodes), [id]);
    if (row === undefined) throw new RangeError("a query for one row returned none");
    if (isComplete || !row.has_settings) return row;
    const settings = await database.query<SettingsRow>(SELECT_CLUSTER_RECORD);
    withSettings.add(database);
    return { ...row, settings };
  } catch (error) {
    const isGone = error instanceof DatabaseError && error.meaning === "undefined-object";
    if (!isGone || !withSettings.delete(database)) throw error;
    return readLook(database, id, nodes);
  }
}

function toLook(database: Database, row: LookRow): ServerLook {
  const cluster = row.settings === null ? noClusterRecord : toClusterRecord(row.settings);
  const names = row.sessions.map(({ name }) => name);
  return {
    isThroughPooler: isThroughPooler(database, row.backend_pid),
    inRecovery: row.in_recovery,
    lsn: toLsn(row.lsn),
    receivedLsn: toLsn(row.received_lsn),
    replayedLsn: toLsn(row.replayed_lsn),
    isReplayPaused: row.replay_paused,
    timeline: row.timeline,
    termRow: row.term_row,
    systemIdentifier: row.system_identifier,
    startedAt: row.started_at,
    isDrained: row.drained,
    walReceiverPid: row.wal_receiver_pid,
    isWithoutUpstream: row.without_upstream,
    isRecordedPrimary: row.recorded_primary,
    ...cluster,
    beacon: firstOf(row.sessions, ({ name, age_ms }) => {
      const beacon = parseBeacon(name);
      return beacon === null ? null : { ...beacon, ageMs: age_ms };
    }),
    vote: firstOf(names, parseVoteBeacon),
    requests: names.flatMap((name) => parseVoteRequest(name) ?? []),
    leases: names.flatMap((name) => parseLease(name) ?? []),
    exclusions: names.flatMap((name) => parseExclusionWish(name) ?? []),
    pauseRequest: firstOf(names, parsePauseRequest),
  };
}

function firstOf<Item, Found>(items: readonly Item[], find: (item: Item) => Found | null): Found | null {
  for (const item of items) {
    const found = find(item);
    if (found !== null) return found;
  }
  return null;
}

const toLsn = (text: string | null): Lsn | null => (text === null ? null : parseLsn(text));
