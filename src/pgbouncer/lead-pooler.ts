import {
  type EntryChange,
  formatPoolerAddress,
  type PauseOutcome,
  type PoolerAddress,
  type PoolerAim,
  type PoolerTarget,
  type RedirectOutcome,
} from "../model/pooler.js";
import type { Databases } from "../postgres/database.js";
import type { RemoteHosts } from "../remote/remote-hosts.js";
import type { Processes } from "../system/processes.js";
import {
  ConsoleError,
  pauseDatabase,
  type PooledDatabase,
  readAdministrators,
  reloadPooler,
  resumeDatabases,
} from "./console.js";
import {
  DatabaseFileError,
  probeDatabaseFile,
  readDatabaseFile,
  replaceDatabaseFile,
} from "./database-file.js";

/** A pgbouncer, and everything that is needed to lead it to another server. */
export interface PoolerAccess {
  readonly databases: Databases;
  readonly processes: Processes;
  readonly remoteHosts: RemoteHosts;
  readonly pooler: PoolerAddress;
  /** One of its admin_users; empty: the user of libpq. */
  readonly user: string;
  readonly passfile: string;
  /** The databases to lead, by pgbouncer's names. */
  readonly names: readonly string[];
  /** The file on its host with its [databases] section. */
  readonly file: string;
  /** For each of pausing, reading, writing and reloading. */
  readonly timeoutMs: number;
}

const NO_ADDRESS = 'the "conninfo" of the new primary names no host that this pgbouncer could reach';

/** Pauses every database at once, by name in the answer. Throws the reason of `signal` only. */
export async function pausePooler(
  access: PoolerAccess,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, PauseOutcome>> {
  const outcomes = access.names.map(
    async (name) => [name, await pauseDatabase(access, name, signal)] as const,
  );
  return new Map(await Promise.all(outcomes));
}

/** Null when the databases run again, otherwise why not. */
export async function resumePooler(access: PoolerAccess, names: readonly string[]): Promise<string | null> {
  return reasonOf(() => resumeDatabases(access, names));
}

/**
 * Rewrites the file, reloads, makes sure that pgbouncer took it, and resumes: in this order, so that a client that goes
 * on never reaches the old primary. Can be repeated; what is done already is left alone. `aim` null: the new primary has no
 * address that this pgbouncer could use.
 */
export async function redirectPooler(access: PoolerAccess, aim: PoolerAim | null): Promise<RedirectOutcome> {
  let changes: readonly EntryChange[] = [];
  const reason = await reasonOf(async () => {
    if (aim === null) throw new ConsoleError(NO_ADDRESS);
    const redirection = aim.rewrite(await readDatabaseFile(fileOf(access)));
    if (redirection.kind === "refused")
      throw new DatabaseFileError(`"${access.file}": ${redirection.reason}`);
    if (redirection.kind === "changed") {
      await replaceDatabaseFile(fileOf(access), redirection.text);
      ({ changes } = redirection);
    }
    const astray = findAstray(await reloadPooler(access), access.names, aim.target);
    if (astray !== null) throw new ConsoleError(astray);
    await resumeDatabases(access, access.names);
  });
  return reason === null ? { kind: "redirected", changes } : { kind: "failed", reason };
}

/** What `redirectPooler` would change, found without changing anything; also whether the user may. */
export async function rehearseRedirect(
  access: PoolerAccess,
  aim: PoolerAim | null,
): Promise<RedirectOutcome> {
  let changes: readonly EntryChange[] = [];
  const reason = await reasonOf(async () => {
    if (aim === null) throw new ConsoleError(NO_ADDRESS);
    const { user, administrators } = await readAdministrators(access);
    if (user !== "pgbouncer" && !administrators.includes(user))
      throw new ConsoleError(`user "${user}" must be one of its "admin_users"`);
    const redirection = aim.rewrite(await readDatabaseFile(fileOf(access)));
    await probeDatabaseFile(fileOf(access));
    if (redirection.kind === "refused")
      throw new DatabaseFileError(`"${access.file}": ${redirection.reason}`);
    if (redirection.kind === "changed") ({ changes } = redirection);
  });
  return reason === null ? { kind: "redirected", changes } : { kind: "failed", reason };
}

/** Opens the way to the file's host while there is time. Never rejects: a failure shows when the file is needed. */
export async function prepareFile(access: PoolerAccess): Promise<void> {
  await readDatabaseFile(fileOf(access)).catch(() => undefined);
}

const fileOf = (access: PoolerAccess) => ({ ...access, path: access.file });

/** RELOAD succeeds whatever the file holds, and also when pgbouncer reads another file. */
function findAstray(
  pooled: readonly PooledDatabase[],
  names: readonly string[],
  { host, port }: PoolerTarget,
): string | null {
  const wrong = names.filter((name) => {
    if (name === "*") return false;
    const database = pooled.find((known) => known.name === name);
    return database === undefined || database.host !== host || database.port !== port;
  });
  if (wrong.length === 0) return null;
  const list = wrong.map((name) => `"${name}"`).join(", ");
  return `after RELOAD its ${list} does not lead to ${formatPoolerAddress({ host, port })}: it reads another file, or refused this one (see its log)`;
}

/** Null when the work was done; the reason of an expected failure otherwise. */
async function reasonOf(work: () => Promise<unknown>): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (error instanceof ConsoleError || error instanceof DatabaseFileError) return error.message;
    throw error;
  }
}
