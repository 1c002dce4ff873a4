import type { Conninfo } from "../model/conninfo.js";
import type { Database, Databases } from "./database.js";
import { renderStopScript, type StopOrder } from "./stop-script.js";

/** Until when the server may be writable, and as what. */
export interface GuardKick {
  /** Milliseconds since the epoch. */
  readonly goodUntil: number;
  readonly timeline: number;
  readonly term: number;
}

/** What the dead-man session has to know from the start. Times are by the server's own clock. */
export interface GuardOrder extends GuardKick, StopOrder {}

/** The newest dead-man session, as its server shows it. */
export interface SeenGuard {
  /** By the server's clock, in milliseconds since the epoch, when it answered. */
  readonly now: number;
  readonly pid: number | null;
  /** Since its last turn, in milliseconds; negative after the clock was set back. */
  readonly silentMs: number | null;
}

const GUARD_NAME = "tsr1g";
const KICK_PREFIX = "tsr1k ";

/** Only sessions of the own role are believed: everybody may choose a name. */
const FIND = `
  SELECT EXTRACT(epoch FROM pg_catalog.clock_timestamp()) * 1000 AS now, guard.pid,
         EXTRACT(epoch FROM pg_catalog.clock_timestamp() - guard.xact_start) * 1000 AS silent_ms
    FROM (VALUES (1)) AS one
    LEFT JOIN LATERAL (SELECT pid, xact_start FROM pg_catalog.pg_stat_activity
                        WHERE application_name = '${GUARD_NAME}' AND state = 'active'
                          AND usename = CURRENT_USER AND datname = pg_catalog.current_database()
                        ORDER BY backend_start DESC, pid DESC LIMIT 1) AS guard ON true`;

interface FoundRow {
  readonly now: string | number;
  readonly pid: number | null;
  readonly silent_ms: string | number | null;
}

/** Throws DatabaseError. */
export async function findGuard(database: Database): Promise<SeenGuard> {
  const [row] = await database.query<FoundRow>(FIND);
  if (row === undefined) throw new RangeError("a query for one row returned none");
  const { now, pid, silent_ms } = row;
  return { now: Number(now), pid, silentMs: silent_ms === null ? null : Number(silent_ms) };
}

/** Whether this role may let the server run a program, which is how the session stops it. Throws DatabaseError. */
export async function mayRunServerPrograms(database: Database): Promise<boolean> {
  const [row] = await database.query<{ may: boolean }>(
    "SELECT pg_catalog.pg_has_role(CURRENT_USER, 'pg_execute_server_program', 'USAGE') AS may",
  );
  return row?.may === true;
}

/**
 * Shown as the name of this session, where the guard reads it within its next turn. `guard` is for a kick that another
 * guard, or none, was given. Throws DatabaseError.
 */
export async function showKick(
  database: Database,
  kick: GuardKick & { readonly guard?: "process" | "none" },
): Promise<void> {
  const { goodUntil, timeline, term, guard } = kick;
  const end = guard === undefined ? "" : ` w=${guard}`;
  const name = `${KICK_PREFIX}g=${Math.floor(goodUntil)} l=${timeline} t=${term}${end}`;
  await database.query("SELECT pg_catalog.set_config('application_name', $1, false)", [name]);
}

/** The newest kick of the own role; null without one. Throws DatabaseError. */
export async function readKick(
  database: Database,
): Promise<{ readonly goodUntil: number; readonly isByProcess: boolean } | null> {
  const [row] = await database.query<{ name: string | null }>(
    `SELECT pg_catalog.max(application_name) AS name FROM pg_catalog.pg_stat_activity
      WHERE application_name LIKE '${KICK_PREFIX}g=%' AND usename = CURRENT_USER
        AND datname = pg_catalog.current_database()`,
  );
  const name = row?.name ?? "";
  const goodUntil = /g=(\d+)/.exec(name)?.[1];
  return goodUntil === undefined
    ? null
    : { goodUntil: Number(goodUntil), isByProcess: name.endsWith(" w=process") };
}

/** Ends all dead-man sessions of this role. Throws DatabaseError. */
export async function endGuards(database: Database): Promise<void> {
  await database.query(
    `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
      WHERE application_name = '${GUARD_NAME}' AND usename = CURRENT_USER
        AND datname = pg_catalog.current_database()`,
  );
}

