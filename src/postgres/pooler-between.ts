import type { Database } from "./database.js";

/**
 * A pooler answers a new session with a process id of its own, as it has no server for it yet; what passes bytes on
 * shows the server's. `pid` is what the server calls itself: `pg_backend_pid()`.
 */
export const isThroughPooler = ({ backendPid }: Database, pid: number): boolean => backendPid !== pid;

/** Throws DatabaseError. */
export async function readIsThroughPooler(database: Database): Promise<boolean> {
  const [row] = await database.query<{ pid: number }>("SELECT pg_catalog.pg_backend_pid() AS pid");
  return row === undefined || isThroughPooler(database, row.pid);
}
