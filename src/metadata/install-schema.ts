import type { Database } from "../postgres/database.js";
import tables from "./schema/001-tables.sql?raw";
import views from "./schema/002-views.sql?raw";
import readingFunctions from "./schema/003-reading-functions.sql?raw";

/** Upgrade N is entry N-1. Entries are only ever added: a released one may be in somebody's database. */
const upgrades: readonly string[] = [tables, views, readingFunctions];

/** The version of the schema that this program makes. */
export const SCHEMA_VERSION = upgrades.length;

/**
 * Brings schema `repmgr` from `fromVersion` (0: it does not exist) to `toVersion` in one transaction and lets
 * `grantTo` use it. Throws DatabaseError; nothing is left behind then.
 */
export async function installSchema(
  database: Database,
  fromVersion: number,
  { toVersion = SCHEMA_VERSION, grantTo }: { readonly toVersion?: number; readonly grantTo?: string } = {},
): Promise<void> {
  await database.transaction(async () => {
    for (const upgrade of upgrades.slice(fromVersion, toVersion)) await database.query(upgrade);
    await database.query(
      `INSERT INTO repmgr.settings (name, value) VALUES ('schema_version', $1)
       ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
      [String(toVersion)],
    );
    if (grantTo !== undefined) await grantUse(database, grantTo);
  });
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
