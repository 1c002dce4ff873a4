import type { Lsn } from "./lsn.js";
import type { NodeId } from "./node-record.js";
import type { SyncExclusion } from "./sync-exclusion.js";

/** How far a node's log has come: the term of the last promotion in it (`repmgr.voting_term`), then the LSN. */
export interface LogPosition {
  readonly termRow: number;
  readonly lsn: Lsn;
}

/** Negative when `a` is behind `b`. The term goes first: a dead primary's tail may be longer than its successor's log. */
export function compareLogPositions(a: LogPosition, b: LogPosition): number {
  if (a.termRow !== b.termRow) return a.termRow - b.termRow;
  if (a.lsn === b.lsn) return 0;
  return a.lsn < b.lsn ? -1 : 1;
}

/** A vote is given once: this node gave that of `term` to `candidate`. */
export interface Vote {
  readonly term: number;
  readonly candidate: NodeId;
}

/** What a candidate leaves in its session on a voter's server. */
export interface VoteRequest extends Vote, LogPosition {
  /** Version of `repmgr.nodes` by which the candidate counts. */
  readonly membershipVersion: number;
  /** The candidate has given up this term, and its server can no longer be promoted by it. */
  readonly isAbandoned: boolean;
}

/** The lease that a primary asks its voters to echo (`primary_isolation_timeout`); `counter` only grows. */
export interface LeaseRequest {
  readonly holder: NodeId;
  /** The holder's term row. */
  readonly term: number;
  readonly counter: number;
}

/** Why a daemon stopped the primary that it watched over. */
export type StopReason = "superseded" | "equal-term" | "isolated";

export interface StoppedPrimary {
  readonly timeline: number;
  /** 0 when its promotion had not come as far as its record. */
  readonly term: number;
  readonly reason: StopReason;
}

/** What a daemon must know after a restart; the state file outside the data directory. */
export interface DaemonMemory {
  /** The highest vote given; null before the first one. */
  readonly vote: Vote | null;
  /** What this server was primary of when it was stopped; PostgreSQL forgets it at the first start as a standby. */
  readonly wasPrimary: StoppedPrimary | null;
  /** A promotion was begun for this term, and it is not known yet how it ended. */
  readonly promotingTerm: number | null;
  /** Of a witness: the standby without which the primary may go on; null before the first one. */
  readonly exclusion: SyncExclusion | null;
  readonly isPaused: boolean;
}

/** Of a daemon that has never run. */
export const emptyMemory: DaemonMemory = {
  vote: null,
  wasPrimary: null,
  promotingTerm: null,
  exclusion: null,
  isPaused: false,
};

/** Written by a new primary as its first row, in the same transaction as the term. */
export interface PromotionRecord {
  readonly term: number;
  readonly node: NodeId;
  /** The timeline that began with it. */
  readonly timeline: number;
  /** Where the timeline before it ended. */
  readonly forkLsn: Lsn;
}
