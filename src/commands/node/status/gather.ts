import { join } from "node:path";
import type {
  FailoverSlotFacts,
  NodeStatusFacts,
  PendingArchiving,
  ReplicationFacts,
  ReplicationSlotFacts,
  SlotSynchronisationFacts,
} from "../../../decide/node-status.js";
import { DatabaseError } from "../../../errors/database-error.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { parseLsn, type Lsn } from "../../../model/lsn.js";
import type { Database } from "../../../postgres/database.js";
import { readSystemIdentifier } from "../../../postgres/server-state.js";
import { inspectPath, listRegularFiles } from "../../../system/directories.js";
import { connectToLocalNode } from "../../connect-local.js";
import type { CommandContext } from "../../define-command.js";
import { readNodeRecords } from "../../read-node-records.js";

interface StatusRow {
  readonly in_recovery: boolean;
  readonly archive_mode: string;
  readonly archive_command: string;
  readonly maximum_wal_senders: number;
  readonly maximum_slots: number;
  readonly wal_senders: readonly string[];
  readonly physical_slots: readonly ReplicationSlotFacts[];
  readonly received_lsn: string | null;
  readonly replayed_lsn: string | null;
  readonly lag_seconds: number | null;
  readonly is_receiving: boolean;
}

const SELECT_STATUS = `
  SELECT pg_catalog.pg_is_in_recovery() AS in_recovery,
         pg_catalog.current_setting('archive_mode') AS archive_mode,
         pg_catalog.current_setting('archive_command') AS archive_command,
         pg_catalog.current_setting('max_wal_senders')::int AS maximum_wal_senders,
         pg_catalog.current_setting('max_replication_slots')::int AS maximum_slots,
         ARRAY(SELECT COALESCE(application_name, '') FROM pg_catalog.pg_stat_replication) AS wal_senders,
         (SELECT COALESCE(pg_catalog.json_agg(pg_catalog.json_build_object('name', slot_name, 'isActive', active)), '[]')
            FROM pg_catalog.pg_replication_slots WHERE slot_type = 'physical') AS physical_slots,
         pg_catalog.pg_last_wal_receive_lsn()::text AS received_lsn,
         pg_catalog.pg_last_wal_replay_lsn()::text AS replayed_lsn,
         CASE WHEN pg_catalog.pg_last_wal_receive_lsn() IS NOT DISTINCT FROM pg_catalog.pg_last_wal_replay_lsn()
              THEN 0
              ELSE extract(epoch FROM pg_catalog.clock_timestamp()
                                      - pg_catalog.pg_last_xact_replay_timestamp())::int END AS lag_seconds,
         EXISTS (SELECT FROM pg_catalog.pg_stat_wal_receiver WHERE pid IS NOT NULL) AS is_receiving`;

/** Reads what `assessNodeStatus` needs from the local server. Throws UserError. */
export async function gatherNodeStatus(context: CommandContext): Promise<NodeStatusFacts> {
  const database = await connectToLocalNode(context);
  return {
    ...(await gatherReplicationFacts(context, database)),
    // Debian adds its package: "15.18 (Debian 15.18-0+deb12u1)".
    serverVersion: database.serverVersionText.replace(/ .*/s, ""),
    dataSize: await ifAllowed(() => readDataSize(database)),
    systemIdentifier: await ifAllowed(() => readSystemIdentifier(database)),
    slotSynchronisation: await readSlotSynchronisation(database),
  };
}

/** What this node's record and its server say of its part in replication. Throws UserError. */
export async function gatherReplicationFacts(
  context: CommandContext,
  database: Database,
): Promise<ReplicationFacts> {
  const records = await readNodeRecords(context, database);
  const ownId = context.settings.node_id;
  const record = records.find(({ nodeId }) => nodeId === ownId);
  if (record === undefined) {
    throw new UserError(exitCodes.badConfiguration, {
      message: `no record found for node ${ownId}`,
      hint: 'check with "cluster show" that this node is registered',
    });
  }
  const [row] = await database.query<StatusRow>(SELECT_STATUS);
  if (row === undefined) throw new RangeError("a query for one row returned none");
  return {
    record,
    upstream: records.find(({ nodeId }) => nodeId === record.upstreamNodeId) ?? null,
    downstreams: records.filter(
      ({ upstreamNodeId, type }) => upstreamNodeId === record.nodeId && type === "standby",
    ),
    inRecovery: row.in_recovery,
    archiveMode: row.archive_mode,
    archiveCommand: row.archive_command,
    pendingArchiving: await countPendingArchiving(context, database),
    maximumWalSenders: row.maximum_wal_senders,
    walSenders: row.wal_senders,
    maximumSlots: row.maximum_slots,
    physicalSlots: row.physical_slots,
    receivedLsn: toLsn(row.received_lsn),
    replayedLsn: toLsn(row.replayed_lsn),
    lagSeconds: row.lag_seconds,
    isWalReceiverRunning: row.is_receiving,
  };
}

