import type { Problem } from "../model/problem.js";
import type { AttachPurpose } from "./attach.js";

export interface VoteFacts {
  /** The highest term that this node has voted in; 0: none. */
  readonly votedTerm: number;
  /** Null when it is not known. */
  readonly votedAgoMs: number | null;
  /** Of the primary's own log; null when it has none. */
  readonly termRow: number | null;
}

export interface VoteRules {
  readonly isSynchronous: boolean;
  /** `vote_hold` */
  readonly holdMs: number;
}

/**
 * What keeps this node from a primary that is older than its vote: who got the vote may be the primary by now, and the
 * older one would acknowledge rows with this node's help that are lost when both meet. In synchronous mode for good, since
 * no acknowledged row may be lost; else until the vote has run out. Null: nothing.
 */
export function judgeVote(
  { votedTerm, votedAgoMs, termRow }: VoteFacts,
  { isSynchronous, holdMs }: VoteRules,
  purpose: AttachPurpose,
): Problem | null {
  if (votedTerm === 0 || (termRow ?? 0) >= votedTerm) return null;
  const leftMs = votedAgoMs === null || votedAgoMs < 0 ? 0 : holdMs - votedAgoMs;
  if (!isSynchronous && leftMs <= 0) return null;
  return {
    message: `the ${purpose} target is older than a vote of this node`,
    detail: `this node has voted in term ${votedTerm}; that of the primary is ${termRow ?? "unknown"}`,
    hint: isSynchronous
      ? "see that the daemon of the primary runs: it asks for votes in a later term by itself"
      : `"cluster show" tells who is the primary; if it stays this one, try again in ${Math.ceil(leftMs / 1000)} seconds`,
  };
}
