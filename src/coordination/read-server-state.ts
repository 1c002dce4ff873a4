import { DatabaseError } from "../errors/database-error.js";
import { parseLsn, type Lsn } from "../model/lsn.js";
import { nodeId, type NodeId } from "../model/node-record.js";
import type { AttachedStandby, OwnRecord, ServerState } from "../model/server-state.js";
import type { Database } from "../postgres/database.js";

interface StateRow {
  readonly in_recovery: boolean;
  readonly wal_file: string | null;
  readonly standby_timeline: number | null;
  readonly written_lsn: string | null;
  readonly received_lsn: string | null;
  readonly replayed_lsn: string | null;
  readonly replay_paused: boolean;
  readonly attached_standbys: string;
  readonly started_at: string;
}

interface OwnRecordRow {
  readonly own_id: number | null;
  readonly own_upstream_id: number | null;
  readonly own_upstream_name: string | null;
}

/**
 * The timeline of a primary is that of the WAL it writes: its last checkpoint is on the old one for a while after a
 * promotion. A standby knows what it receives, but shows it only to members of pg_monitor. The functions below the
 * statistics views are asked, because a new session plans those for as long as all the rest takes.
 */
const STATE_COLUMNS = `
       pg_catalog.pg_is_in_recovery() AS in_recovery,
       CASE WHEN NOT pg_catalog.pg_is_in_recovery()
            THEN pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()) END AS wal_file,
       CASE WHEN pg_catalog.pg_is_in_recovery()
            THEN GREATEST((SELECT received_tli FROM pg_catalog.pg_stat_get_wal_receiver()),
                          (SELECT timeline_id FROM pg_catalog.pg_control_checkpoint())) END AS standby_timeline,
       CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_current_wal_lsn()::text END AS written_lsn,
       pg_catalog.pg_last_wal_receive_lsn()::text AS received_lsn,
       pg_catalog.pg_last_wal_replay_lsn()::text AS replayed_lsn,
       CASE WHEN pg_catalog.pg_is_in_recovery()
            THEN pg_catalog.pg_is_wal_replay_paused() ELSE false END AS replay_paused,
       (SELECT COALESCE(pg_catalog.json_agg(pg_catalog.json_build_object(
                 'applicationName', COALESCE(client.application_name, ''), 'state', sender.state)), '[]')::text
          FROM pg_catalog.pg_stat_get_wal_senders() AS sender
          JOIN pg_catalog.pg_stat_get_activity(NULL) AS client ON client.pid OPERATOR(pg_catalog.=) sender.pid
       ) AS attached_standbys,
       EXTRACT(epoch FROM pg_catalog.pg_postmaster_start_time())::text AS started_at`;

const SELECT_STATE = `SELECT ${STATE_COLUMNS}`;

const SELECT_STATE_AND_OWN_RECORD = `SELECT ${STATE_COLUMNS},
       own.node_id AS own_id, own.upstream_node_id AS own_upstream_id, upstream.node_name AS own_upstream_name
  FROM (VALUES (1)) AS one (row)
  LEFT JOIN repmgr.nodes own ON own.node_id = $1
  LEFT JOIN repmgr.nodes upstream ON upstream.node_id = own.upstream_node_id`;

/** Asks a server for everything that `cluster show` needs, in one round trip. Throws DatabaseError. */
export async function readServerState(database: Database, id: NodeId): Promise<ServerState> {
  try {
    const [row] = await database.query<StateRow & OwnRecordRow>(SELECT_STATE_AND_OWN_RECORD, [id]);
    if (row !== undefined) return toServerState(row, toOwnRecord(row));
  } catch (error) {
    if (!(error instanceof DatabaseError) || !lacksMetadata(error)) throw error;
    const [row] = await database.query<StateRow>(SELECT_STATE);
    if (row !== undefined) return toServerState(row, { kind: "unreadable", reason: error.message });
  }
  throw new RangeError("a query for one row returned none");
}

const lacksMetadata = ({ meaning }: DatabaseError): boolean =>
  meaning === "undefined-object" || meaning === "insufficient-privilege";

function toOwnRecord(row: OwnRecordRow): OwnRecord {
  if (row.own_id === null) return { kind: "missing" };
  return {
    kind: "found",
    upstreamNodeId: row.own_upstream_id === null ? null : nodeId(row.own_upstream_id),
    upstreamName: row.own_upstream_name,
  };
}

function toServerState(row: StateRow, ownRecord: OwnRecord): ServerState {
  return {
    inRecovery: row.in_recovery,
    timeline: row.wal_file === null ? row.standby_timeline : Number.parseInt(row.wal_file.slice(0, 8), 16),
    writtenLsn: toLsn(row.written_lsn),
    receivedLsn: toLsn(row.received_lsn),
    replayedLsn: toLsn(row.replayed_lsn),
    isReplayPaused: row.replay_paused,
    attachedStandbys: JSON.parse(row.attached_standbys) as readonly AttachedStandby[],
    startedAt: row.started_at,
    ownRecord,
  };
}

const toLsn = (text: string | null): Lsn | null => (text === null ? null : parseLsn(text));
