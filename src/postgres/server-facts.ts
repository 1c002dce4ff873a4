import type { SourceServerFacts } from "../model/source-server.js";
import type { Database } from "./database.js";

const SETTINGS = [
  "wal_level",
  "max_wal_senders",
  "max_replication_slots",
  "wal_keep_size",
  "archive_mode",
  "archive_command",
  "archive_library",
  "hot_standby",
  "data_checksums",
  "wal_log_hints",
  "sync_replication_slots",
];

interface FactsRow {
  readonly system_identifier: string;
  readonly identity: string;
  readonly in_recovery: boolean;
  readonly is_superuser: boolean;
  readonly may_replicate: boolean;
  readonly used_wal_senders: number;
  readonly used_slots: number;
  readonly tablespace_locations: string[];
  readonly settings: Record<string, string>;
}

/** One round trip; needs no right beyond that to connect. */
export async function readSourceServerFacts(database: Database): Promise<SourceServerFacts> {
  const [row] = await database.query<FactsRow>(
    `SELECT c.system_identifier::text AS system_identifier, ${SERVER_IDENTITY} AS identity,
            pg_catalog.pg_is_in_recovery() AS in_recovery,
            r.rolsuper AS is_superuser, r.rolreplication AS may_replicate,
            (SELECT count(*)::int FROM pg_catalog.pg_stat_replication) AS used_wal_senders,
            (SELECT count(*)::int FROM pg_catalog.pg_replication_slots) AS used_slots,
            ARRAY(SELECT pg_catalog.pg_tablespace_location(t.oid) FROM pg_catalog.pg_tablespace t
                   WHERE pg_catalog.pg_tablespace_location(t.oid) LIKE '/%') AS tablespace_locations,
            (SELECT pg_catalog.json_object_agg(s.name, s.setting) FROM pg_catalog.pg_settings s
              WHERE s.name = ANY ($1)) AS settings
       FROM pg_catalog.pg_control_system() c, pg_catalog.pg_roles r WHERE r.rolname = current_user`,
    [SETTINGS],
  );
  if (row === undefined) throw new Error("the server described neither its system nor the current role");
  return {
    systemIdentifier: row.system_identifier,
    identity: row.identity,
    inRecovery: row.in_recovery,
    role: { isSuperuser: row.is_superuser, mayReplicate: row.may_replicate },
    usedWalSenders: row.used_wal_senders,
    usedSlots: row.used_slots,
    tablespaceLocations: row.tablespace_locations,
    settings: new Map(Object.entries(row.settings)),
  };
}

/** The start of the postmaster to the microsecond beside its port: the system identifier is the same on all nodes. */
const SERVER_IDENTITY = `pg_catalog.concat_ws('/', extract(epoch FROM pg_catalog.pg_postmaster_start_time()),
                                              pg_catalog.current_setting('port'))`;

export async function readServerIdentity(database: Database): Promise<string> {
  const [row] = await database.query<{ identity: string }>(`SELECT ${SERVER_IDENTITY} AS identity`);
  return row?.identity ?? "";
}

/** The size of all databases. Throws DatabaseError when the user may not connect to one of them. */
export async function readInstallationBytes(database: Database): Promise<number> {
  const [row] = await database.query<{ bytes: string }>(
    "SELECT pg_catalog.sum(pg_catalog.pg_database_size(oid))::text AS bytes FROM pg_catalog.pg_database",
  );
  return Number(row?.bytes ?? 0);
}
