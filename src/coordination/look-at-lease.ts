import type { Database } from "../postgres/database.js";
import { findGuard, readKick } from "../postgres/guard-session.js";

/** What a primary shows of the lease that it holds. */
export interface ShownLease {
  /** What stops the server while its daemon is dead or frozen. */
  readonly guard: "session" | "process" | "none";
  /** How long a majority still allows it to be writable, in milliseconds; negative: no daemon has renewed it in time. */
  readonly goodForMs: number;
}

/** Null when no daemon holds a lease there. Throws DatabaseError. */
export async function lookAtLease(database: Database): Promise<ShownLease | null> {
  const kick = await readKick(database);
  if (kick === null) return null;
  const { now, pid, silentMs } = await findGuard(database);
  const hasSession = pid !== null && silentMs !== null && Math.abs(silentMs) < SILENT_MS;
  return {
    guard: hasSession ? "session" : kick.isByProcess ? "process" : "none",
    goodForMs: kick.goodUntil - now,
  };
}

/** A session whose turns are late by more is stopped, or its clock was set back. */
export const SILENT_MS = 1000;
