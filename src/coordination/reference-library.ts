import { DatabaseError } from "../errors/database-error.js";
import type { NodeId } from "../model/node-record.js";
import type { Database } from "../postgres/database.js";

/** What repmgr's own daemons and the scripts that read its functions want to know of the daemon of a node. */
export interface DaemonForLibrary {
  readonly nodeId: NodeId;
  /** Null on a primary. */
  readonly upstreamNodeId: NodeId | null;
  readonly processId: number;
  readonly pidFile: string | null;
}

/** What the reference's shared memory has for "none". */
const NONE = -1;

/** Whether the server has loaded the reference's library: the functions of our own schema are not in C. */
export async function hasReferenceLibrary(database: Database): Promise<boolean> {
  const [row] = await database.query<{ found: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_proc p
                      JOIN pg_catalog.pg_language l ON l.oid = p.prolang
                     WHERE p.pronamespace = pg_catalog.to_regnamespace('repmgr')
                       AND p.proname = 'set_repmgrd_pid' AND l.lanname = 'c')
            AND pg_catalog.current_setting('shared_preload_libraries') ~ '(^|[/, ])repmgr' AS found`,
  );
  return row?.found === true;
}

/** Tells the library on the own server that this daemon runs, and whom it watches. Throws DatabaseError. */
export async function showInLibrary(database: Database, daemon: DaemonForLibrary): Promise<void> {
  const { nodeId, upstreamNodeId, processId, pidFile } = daemon;
  await database.query("SELECT repmgr.set_local_node_id($1)", [nodeId]);
  await database.query("SELECT repmgr.set_repmgrd_pid($1, $2)", [processId, pidFile ?? ""]);
  await database.query("SELECT repmgr.set_upstream_node_id($1)", [upstreamNodeId ?? NONE]);
}

/** The library keeps the moment of this call. Throws DatabaseError. */
export async function showUpstreamSeen(database: Database, upstream: NodeId): Promise<void> {
  await database.query("SELECT repmgr.set_upstream_last_seen($1)", [upstream]);
}

/** This daemon has ended. What a server can cause is passed over: it may be down as well. */
export async function removeFromLibrary(database: Database): Promise<void> {
  try {
    await database.query("SELECT repmgr.set_repmgrd_pid($1, NULL)", [NONE]);
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
  }
}
