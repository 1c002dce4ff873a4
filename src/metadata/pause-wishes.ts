import { DatabaseError } from "../errors/database-error.js";
import type { NodeId } from "../model/node-record.js";
import type { Database } from "../postgres/database.js";

/** What was asked of a daemon that did not run then. */
export interface PauseWish {
  readonly isPaused: boolean;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

const nameOf = (id: NodeId): string => `pause_node_${id}`;

/** Leaves the wish in the metadata, for the daemon's next start. Throws DatabaseError. */
export async function leavePauseWish(primary: Database, id: NodeId, wish: PauseWish): Promise<void> {
  await primary.query(
    `INSERT INTO repmgr.settings (name, value) VALUES ($1, $2)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    [nameOf(id), `${wish.isPaused ? 1 : 0} ${wish.at}`],
  );
}

/** Null when there is none, and where the schema is the extension's, which has no such table. */
export async function readPauseWish(database: Database, id: NodeId): Promise<PauseWish | null> {
  try {
    const [row] = await database.query<{ value: string }>(
      "SELECT value FROM repmgr.settings WHERE name = $1",
      [nameOf(id)],
    );
    const match = /^([01]) (\d+)$/.exec(row?.value ?? "");
    return match === null ? null : { isPaused: match[1] === "1", at: Number(match[2]) };
  } catch (error) {
    if (error instanceof DatabaseError && error.meaning === "undefined-object") return null;
    throw error;
  }
}
