import type { Database } from "./database.js";

/** Whether the server is a standby or still recovering. */
export async function isInRecovery(database: Database): Promise<boolean> {
  const [row] = await database.query<{ in_recovery: boolean }>(
    "SELECT pg_catalog.pg_is_in_recovery() AS in_recovery",
  );
  return row?.in_recovery ?? true;
}

/** The cluster's identity, the same on a primary and all its standbys; as text because it exceeds 2^53. */
export async function readSystemIdentifier(database: Database): Promise<string> {
  const [row] = await database.query<{ system_identifier: string }>(
    "SELECT system_identifier::text FROM pg_catalog.pg_control_system()",
  );
  return row?.system_identifier ?? "";
}

/** How a standby of the given name is attached: its state, `null` when this user may not see it; "absent" if it is not there. */
export async function readAttachment(
  database: Database,
  applicationName: string,
): Promise<{ readonly attached: boolean; readonly state: string | null }> {
  const rows = await database.query<{ state: string | null }>(
    "SELECT state FROM pg_catalog.pg_stat_replication WHERE application_name = $1 ORDER BY state = 'streaming' DESC",
    [applicationName],
  );
  return { attached: rows.length > 0, state: rows[0]?.state ?? null };
}
