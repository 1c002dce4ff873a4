import type { NodeId } from "../model/node-record.js";
import type { VoteRequest } from "../model/vote.js";
import { backOffMs } from "./election.js";
import { CLOCK_RATE_ERROR, type FailoverSettings } from "./failover-settings.js";
import { judgeRequest } from "./votes.js";
import type { Action, Campaign, DaemonState, Situation, Step } from "./watch-types.js";

/** How long a candidate waits for the votes of one term. */
export const CAMPAIGN_MS = 1500;

export interface StartedCampaign {
  readonly campaign: Campaign;
  readonly step: Pick<Step, "memory" | "voter" | "actions">;
}

/** Votes for itself by its own rules as a voter, and asks the others. Null when these rules forbid it. */
export function startCampaign(
  { daemon, settings, now }: Situation,
  { isValidated, isReconnecting }: { isValidated: boolean; isReconnecting: boolean },
): StartedCampaign | null {
  if (daemon.local === null) return null;
  const term = daemon.highestTerm + 1;
  const request = requestFor(daemon, term, false);
  if (request === null) return null;
  const decision = judgeRequest(
    {
      self: daemon.nodeId,
      request,
      requests: [],
      memory: daemon.memory,
      voter: daemon.voter,
      server: daemon.local,
      membership: daemon.membership,
      isReconnecting,
      now,
    },
    settings,
  );
  if (decision.kind === "refuse") return null;
  return {
    campaign: { term, startedAt: now, isValidated },
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

/** When a failed attempt is made again. */
export function retryTime({ daemon, settings, now }: Situation, round: number): number {
  return now + backOffMs(daemon, round, settings.election_rerun_interval);
}

/** Whom the metadata calls the primary until now. */
export function recordedPrimary({ membership, nodeId }: DaemonState): NodeId | null {
  const former = membership.members.find((member) => member.type === "primary" && member.nodeId !== nodeId);
  return former?.nodeId ?? null;
}
