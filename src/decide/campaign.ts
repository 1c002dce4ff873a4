import type { NodeId } from "../model/node-record.js";
import type { VoteRequest } from "../model/vote.js";
import { backOffMs } from "./election.js";
import { CLOCK_RATE_ERROR, type FailoverSettings } from "./failover-settings.js";
import { judgeRequest, refusalEndsAt, type Ballot } from "./votes.js";
import type { Action, Campaign, DaemonState, Situation, Step } from "./watch-types.js";

/** How long a candidate waits for the votes of one term. */
export const CAMPAIGN_MS = 1500;
/** The round whose pause is made between attempts that cannot succeed yet: a primary may be found instead. */
const PAUSE_WHILE_REFUSED = 2;

type StartedCampaign =
  | {
      readonly kind: "started";
      readonly campaign: Campaign;
      readonly step: Pick<Step, "memory" | "voter" | "actions">;
    }
  /** `endsAt`: when what forbids it ends by itself; null where nobody can say. */
  | { readonly kind: "refused"; readonly endsAt: number | null };

/** Votes for itself by its own rules as a voter, and asks the others, unless these rules forbid it. */
export function startCampaign(
  { daemon, settings, now }: Situation,
  { isValidated, isReconnecting }: { isValidated: boolean; isReconnecting: boolean },
): StartedCampaign {
  const term = daemon.highestTerm + 1;
  const request = requestFor(daemon, term, false);
  if (daemon.local === null || request === null) return { kind: "refused", endsAt: null };
  const ballot: Ballot = {
    self: daemon.nodeId,
    request,
    memory: daemon.memory,
    voter: daemon.voter,
    server: daemon.local,
    membership: daemon.membership,
    primaryTermRow: null,
    isReconnecting,
    isNoCandidate: false,
    now,
  };
  const decision = judgeRequest(ballot, settings);
  if (decision.kind === "refuse")
    return { kind: "refused", endsAt: refusalEndsAt(decision.reason, ballot, settings) };
  return {
    kind: "started",
    campaign: { term, startedAt: now, timeline: daemon.local.timeline, isValidated },
    step: {
      memory: { ...daemon.memory, vote: { term, candidate: daemon.nodeId } },
      voter: { holdUntil: now + settings.vote_hold },
      actions: [{ kind: "ask-members", request, lease: null }],
    },
  };
}

/** What stands in this node's sessions on the voters; `isAbandoned` releases them from their vote. */
function requestFor(daemon: DaemonState, term: number, isAbandoned: boolean): VoteRequest | null {
  const { local, nodeId, membership } = daemon;
  if (local === null) return null;
  const { termRow, lsn } = local;
  return { term, candidate: nodeId, termRow, lsn, membershipVersion: membership.version, isAbandoned };
}

/** Asks again, so that a voter that missed the first request sees it. */
export function repeatRequest(daemon: DaemonState, campaign: Campaign): readonly Action[] {
  const request = requestFor(daemon, campaign.term, false);
  return request === null ? [] : [{ kind: "ask-members", request, lease: null }];
}

/** Gives up a term under which the own server cannot be promoted any more: voters are free, this node too. */
export function abandonCampaign(
  { daemon, now }: Situation,
  campaign: Campaign,
): Pick<Step, "voter"> & { readonly actions: readonly Action[] } {
  const request = requestFor(daemon, campaign.term, true);
  return {
    voter: { holdUntil: now },
    actions: request === null ? [] : [{ kind: "ask-members", request, lease: null }],
  };
}

/** A question beside a campaign. */
export function askMembers(situation: Situation): Action {
  return { kind: "ask-members", request: requestGivenUp(situation), lease: null };
}

/** As long as the last own term was given up, the voters are told so with each question: the word may get lost. */
export function requestGivenUp({ daemon, now }: Situation): VoteRequest | null {
  const { vote } = daemon.memory;
  const isGivenUp = vote?.candidate === daemon.nodeId && now >= daemon.voter.holdUntil;
  return isGivenUp ? requestFor(daemon, vote.term, true) : null;
}

/** When the server must be out of recovery: the votes are no older then than their holders take them for. */
export function promotionDeadline(campaign: Campaign, settings: FailoverSettings): number {
  const lease = settings.primary_isolation_timeout;
  const limits = [settings.vote_timeout, ...(lease === null ? [] : [lease * (1 - CLOCK_RATE_ERROR)])];
  return campaign.startedAt + Math.min(...limits);
}

/** A promotion is not begun so late that it can hardly end in time. */
export function isTooLateToPromote(campaign: Campaign, { settings, now }: Situation): boolean {
  return now > promotionDeadline(campaign, settings) - Math.min(1000, settings.vote_timeout / 5);
}

/**
 * When a failed attempt is made again: after a pause that grows, but soon after the own vote is free, at about which time
 * the others' are: they may be held for a candidate that has died.
 */
export function retryTime({ daemon, settings, now }: Situation, round: number): number {
  const { nodeId, memory, voter } = daemon;
  const limitMs = settings.election_rerun_interval;
  const retryAt = now + backOffMs(daemon, round, limitMs);
  const isHeld = now < voter.holdUntil && memory.vote?.candidate !== nodeId;
  return isHeld ? Math.min(retryAt, voter.holdUntil + backOffMs(daemon, 0, limitMs)) : retryAt;
}

/** When an attempt is made again that the own rules forbade: now and then until they allow it, and soon after that. */
export function retryTimeAfterRefusal({ daemon, settings, now }: Situation, endsAt: number): number {
  const limitMs = settings.election_rerun_interval;
  const nowAndThen = now + backOffMs(daemon, PAUSE_WHILE_REFUSED, limitMs);
  return Math.min(nowAndThen, Math.max(now, endsAt) + backOffMs(daemon, 0, limitMs));
}

/** Whom the metadata calls the primary until now. */
export function recordedPrimary({ membership, nodeId }: DaemonState): NodeId | null {
  const former = membership.members.find((member) => member.type === "primary" && member.nodeId !== nodeId);
  return former?.nodeId ?? null;
}
