import { DatabaseError } from "../errors/database-error.js";
import type { Conninfo } from "../model/conninfo.js";
import { ConnectionError } from "./connection-error.js";
import type { Databases } from "./database.js";
import { identifySystem } from "./replication-protocol.js";

/**
 * The timeline that a standby replays, by a walsender of its own: once its receiver has ended, as it has when the upstream
 * is gone, SQL knows only that of the last restart point. Null where no replication session is to be had in time.
 */
export async function readReplayedTimeline(
  databases: Databases,
  server: { readonly conninfo: Conninfo; readonly replicationUser: string },
  signal: AbortSignal,
): Promise<number | null> {
  const user = server.replicationUser === "" ? [] : ([["user", server.replicationUser]] as const);
  const conninfo = new Map([...server.conninfo, ...user]);
  try {
    const walsender = await databases.connect(conninfo, { replication: true, signal, interrupted: signal });
    try {
      return (await identifySystem(walsender)).timeline;
    } finally {
      void walsender.close();
    }
  } catch (error) {
    if (error instanceof ConnectionError || error instanceof DatabaseError) return null;
    throw error;
  }
}
