import type { Database } from "../postgres/database.js";
import { readSchemaState } from "./schema-state.js";
import tables from "./schema/001-tables.sql?raw";
import views from "./schema/002-views.sql?raw";
import readingFunctions from "./schema/003-reading-functions.sql?raw";

/** Upgrade N is entry N-1. Entries are only ever added: a released one may be in somebody's database. */
const upgrades: readonly string[] = [tables, views, readingFunctions];

/** The version of the schema that this program makes. */
export const SCHEMA_VERSION = upgrades.length;

/** Two programs that make the schema at once go one after the other; the letters are those of "repm", "gr.s". */
const SCHEMA_LOCK = [0x7265706d, 0x67722e73] as const;

/**
 * Brings schema `repmgr` from `fromVersion` (0: it does not exist) to `toVersion` in one transaction and lets
 * `grantTo` use it. False when another program did that at this moment. Throws DatabaseError; nothing is left behind then.
 */
export async function installSchema(
  database: Database,
  fromVersion: number,
  { toVersion = SCHEMA_VERSION, grantTo }: { readonly toVersion?: number; readonly grantTo?: string } = {},
): Promise<boolean> {
  return database.transaction(async () => {
    await database.query("SELECT pg_catalog.pg_advisory_xact_lock($1, $2)", [...SCHEMA_LOCK]);
    if (await isThereAlready(database, fromVersion)) return false;
    for (const upgrade of upgrades.slice(fromVersion, toVersion)) await database.query(upgrade);
    await database.query(
      `INSERT INTO repmgr.settings (name, value) VALUES ('schema_version', $1)
       ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
      [String(toVersion)],
    );
    if (grantTo !== undefined) await grantUse(database, grantTo);
    return true;
  });
}

/** Another program made the schema, or brought it up to date, since the caller has looked. */
async function isThereAlready(database: Database, fromVersion: number): Promise<boolean> {
  const { exists, ourVersion } = await readSchemaState(database);
  return fromVersion === 0 ? exists : ourVersion !== fromVersion;
}

async function grantUse(database: Database, role: string): Promise<void> {
  const [row] = await database.query<{ identifier: string }>(
    "SELECT pg_catalog.quote_ident($1) AS identifier",
    [role],
  );
  if (row === undefined) return;
  await database.query(`GRANT USAGE ON SCHEMA repmgr TO ${row.identifier}`);
  await database.query(`GRANT ALL ON ALL TABLES IN SCHEMA repmgr TO ${row.identifier}`);
}
