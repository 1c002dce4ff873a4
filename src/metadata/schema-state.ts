import type { Database } from "../postgres/database.js";
import type { SchemaState } from "../model/schema-state.js";

const REQUIRED_COLUMNS: Readonly<Record<string, readonly string[]>> = {
  nodes: [
    "node_id",
    "upstream_node_id",
    "active",
    "node_name",
    "type",
    "location",
    "priority",
    "conninfo",
    "repluser",
    "slot_name",
    "config_file",
  ],
  events: ["node_id", "event", "successful", "event_timestamp", "details"],
  voting_term: ["term"],
};

/** Reads it in at most two round trips; needs no right on the schema itself. */
export async function readSchemaState(database: Database): Promise<SchemaState> {
  const required = Object.entries(REQUIRED_COLUMNS).flatMap(([table, columns]) =>
    columns.map((column) => `${table}.${column}`),
  );
  const [row] = await database.query<{
    exists: boolean;
    extension_version: string | null;
    has_settings: boolean;
    present: string[];
  }>(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'repmgr') AS exists,
            (SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'repmgr') AS extension_version,
            EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                     WHERE n.nspname = 'repmgr' AND c.relname = 'settings') AS has_settings,
            ARRAY(SELECT c.relname || '.' || a.attname
                    FROM pg_catalog.pg_attribute a
                    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
                    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                   WHERE n.nspname = 'repmgr' AND a.attnum > 0 AND NOT a.attisdropped) AS present`,
  );
  const present = new Set(row?.present);
  return {
    exists: row?.exists ?? false,
    extensionVersion: row?.extension_version ?? null,
    ourVersion: row?.has_settings === true ? await readVersion(database) : null,
    missingColumns: required.filter((column) => !present.has(column)),
  };
}

async function readVersion(database: Database): Promise<number | null> {
  const [row] = await database.query<{ value: string }>(
    "SELECT value FROM repmgr.settings WHERE name = 'schema_version'",
  );
  return row === undefined ? null : Number(row.value);
}
