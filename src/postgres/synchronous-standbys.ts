import { parseLsn } from "../model/lsn.js";
import type { WalSender } from "../model/sync-state.js";
import type { Clock } from "../system/clock.js";
import type { Database } from "./database.js";

const POLL_EVERY_MS = 20;
const RELOADED_WITHIN_MS = 2000;
/** A reload reaches the sessions and the WAL senders one after the other. */
const SPREADS_WITHIN_MS = 100;

interface SenderRow {
  readonly name: string;
  readonly state: string | null;
  readonly flush_lsn: string | null;
  readonly slot_name: string | null;
  readonly address: string | null;
}

/** All WAL senders of this server, a base backup's too. As pg_monitor. Throws DatabaseError. */
export async function readWalSenders(database: Database): Promise<readonly WalSender[]> {
  const rows = await database.query<SenderRow>(
    `SELECT COALESCE(r.application_name, '') AS name, r.state, r.flush_lsn::text AS flush_lsn,
            (SELECT s.slot_name FROM pg_catalog.pg_replication_slots s WHERE s.active_pid = r.pid) AS slot_name,
            pg_catalog.host(r.client_addr) AS address
       FROM pg_catalog.pg_stat_replication r ORDER BY r.pid`,
  );
  return rows.map(({ name, state, flush_lsn: flushLsn, slot_name: slotName, address }) => ({
    name,
    state,
    flushLsn: flushLsn === null ? null : parseLsn(flushLsn),
    slotName,
    address,
  }));
}

/** Throws DatabaseError. */
export async function readStandbyNames(database: Database): Promise<string> {
  const [row] = await database.query<{ names: string }>(
    "SELECT pg_catalog.current_setting('synchronous_standby_names') AS names",
  );
  return row?.names ?? "";
}

/** Takes effect without a restart, and survives one. Resolves when it is in force. Throws DatabaseError. */
export async function setStandbyNames(
  database: Database,
  clock: Pick<Clock, "sleep" | "monotonic">,
  names: string,
): Promise<void> {
  await alterSystem(database, "synchronous_standby_names", names);
  await waitUntilReloaded(clock, async () => (await readStandbyNames(database)) === names);
  await clock.sleep(SPREADS_WITHIN_MS);
}

/**
 * The same on a primary, and lets go of commits that are complete by the new names: one that waits is acknowledged when a
 * standby reports again, which it does when it gets more of the log. Throws DatabaseError.
 */
export async function changeStandbyNames(
  primary: Database,
  clock: Pick<Clock, "sleep" | "monotonic">,
  names: string,
): Promise<void> {
  await alterSystem(primary, "synchronous_standby_names", names);
  await waitUntilReloaded(clock, async () => (await readStandbyNames(primary)) === names);
  await provokeReports(primary);
  await clock.sleep(SPREADS_WITHIN_MS);
  // A WAL sender that did not know of the new names yet has let that report pass.
  await provokeReports(primary);
}

async function provokeReports(primary: Database): Promise<void> {
  await primary.query("SELECT pg_catalog.pg_logical_emit_message(true, 'tsrepmgr', '')");
}

/** Takes out what ALTER SYSTEM has set; postgresql.conf decides again. Throws DatabaseError. */
export async function resetStandbyNames(database: Database): Promise<void> {
  await database.query("ALTER SYSTEM RESET synchronous_standby_names");
  await database.query("SELECT pg_catalog.pg_reload_conf()");
}

/** The server will stream from nobody when it is started again. Throws DatabaseError. */
export const emptyPrimaryConninfo = (database: Database): Promise<void> =>
  alterSystem(database, "primary_conninfo", "");

/** The server streams from nobody any more, not after a restart either. Throws DatabaseError. */
export async function clearPrimaryConninfo(
  database: Database,
  clock: Pick<Clock, "sleep" | "monotonic">,
): Promise<void> {
  await emptyPrimaryConninfo(database);
  await waitUntilReloaded(clock, async () => (await readPrimaryConninfo(database)) === "");
  await clock.sleep(SPREADS_WITHIN_MS);
}

/** As the server has it in force; null for a user who may not see it. Throws DatabaseError. */
export async function readPrimaryConninfo(database: Database): Promise<string | null> {
  const [row] = await database.query<{ setting: string | null }>(
    "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'primary_conninfo'",
  );
  return row?.setting ?? null;
}

/** ALTER SYSTEM takes no parameters. */
async function alterSystem(database: Database, name: string, value: string): Promise<void> {
  await database.query(`ALTER SYSTEM SET ${name} = E'${value.replace(/['\\]/g, "\\$&")}'`);
  await database.query("SELECT pg_catalog.pg_reload_conf()");
}

async function waitUntilReloaded(
  clock: Pick<Clock, "sleep" | "monotonic">,
  isInForce: () => Promise<boolean>,
): Promise<void> {
  const deadline = clock.monotonic() + RELOADED_WITHIN_MS;
  while (!(await isInForce())) {
    if (clock.monotonic() > deadline) throw new Error("the server did not reload its configuration");
    await clock.sleep(POLL_EVERY_MS);
  }
}
