import { DatabaseError } from "../errors/database-error.js";
import type { Conninfo } from "../model/conninfo.js";
import { nameInConsole, type PauseOutcome, type PoolerAddress } from "../model/pooler.js";
import { ConnectionError } from "../postgres/connection-error.js";
import type { Database, Databases } from "../postgres/database.js";
import { raceDeadline, startDeadline } from "../postgres/deadline.js";

/** What a session with an administration console needs. */
export interface ConsoleAccess {
  readonly databases: Databases;
  readonly pooler: PoolerAddress;
  /** One of pgbouncer's admin_users; empty: the user of libpq. */
  readonly user: string;
  /** The password file, where another than libpq's is meant; else empty. */
  readonly passfile: string;
  /** For connecting and for the statements together. */
  readonly timeoutMs: number;
}

/** A console did not do what it was asked for; the message is the reason. */
export class ConsoleError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "ConsoleError";
  }
}

/**
 * Pauses one database. pgbouncer holds new transactions back from then on; its answer comes when the running ones have
 * ended, and the pause stays when nobody waits for that. Throws the reason of `signal` only.
 */
export async function pauseDatabase(
  access: ConsoleAccess,
  database: string,
  signal: AbortSignal,
): Promise<PauseOutcome> {
  const progress = { isAsked: false };
  try {
    await withConsole(access, signal, async (console) => {
      progress.isAsked = true;
      await console.query(`PAUSE${nameInConsole(database)}`);
    });
    return { kind: "paused" };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ConsoleError)) throw error;
    return progress.isAsked && error.cause === TIMEOUT
      ? { kind: "busy" }
      : { kind: "failed", reason: error.message };
  }
}

/** Lets the clients of these databases go on. A database that is not paused is as wished. Throws ConsoleError. */
export function resumeDatabases(access: ConsoleAccess, names: readonly string[]): Promise<void> {
  return withConsole(access, undefined, async (console) => {
    for (const name of names) {
      await console.query(`RESUME${nameInConsole(name)}`).catch((error: unknown) => {
        if (!(error instanceof DatabaseError) || !error.message.includes("not paused")) throw error;
      });
    }
  });
}

/** A database as this pgbouncer has it at the moment; a server on a local socket has an empty host. */
export interface PooledDatabase {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** Reads the configuration again; what was wrong in it, pgbouncer tells only its log. Throws ConsoleError. */
export function reloadPooler(access: ConsoleAccess): Promise<readonly PooledDatabase[]> {
  return withConsole(access, undefined, async (console) => {
    await console.query("RELOAD");
    const rows = await console.query<{ name: string; host: string | null; port: string | number }>(
      "SHOW DATABASES",
    );
    return rows.map(({ name, host, port }) => ({ name, host: host ?? "", port: Number(port) }));
  });
}

/** Whom this pgbouncer lets administrate it, with the user that we are to it. Throws ConsoleError. */
export function readAdministrators(
  access: ConsoleAccess,
): Promise<{ readonly user: string; readonly administrators: readonly string[] }> {
  return withConsole(access, undefined, async (console) => {
    const rows = await console.query<{ key: string; value: string | null }>("SHOW CONFIG");
    const text = rows.find(({ key }) => key === "admin_users")?.value ?? "";
    const administrators = text.split(",").map((name) => name.trim());
    return { user: console.conninfo.get("user") ?? "", administrators };
  });
}

const TIMEOUT = Symbol("timeout");

async function withConsole<T>(
  access: ConsoleAccess,
  signal: AbortSignal | undefined,
  work: (console: Database) => Promise<T>,
): Promise<T> {
  const { databases, pooler, user, passfile, timeoutMs } = access;
  const conninfo: Conninfo = new Map([
    ["host", pooler.host],
    ["port", String(pooler.port)],
    ["dbname", "pgbouncer"],
    ...(user === "" ? [] : ([["user", user]] as const)),
    ...(passfile === "" ? [] : ([["passfile", passfile]] as const)),
  ]);
  const deadline = startDeadline(timeoutMs, signal);
  let console: Database | null = null;
  try {
    console = await databases.connect(conninfo, { console: true, signal: deadline.signal });
    return await raceDeadline(work(console), deadline.signal);
  } catch (error) {
    if (deadline.signal.aborted)
      throw new ConsoleError(`no answer within ${timeoutMs / 1000} seconds`, TIMEOUT);
    if (!(error instanceof ConnectionError || error instanceof DatabaseError)) throw error;
    const isStranger = /not allowed|admin access needed/.test(error.message);
    const advice = `; user "${user}" must be one of its "admin_users" (parameter "pgbouncer_user")`;
    throw new ConsoleError(`${error.message}${isStranger ? advice : ""}`, error);
  } finally {
    deadline.release();
    await console?.close();
  }
}