/** What could end or hold up a statement that never ends, and goes on when its client is dead. */
const SETTINGS: readonly (readonly [name: string, value: string, since: number])[] = [
  ["application_name", GUARD_NAME, 0],
  ["statement_timeout", "0", 0],
  ["idle_in_transaction_session_timeout", "0", 0],
  ["lock_timeout", "300ms", 0],
  ["client_connection_check_interval", "0", 140_000],
  ["transaction_timeout", "0", 170_000],
];

/**
 * Starts a dead-man session in the server: it stops the server by itself, once it has been good for nothing for as long
 * as its last kick said, whatever has become of the client. The promise of the session resolves when it is on its way;
 * `findGuard` tells when it is there. Throws ConnectionError, DatabaseError.
 */
export async function startGuardSession(
  databases: Databases,
  conninfo: Conninfo,
  { order, signal }: { readonly order: (now: number) => GuardOrder; readonly signal: AbortSignal },
): Promise<Database> {
  const database = await databases.connect(conninfo, { signal });
  try {
    for (const [name, value, since] of SETTINGS)
      if (database.serverVersion >= since)
        await database.query("SELECT pg_catalog.set_config($1, $2, false)", [name, value]);
    const { now } = await findGuard(database);
    const text = renderGuard(order(now));
    // It ends with the server, or when a newer session takes over.
    database.query(text).then(
      () => database.close(),
      () => database.close(),
    );
  } catch (error) {
    void database.close();
    throw error;
  }
  return database;
}

/**
 * The loop holds no snapshot, takes no lock that could stay, and goes on without news when it cannot read the sessions.
 * A newer session has taken over what an older one did, which may have been frozen meanwhile. In recovery it waits: the
 * time may be over before a promotion ends. A clock that is set back takes the end of the time with it; while `pg_sleep`
 * waits, as nearly always, it makes that sleep longer by as much, and whoever kicks has to start another one.
 */
function renderGuard(order: GuardOrder): string {
  return `DO $guard$
DECLARE
  good timestamptz := pg_catalog.to_timestamp(${order.goodUntil / 1000});
  timeline text := '${order.timeline}';
  term text := '${order.term}';
  last_turn timestamptz := pg_catalog.clock_timestamp();
  turn timestamptz;
  kick text;
  last_kick text;
  is_replaced boolean := false;
BEGIN
  LOOP
    turn := pg_catalog.clock_timestamp();
    IF turn < last_turn THEN good := good - (last_turn - turn); END IF;
    last_turn := turn;
    BEGIN
      PERFORM pg_catalog.pg_stat_clear_snapshot();
      SELECT pg_catalog.max(application_name) FILTER (WHERE application_name LIKE '${KICK_PREFIX}%'),
             COALESCE(pg_catalog.bool_or(application_name = '${GUARD_NAME}' AND state = 'active'
                      AND (backend_start, pid) > (SELECT me.backend_start, me.pid
                            FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) AS me)), false)
        INTO kick, is_replaced
        FROM pg_catalog.pg_stat_get_activity(NULL)
       WHERE usesysid = (SELECT me.usesysid FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) AS me)
         AND datid = (SELECT me.datid FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) AS me);
      IF kick IS DISTINCT FROM last_kick AND kick ~ '^${KICK_PREFIX}g=[0-9]+ l=[0-9]+ t=[0-9]+( |$)' THEN
        last_kick := kick;
        good := GREATEST(good, pg_catalog.to_timestamp(pg_catalog.substring(kick, 'g=([0-9]+)')::float8 / 1000));
        timeline := pg_catalog.substring(kick, 'l=([0-9]+)');
        term := pg_catalog.substring(kick, 't=([0-9]+)');
      END IF;
    EXCEPTION WHEN OTHERS THEN
      NULL;
    END;
    IF is_replaced THEN RETURN; END IF;
    IF turn > good AND NOT pg_catalog.pg_is_in_recovery() THEN
      -- A promotion that no kick has told of yet: its term is not on record.
      IF timeline::int <> ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8))::bit(32)::int THEN
        timeline := ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8))::bit(32)::int;
        term := '0';
      END IF;
      EXECUTE pg_catalog.format('COPY (SELECT 1) TO PROGRAM %L',
        pg_catalog.replace(pg_catalog.replace(${quoteLiteral(renderStopScript(order))}, '@timeline@', timeline), '@term@', term));
      RETURN;
    END IF;
    COMMIT;
    PERFORM pg_catalog.pg_sleep(0.1);
    COMMIT;
  END LOOP;
END $guard$`;
}

function quoteLiteral(text: string): string {
  return `$stop$${text}$stop$`;
}
