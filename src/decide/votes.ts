import type { Member, Membership, ServerReport } from "../model/member-report.js";
import type { NodeId } from "../model/node-record.js";
import { compareLogPositions, type DaemonMemory, type VoteRequest } from "../model/vote.js";
import { CLOCK_RATE_ERROR, type FailoverSettings } from "./failover-settings.js";
import type { VoterState } from "./watch-types.js";

export interface Ballot {
  readonly self: NodeId;
  readonly request: VoteRequest;
  readonly memory: DaemonMemory;
  readonly voter: VoterState;
  readonly server: ServerReport;
  readonly membership: Membership;
  /** The term in the log of the primary that was seen last, where it has told; null otherwise. */
  readonly primaryTermRow: number | null;
  /** The own daemon still tries to reach the primary again. */
  readonly isReconnecting: boolean;
  /** The own node is no candidate and will not be one soon. */
  readonly isNoCandidate: boolean;
  /** Own monotonic clock. */
  readonly now: number;
}

export type VoteDecision =
  | { readonly kind: "grant" }
  /** The same vote was given before; showing it again harms nobody, and the first answer may have been lost. */
  | { readonly kind: "repeat" }
  | { readonly kind: "refuse"; readonly reason: VoteRefusal };

export type VoteRefusal =
  | "abandoned"
  | "paused"
  | "not-a-voter"
  /** The primary may have gone on without it. */
  | "excluded"
  | "term-used"
  | "old-membership"
  | "primary-seen"
  | "lease-running"
  | "vote-held"
  | "candidate-behind"
  | "replay-pending";

/** Between the end of a lease and its fence: the stop itself, and the voter's own polling. In milliseconds. */
const LEASE_MARGIN_MS = 500;

/** By so much of the log, in bytes, two standbys of a busy primary may differ when it dies: one segment of the default size. */
const TAIL_IN_FLIGHT = 16n * 1024n * 1024n;

/** Whether this voter gives its vote. The caller writes a grant to the state file before it shows it. */
export function judgeRequest(ballot: Ballot, settings: FailoverSettings): VoteDecision {
  const { request, memory } = ballot;
  if (request.isAbandoned) return refuse("abandoned");
  if (memory.isPaused) return refuse("paused");
  if (!isVoter(ballot)) return refuse("not-a-voter");
  if (settings.sync_mode !== "off" && memory.exclusion?.node === request.candidate) return refuse("excluded");
  const { vote } = memory;
  if (vote?.term === request.term && vote.candidate === request.candidate) return { kind: "repeat" };
  if (vote !== null && request.term <= vote.term) return refuse("term-used");
  if (request.membershipVersion < ballot.membership.version) return refuse("old-membership");
  if (isPrimaryFresh(ballot, settings)) return refuse("primary-seen");
  if (isLeaseRunning(ballot, settings)) return refuse("lease-running");
  if (isVoteHeld(ballot)) return refuse("vote-held");
  if (isBehindMe(ballot, settings)) return refuse("candidate-behind");
  if (settings.sync_mode !== "off" && !isWitness(ballot) && !ballot.server.isDrained)
    return refuse("replay-pending");
  return { kind: "grant" };
}

const refuse = (reason: VoteRefusal): VoteDecision => ({ kind: "refuse", reason });

/** When a refusal ends by itself, by the own monotonic clock; null when nobody can say. */
export function refusalEndsAt(
  reason: VoteRefusal,
  ballot: Ballot,
  settings: FailoverSettings,
): number | null {
  const { voter, now } = ballot;
  switch (reason) {
    case "vote-held":
      return voter.holdUntil;
    case "lease-running":
      return leaseOfOtherEndsAt(ballot, settings);
    case "primary-seen":
      return (voter.primarySeen?.at ?? now) + 2 * settings.monitor_interval_secs;
    case "abandoned":
    case "paused":
    case "not-a-voter":
    case "excluded":
    case "term-used":
    case "old-membership":
    case "candidate-behind":
    case "replay-pending":
      return null;
  }
}

function isWitness({ membership, self }: Ballot): boolean {
  return findMember(membership, self)?.type === "witness";
}

const findMember = ({ members }: Membership, id: NodeId): Member | undefined =>
  members.find(({ nodeId }) => nodeId === id);

/** A primary votes only for itself, when it asserts itself anew. */
function isVoter(ballot: Ballot): boolean {
  const { self, request, server } = ballot;
  if (findMember(ballot.membership, request.candidate) === undefined) return false;
  return server.inRecovery || isWitness(ballot) || request.candidate === self;
}

/**
 * Only a fresh answer "not in recovery" to the voter's own daemon speaks against an election: a WAL receiver may hear a
 * server that has come back as a standby.
 */
function isPrimaryFresh(
  { request, voter, primaryTermRow, isReconnecting, now }: Ballot,
  settings: FailoverSettings,
): boolean {
  if (voter.primarySeen?.nodeId === request.candidate) return false;
  // The candidate's log has a later promotion than that primary's: it has had its successor.
  if (primaryTermRow !== null && primaryTermRow < request.termRow) return false;
  if (isReconnecting) return true;
  return voter.primarySeen !== null && now - voter.primarySeen.at < 2 * settings.monitor_interval_secs;
}

function isLeaseRunning(ballot: Ballot, settings: FailoverSettings): boolean {
  return ballot.now < leaseOfOtherEndsAt(ballot, settings);
}

/** The primary stops T after the oldest counter that a majority echoed; by this clock a little later. */
function leaseOfOtherEndsAt({ request, voter }: Ballot, settings: FailoverSettings): number {
  const timeout = settings.primary_isolation_timeout;
  if (timeout === null) return -Infinity;
  const others = [...voter.leasesHeard.values()].filter(({ holder }) => holder !== request.candidate);
  const heardAt = Math.max(voter.leaseFloorAt, ...others.map(({ at }) => at));
  return heardAt + timeout * (1 + CLOCK_RATE_ERROR) + LEASE_MARGIN_MS;
}

/** The last candidate may be promoted at any moment of the hold, whatever became of its daemon meanwhile. */
function isVoteHeld({ request, memory, voter, now }: Ballot): boolean {
  return now < voter.holdUntil && memory.vote?.candidate !== request.candidate;
}

function isBehindMe(ballot: Ballot, settings: FailoverSettings): boolean {
  const { request, server, voter, now } = ballot;
  if (isWitness(ballot)) return false;
  const mayLack = now < voter.incapableUntil || isLeadOfNoCandidate(ballot, settings);
  if (request.termRow === server.termRow && mayLack) return false;
  return compareLogPositions(request, server) < 0;
}

/**
 * What a killed primary had sent to one standby and not yet to another must not prevent every promotion when only the
 * other one may be promoted. A longer tail is not thrown away by a vote: its operator decides. In synchronous mode the
 * furthest log decides, whoever holds it.
 */
function isLeadOfNoCandidate(
  { request, server, isNoCandidate }: Ballot,
  settings: FailoverSettings,
): boolean {
  return isNoCandidate && settings.sync_mode === "off" && server.lsn - request.lsn <= TAIL_IN_FLIGHT;
}
