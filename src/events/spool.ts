import { DatabaseError } from "../errors/database-error.js";
import type { NodeId } from "../model/node-record.js";
import type { Database } from "../postgres/database.js";
import type { LineFile } from "../system/line-file.js";
import type { EventType } from "./event-types.js";

/** An event as it waits to be stored. */
interface SpooledEvent {
  readonly nodeId: NodeId;
  readonly event: EventType;
  readonly successful: boolean;
  /** When it was raised: ISO 8601 in UTC with microseconds, no two of a node the same. */
  readonly time: string;
  readonly details: string | null;
}

/** Events that were raised while there was nowhere to store them; in their order, also after a restart. */
export interface EventSpool {
  add(event: Omit<SpooledEvent, "time">, nowMs: number): SpooledEvent;
  readonly size: number;
  /**
   * Stores what waits, oldest first, as long as `isWanted`. Throws DatabaseError; what is not stored by then goes on
   * waiting.
   */
  storeOn(database: Database, isWanted?: () => boolean): Promise<void>;
}

/** What a cluster without a primary may leave behind; the oldest go first. */
const MOST_EVENTS = 10_000;

/** `file` null: nothing survives a restart. `onFileFailure` is told of a file that cannot be written. */
export function createEventSpool(file: LineFile | null, onFileFailure: (error: unknown) => void): EventSpool {
  let waiting: SpooledEvent[] = readWaiting(file, onFileFailure);
  let lastMicroseconds = 0n;
  const rewrite = async (): Promise<void> => {
    try {
      await file?.replace(waiting.map((event) => JSON.stringify(event)));
    } catch (error) {
      onFileFailure(error);
    }
  };
  let storing: Promise<void> | null = null;
  const store = async (database: Database, isWanted: () => boolean): Promise<void> => {
    try {
      for (let event = waiting[0]; event !== undefined && isWanted(); event = waiting[0]) {
        await insertOnce(database, event);
        waiting.shift();
      }
    } finally {
      await rewrite();
    }
  };
  return {
    add: (event, nowMs) => {
      const now = BigInt(Math.trunc(nowMs)) * 1000n;
      lastMicroseconds = now > lastMicroseconds ? now : lastMicroseconds + 1n;
      const spooled = { ...event, time: formatMicroseconds(lastMicroseconds) };
      waiting.push(spooled);
      if (waiting.length > MOST_EVENTS) waiting = waiting.slice(-MOST_EVENTS);
      try {
        file?.append(JSON.stringify(spooled));
      } catch (error) {
        onFileFailure(error);
      }
      return spooled;
    },
    get size() {
      return waiting.length;
    },
    storeOn: async (database, isWanted = () => true) => {
      if (waiting.length === 0) return;
      storing ??= store(database, isWanted).finally(() => {
        storing = null;
      });
      await storing;
    },
  };
}

function readWaiting(file: LineFile | null, onFileFailure: (error: unknown) => void): SpooledEvent[] {
  try {
    return (file?.read() ?? []).flatMap((line) => {
      try {
        return [JSON.parse(line) as SpooledEvent];
      } catch {
        // Cut off by a crash while it was written.
        return [];
      }
    });
  } catch (error) {
    onFileFailure(error);
    return [];
  }
}

function formatMicroseconds(microseconds: bigint): string {
  const instant = new Date(Number(microseconds / 1000n)).toISOString();
  return `${instant.slice(0, -1)}${String(microseconds % 1000n).padStart(3, "0")}Z`;
}

/** A crash between the row and the removal from the file must not make it two rows. */
async function insertOnce(database: Database, event: SpooledEvent): Promise<void> {
  const values = [event.nodeId, event.event, event.successful, event.time, event.details];
  const [row] = await database.query<{ in_recovery: boolean }>(
    "SELECT pg_catalog.pg_is_in_recovery() AS in_recovery",
  );
  if (row?.in_recovery !== false)
    throw new DatabaseError({ message: "the server is not a primary any more", sqlState: "25006" });
  await database.query(
    `INSERT INTO repmgr.events (node_id, event, successful, event_timestamp, details)
     SELECT $1, $2, $3, $4::timestamptz, $5
      WHERE NOT EXISTS (SELECT FROM repmgr.events
                         WHERE node_id = $1 AND event = $2 AND event_timestamp = $4::timestamptz)`,
    values,
  );
}
