import { type Lsn, parseLsn } from "../model/lsn.js";
import type { Database } from "./database.js";
import { quoteIdentifier } from "./quote-identifier.js";

/** The answer to IDENTIFY_SYSTEM. */
export interface SystemIdentity {
  /** 64 bits without sign, in decimal. */
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** Flushed on a primary, replayed on a standby. */
  readonly position: Lsn;
}

/** Throws DatabaseError. `session` is one that was opened with `replication`. */
export async function identifySystem(session: Database): Promise<SystemIdentity> {
  const [row] = await session.query<{ systemid: string; timeline: number | string; xlogpos: string }>(
    "IDENTIFY_SYSTEM",
  );
  if (row === undefined) throw new Error("IDENTIFY_SYSTEM answered without a row");
  // A bigint since PostgreSQL 16, which comes as text.
  const timeline = Number(row.timeline);
  return { systemIdentifier: row.systemid, timeline, position: parseLsn(row.xlogpos) };
}

/** The text of the history file of one timeline. Throws DatabaseError, also when the server has no such file. */
export async function timelineHistory(session: Database, timeline: number): Promise<string> {
  const [row] = await session.query<{ content: Buffer | string }>(`TIMELINE_HISTORY ${timeline}`);
  if (row === undefined) throw new Error("TIMELINE_HISTORY answered without a row");
  return row.content.toString();
}

/** Makes a physical slot that keeps WAL from now on. Throws DatabaseError. */
export async function createPhysicalSlot(session: Database, slotName: string): Promise<void> {
  await session.query(`CREATE_REPLICATION_SLOT ${quoteIdentifier(slotName)} PHYSICAL RESERVE_WAL`);
}

/** Throws DatabaseError. */
export async function dropSlot(session: Database, slotName: string): Promise<void> {
  await session.query(`DROP_REPLICATION_SLOT ${quoteIdentifier(slotName)}`);
}
