import type {
  AccessRule,
  ConfigurationFileError,
  ServerFacts,
  SlotFacts,
} from "../../decide/doctor/facts.js";
import { DatabaseError } from "../../errors/database-error.js";
import { readSchemaState } from "../../metadata/schema-state.js";
import type { Database } from "../../postgres/database.js";
import { isThroughPooler } from "../../postgres/pooler-between.js";
import type { Clock } from "../../system/clock.js";

const SETTINGS = [
  ...["wal_level", "max_wal_senders", "max_replication_slots", "hot_standby", "hot_standby_feedback"],
  ...["wal_log_hints", "data_checksums", "full_page_writes", "wal_keep_size", "max_slot_wal_keep_size"],
  ...["archive_mode", "archive_command", "archive_library", "listen_addresses", "ssl", "data_directory"],
  ...["max_connections", "max_worker_processes", "max_prepared_transactions", "max_locks_per_transaction"],
  ...["wal_sender_timeout", "shared_preload_libraries", "synchronous_standby_names", "cluster_name"],
  ...["primary_conninfo", "primary_slot_name", "sync_replication_slots"],
];

interface FactsRow {
  readonly backend_pid: number;
  readonly identity: string;
  readonly in_recovery: boolean;
  readonly may_replicate: boolean;
  readonly settings: Record<string, string>;
  readonly pending: readonly string[];
  readonly senders: readonly { readonly name: string; readonly state: string | null }[];
  readonly slots: readonly SlotRow[];
  readonly overrides: readonly string[];
  readonly failing_archive: string | null;
}

/** A row of the view as it is: later releases have more columns. */
interface SlotRow {
  readonly slot_name: string;
  readonly slot_type: string;
  readonly active: boolean;
  readonly wal_status: string | null;
  readonly retained_bytes: string | null;
  readonly failover?: boolean;
  readonly synced?: boolean;
}

const CURRENT_LSN = `CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
                          ELSE pg_catalog.pg_current_wal_lsn() END`;

const SELECT_FACTS = `
  SELECT pg_catalog.concat_ws('/', extract(epoch FROM pg_catalog.pg_postmaster_start_time()),
                              pg_catalog.current_setting('port')) AS identity,
         pg_catalog.pg_backend_pid() AS backend_pid,
         pg_catalog.pg_is_in_recovery() AS in_recovery,
         (SELECT rolsuper OR rolreplication FROM pg_catalog.pg_roles WHERE rolname = current_user) AS may_replicate,
         (SELECT pg_catalog.json_object_agg(name, setting) FROM pg_catalog.pg_settings
           WHERE name = ANY ($1)) AS settings,
         ARRAY(SELECT name FROM pg_catalog.pg_settings WHERE pending_restart ORDER BY name) AS pending,
         (SELECT COALESCE(pg_catalog.json_agg(pg_catalog.json_build_object(
                   'name', COALESCE(application_name, ''), 'state', state)), '[]')
            FROM pg_catalog.pg_stat_replication) AS senders,
         (SELECT COALESCE(pg_catalog.json_agg(pg_catalog.to_jsonb(s) || pg_catalog.jsonb_build_object(
                   'retained_bytes', pg_catalog.pg_wal_lsn_diff(${CURRENT_LSN}, s.restart_lsn)::text)
                 ORDER BY s.slot_name), '[]')
            FROM pg_catalog.pg_replication_slots s WHERE NOT s.temporary) AS slots,
         ARRAY(SELECT pg_catalog.concat_ws(' ', 'role "' || r.rolname || '"', 'database "' || d.datname || '"', c.setting)
                 FROM pg_catalog.pg_db_role_setting o
                CROSS JOIN LATERAL pg_catalog.unnest(o.setconfig) AS c (setting)
                 LEFT JOIN pg_catalog.pg_roles r ON r.oid = o.setrole
                 LEFT JOIN pg_catalog.pg_database d ON d.oid = o.setdatabase
                WHERE c.setting LIKE 'synchronous_commit=%' AND c.setting <> 'synchronous_commit=on'
                ORDER BY 1) AS overrides,
         (SELECT last_failed_wal FROM pg_catalog.pg_stat_archiver
           WHERE last_failed_time > COALESCE(last_archived_time, '-infinity')) AS failing_archive`;