interface SynchronisationRow {
  readonly slots: readonly FailoverSlotFacts[];
  readonly is_on: boolean;
  readonly is_worker_running: boolean | null;
  readonly has_feedback: boolean;
  readonly has_primary_slot: boolean;
  readonly has_database: boolean | null;
}

/** The columns exist from PostgreSQL 17 on; as JSON the question is one for all versions. */
const SELECT_SYNCHRONISATION = `
  SELECT (SELECT COALESCE(pg_catalog.json_agg(pg_catalog.json_build_object(
                   'name', slot ->> 'slot_name', 'isSynchronised', COALESCE((slot ->> 'synced')::boolean, false),
                   'invalidationReason', slot ->> 'invalidation_reason') ORDER BY slot ->> 'slot_name'), '[]')
            FROM (SELECT pg_catalog.to_jsonb(s) AS slot FROM pg_catalog.pg_replication_slots s) AS slots
           WHERE (slot ->> 'failover')::boolean) AS slots,
         COALESCE(pg_catalog.current_setting('sync_replication_slots', true), 'off') = 'on' AS is_on,
         CASE WHEN pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')
              THEN EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE backend_type = 'slotsync worker')
              END AS is_worker_running,
         pg_catalog.current_setting('hot_standby_feedback') = 'on' AS has_feedback,
         pg_catalog.current_setting('primary_slot_name') <> '' AS has_primary_slot,
         CASE WHEN pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE')
                   AND pg_catalog.current_setting('primary_conninfo') !~ '^postgres(ql)?://'
              THEN pg_catalog.current_setting('primary_conninfo') ~ 'dbname\\s*=' END AS has_database`;

async function readSlotSynchronisation(database: Database): Promise<SlotSynchronisationFacts> {
  const [row] = await database.query<SynchronisationRow>(SELECT_SYNCHRONISATION);
  if (row === undefined) throw new RangeError("a query for one row returned none");
  return {
    slots: row.slots,
    isOn: row.is_on,
    isWorkerRunning: row.is_worker_running,
    hasFeedback: row.has_feedback,
    hasPrimarySlot: row.has_primary_slot,
    hasDatabase: row.has_database,
  };
}

const toLsn = (text: string | null): Lsn | null => (text === null ? null : parseLsn(text));

/** Null where the server refuses the question to this user. */
async function ifAllowed<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof DatabaseError && error.meaning === "insufficient-privilege") return null;
    throw error;
  }
}

async function readDataSize(database: Database): Promise<NodeStatusFacts["dataSize"]> {
  const [row] = await database.query<{ bytes: string; text: string }>(
    `SELECT size::text AS bytes, pg_catalog.pg_size_pretty(size) AS text
       FROM (SELECT pg_catalog.sum(pg_catalog.pg_database_size(oid))::bigint AS size
               FROM pg_catalog.pg_database) AS total`,
  );
  return row === undefined ? null : { bytes: Number(row.bytes), text: row.text };
}

/** In the data directory, as the reference does; where we may not look, the server may. */
async function countPendingArchiving(
  { settings }: CommandContext,
  database: Database,
): Promise<PendingArchiving> {
  const path = join(settings.data_directory, "pg_wal", "archive_status");
  const seen = await listRegularFiles(path);
  if (seen !== null) return { kind: "counted", files: seen.filter((name) => name.endsWith(".ready")).length };
  const facts = await inspectPath(path);
  const files = await ifAllowed(async () => {
    const [row] = await database.query<{ count: number }>(
      "SELECT count(*)::int AS count FROM pg_catalog.pg_ls_archive_statusdir() WHERE name LIKE '%.ready'",
    );
    return row?.count ?? 0;
  });
  if (files !== null) return { kind: "counted", files };
  return {
    kind: "unreadable",
    path,
    reason: facts.kind === "unreadable" ? facts.reason : "No such directory",
  };
}