/** What the checks need to know of one server, and what this user may know. Throws DatabaseError. */
export async function readDoctorServerFacts(database: Database, clock: Clock): Promise<ServerFacts> {
  const time = await measureClock(database, clock);
  const [row] = await database.query<FactsRow>(SELECT_FACTS, [SETTINGS]);
  if (row === undefined) throw new RangeError("a query for one row returned none");
  return {
    ...time,
    version: database.serverVersion,
    user: database.conninfo.get("user") ?? "",
    isThroughPooler: isThroughPooler(database, row.backend_pid),
    systemIdentifier: await ifReadable(() => readIdentifier(database)),
    identity: row.identity,
    inRecovery: row.in_recovery,
    settings: new Map(Object.entries(row.settings)),
    pendingRestart: row.pending,
    fileErrors: await ifReadable(() => readFileErrors(database)),
    accessRules: await ifReadable(() => readAccessRules(database)),
    slots: row.slots.map(toSlotFacts),
    walSenders: row.senders,
    schema: await readSchema(database),
    mayReplicate: row.may_replicate,
    synchronousCommitOverrides: row.overrides,
    failingArchive: row.failing_archive,
  };
}

/** The server's time lies somewhere within the round trip; its middle is off by half of it at most. */
async function measureClock(
  database: Database,
  clock: Clock,
): Promise<Pick<ServerFacts, "clockOffsetMs" | "roundTripMs">> {
  const [sentMs, startMs] = [clock.now(), clock.monotonic()];
  const [row] = await database.query<{ ms: number }>(
    "SELECT (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000)::float8 AS ms",
  );
  const roundTripMs = clock.monotonic() - startMs;
  return { clockOffsetMs: (row?.ms ?? 0) - (sentMs + roundTripMs / 2), roundTripMs };
}

/** Null where the server refuses the question to this user. */
async function ifReadable<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof DatabaseError && error.meaning === "insufficient-privilege") return null;
    throw error;
  }
}

async function readIdentifier(database: Database): Promise<string> {
  const [row] = await database.query<{ system_identifier: string }>(
    "SELECT system_identifier::text FROM pg_catalog.pg_control_system()",
  );
  return row?.system_identifier ?? "";
}

/** A change that waits for a restart has an error too; `pending_restart` tells of it. */
async function readFileErrors(database: Database): Promise<readonly ConfigurationFileError[]> {
  return database.query<ConfigurationFileError>(
    `SELECT COALESCE(sourcefile, '') AS file, COALESCE(sourceline, 0) AS line, name, error
       FROM pg_catalog.pg_file_settings
      WHERE error IS NOT NULL AND error <> 'setting could not be applied' ORDER BY seqno`,
  );
}

async function readAccessRules(database: Database): Promise<readonly AccessRule[]> {
  return database.query<AccessRule>(
    `SELECT line_number AS line, type, COALESCE(database, '{}') AS databases, COALESCE(user_name, '{}') AS users,
            address, netmask, auth_method AS method, error
       FROM pg_catalog.pg_hba_file_rules ORDER BY line_number`,
  );
}

/** A schema whose tables this user may not read is there all the same. */
async function readSchema(database: Database): Promise<ServerFacts["schema"]> {
  const state = await ifReadable(() => readSchemaState(database));
  return state ?? { exists: true, extensionVersion: null, ourVersion: null, missingColumns: [] };
}

const toSlotFacts = (row: SlotRow): SlotFacts => ({
  name: row.slot_name,
  isPhysical: row.slot_type === "physical",
  isActive: row.active,
  walStatus: row.wal_status,
  retainedBytes: row.retained_bytes === null ? null : Number(row.retained_bytes),
  isFailover: row.failover ?? false,
  isSynced: row.synced ?? false,
});
