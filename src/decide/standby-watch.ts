import type { NodeId } from "../model/node-record.js";
import {
  abandonCampaign,
  askMembers,
  CAMPAIGN_MS,
  isTooLateToPromote,
  promotionDeadline,
  recordedPrimary,
  repeatRequest,
  retryTime,
  retryTimeAfterRefusal,
  startCampaign,
} from "./campaign.js";
import { decideElection, findRival, hasWon, isTermUsed, type FoundPrimary, type Rival } from "./election.js";
import { startGuard, startLease } from "./lease.js";
import {
  attach,
  endAttachment,
  meetPrimaryWhileWatching,
  rejoinAgain,
  watchNewUpstream,
} from "./standby-attachment.js";
import { announce, become, degrade, elect, stay, type Of, type Searching } from "./standby-step.js";
import type {
  Action,
  Campaign,
  DegradedReason,
  Grid,
  LongCommand,
  Situation,
  StandbyState,
  Step,
  Upstream,
} from "./watch-types.js";

/** What a standby sees, after `transitions` has judged the answers of the others. */
export type StandbySeen =
  | { readonly kind: "upstream-seen"; readonly inRecovery: boolean | null }
  | { readonly kind: "upstream-lost" }
  | ({ readonly kind: "primary-found" } & FoundPrimary)
  /** A writable server that is not to be followed, or not yet. */
  | { readonly kind: "primary-alive" }
  /** Everybody was asked and no primary is left. */
  | { readonly kind: "no-primary" }
  | { readonly kind: "member-seen" }
  /** By a command: the own record has another upstream than before. */
  | { readonly kind: "moved"; readonly to: NodeId }
  | { readonly kind: "out-of-recovery" }
  | { readonly kind: "command-ended"; readonly command: LongCommand; readonly succeeded: boolean }
  | { readonly kind: "tick" };

/** A lost primary that comes back as a standby is no primary; a cascaded standby's upstream never was one. */
function isUpstreamBack(upstream: Upstream | null, inRecovery: boolean | null): upstream is Upstream {
  return upstream !== null && (!upstream.isPrimary || inRecovery !== true);
}

function seeUpstream(upstream: Upstream, inRecovery: boolean | null): Upstream {
  return inRecovery === false ? { ...upstream, isPrimary: true } : upstream;
}

function returnToUpstream(
  state: Of<"reconnecting" | "electing" | "degraded">,
  { inRecovery }: { inRecovery: boolean | null },
): Step {
  if (!isUpstreamBack(state.upstream, inRecovery)) return stay();
  return become({ kind: "watching", upstream: seeUpstream(state.upstream, inRecovery) }, [
    announce("repmgrd_upstream_reconnect", state.upstream.nodeId),
  ]);
}

function stand(from: Searching, situation: Situation, isValidated = false): Step {
  const started = startCampaign(situation, { isValidated, isReconnecting: false });
  if (started.kind === "refused") {
    const { endsAt } = started;
    if (endsAt === null) return degrade(from, "votes-refused", retryTime(situation, from.round));
    return endEarly(from, "votes-refused", retryTimeAfterRefusal(situation, endsAt));
  }
  const { campaign, step } = started;
  const { upstream, round } = from;
  return { ...step, watch: { role: "standby", state: { kind: "campaigning", upstream, round, campaign } } };
}

/** What could not be tried yet has not failed, and does not make the next pauses longer. */
function endEarly({ upstream, round }: Searching, reason: DegradedReason, retryAt: number): Step {
  return become({ kind: "degraded", upstream, round, reason, retryAt });
}

/** In synchronous mode a vote takes a detached receiver; whoever stands aside is about to be asked for one. */
function prepareVote({ settings, daemon }: Situation): readonly Action[] {
  const isPrepared = settings.sync_mode === "off" || daemon.local?.isDetached !== false;
  return isPrepared ? [] : [{ kind: "detach-receiver" }];
}

function runElection(state: Of<"electing">, situation: Situation): Step {
  const { settings, now } = situation;
  const decision = decideElection(situation.daemon, {
    settings,
    upstream: state.upstream?.nodeId ?? null,
    mayStandAside: state.standsAsideUntil === null,
  });
  switch (decision.kind) {
    case "stand":
      return stand(state, situation);
    case "stand-aside":
      return become({ ...state, standsAsideUntil: now + CAMPAIGN_MS }, prepareVote(situation));
    case "cancelled":
      // Until somebody ends the pause.
      if (decision.reason === "paused")
        return endEarly(state, "paused", retryTimeAfterRefusal(situation, Infinity));
      return degrade(state, decision.reason, retryTime(situation, state.round));
  }
}

type Campaigning = Of<"campaigning" | "validating">;

function giveUp(state: Campaigning | Of<"aborting">, reason: DegradedReason, situation: Situation): Step {
  const { voter, actions } = abandonCampaign(situation, state.campaign);
  const hasFailedItself = reason === "promotion-failed" || reason === "validation-failed";
  const retryAt = hasFailedItself
    ? situation.now + situation.settings.election_rerun_interval
    : retryTime(situation, state.round);
  const step = degrade(state, reason, retryAt);
  if (reason !== "promotion-failed") return { ...step, voter: voter ?? {}, actions };
  const memory = { ...situation.daemon.memory, promotingTerm: null, ...ownBranch(state, situation) };
  return { ...step, memory, voter: { ...voter, incapableUntil: retryAt }, actions };
}

/**
 * A promotion that was taken back has left a timeline of its own, which looks like anybody's of that number. Of one that
 * was begun in an earlier life of the daemon only the log tells: every other timeline's beginning is recorded in it.
 */
function ownBranch(
  { campaign }: Campaigning | Of<"aborting">,
  { daemon: { local } }: Situation,
): Partial<Situation["daemon"]["memory"]> {
  if (local === null) return {};
  const { timeline, promotions } = local;
  const isOwn =
    campaign.timeline === null
      ? timeline > 1 && !promotions.some((promotion) => promotion.timeline === timeline)
      : timeline > campaign.timeline;
  return isOwn ? { wasPrimary: { timeline, term: 0, reason: "superseded" } } : {};
}

function countVotes(state: Of<"campaigning">, situation: Situation): Step {
  const { settings, daemon } = situation;
  const upstream = state.upstream?.nodeId ?? null;
  const { term, isValidated } = state.campaign;
  if (hasWon(daemon, { settings, term, upstream })) {
    if (settings.failover_validation_command === "" || isValidated)
      return promote(state, state.campaign, situation);
    return become({ ...state, kind: "validating" }, [{ kind: "run-validation" }]);
  }
  const rival = findRival(daemon);
  if (rival === null) return isTermUsed(daemon, term) ? stand(state, situation, isValidated) : stay();
  return givesWay(state.round, rival) ? giveUp(state, "votes-refused", situation) : stay();
}

/** A better one that nobody can vote for, or that gets some of the votes only, must not stop everybody else for ever. */
function givesWay(round: number, { hasVotes, isFurther }: Rival): boolean {
  return round === 0 || (round + 1) % (hasVotes || isFurther ? 4 : 2) !== 0;
}

function promote(state: Campaigning, campaign: Campaign, situation: Situation): Step {
  if (isTooLateToPromote(campaign, situation)) return giveUp(state, "votes-refused", situation);
  const { daemon, settings, now } = situation;
  const deadline = promotionDeadline(campaign, settings);
  const { upstream, round } = state;
  const lease = startLease(settings, { seed: daemon.leaseSeed, grantedAt: campaign.startedAt, now });
  const promoting = become({ kind: "promoting", upstream, round, campaign, deadline }, [
    ...startGuard(lease, settings, now),
    { kind: "run-promote", term: campaign.term, deadline },
  ]);
  return { ...promoting, memory: { ...daemon.memory, promotingTerm: campaign.term } };
}

/** Votes that have become old by the validation are asked for again. */
function endValidation(state: Of<"validating">, succeeded: boolean, situation: Situation): Step {
  const { settings, now } = situation;
  if (!succeeded) return giveUp(state, "validation-failed", situation);
  const campaign = { ...state.campaign, isValidated: true };
  if (now > campaign.startedAt + settings.vote_timeout / 2) return stand(state, situation, true);
  return promote(state, campaign, situation);
}

function abort(state: Of<"promoting">): Step {
  const { upstream, round, campaign } = state;
  return become({ kind: "aborting", upstream, round, campaign, retryAt: null, isStandby: false }, [
    announce("repmgrd_promote_error", upstream?.nodeId ?? null),
    { kind: "abort-promotion" },
  ]);
}

/** Out of recovery in time: no voter has given another vote yet. */
function finishPromotion(state: Of<"promoting">, situation: Situation): Step {
  const { daemon, settings, now } = situation;
  if (now > state.deadline) return abort(state);
  const { term, startedAt } = state.campaign;
  const formerPrimary = recordedPrimary(daemon);
  const lease = startLease(settings, { seed: daemon.leaseSeed, grantedAt: startedAt, now });
  return {
    watch: { role: "primary", state: { kind: "leading", term, lease } },
    memory: { ...daemon.memory, wasPrimary: null },
    actions: [
      { kind: "write-promotion", term, formerPrimary },
      announce("repmgrd_failover_promote", formerPrimary),
    ],
  };
}

/** Somebody promoted this server outside of the daemon's own promotion. */
function leadUnasked(_state: StandbyState, _seen: unknown, { daemon, settings, now }: Situation): Step {
  const term = daemon.local?.termRow ?? 0;
  const lease = startLease(settings, { seed: daemon.leaseSeed, grantedAt: null, now });
  return {
    watch: { role: "primary", state: { kind: "leading", term, lease } },
    actions: startGuard(lease, settings, now),
  };
}

function loseUpstream({ upstream }: Of<"watching">, _seen: unknown, situation: Situation): Step {
  const lost = announce("repmgrd_upstream_disconnect", upstream.nodeId);
  if (situation.settings.reconnect_attempts === 0) {
    const step = elect({ upstream, round: 0 }, situation);
    return { ...step, actions: [lost, ...(step.actions ?? [])] };
  }
  return become({ kind: "reconnecting", upstream, attempt: 1 }, [lost]);
}

const giveUpForOther = (state: Campaigning, _seen: unknown, situation: Situation): Step =>
  giveUp(state, "primary-still-visible", situation);

/** A standby and what it does: each state against each observation. */
export const standbyWatch: Grid<StandbyState, StandbySeen> = {
  watching: {
    "upstream-seen": ({ upstream }, { inRecovery }, situation) =>
      isUpstreamBack(upstream, inRecovery)
        ? become({ kind: "watching", upstream: seeUpstream(upstream, inRecovery) })
        : elect({ upstream, round: 0 }, situation),
    "upstream-lost": loseUpstream,
    "primary-found": meetPrimaryWhileWatching,
    "primary-alive": stay,
    "no-primary": stay,
    "member-seen": stay,
    moved: watchNewUpstream,
    "out-of-recovery": leadUnasked,
    "command-ended": stay,
    tick: stay,
  },
  reconnecting: {
    "upstream-seen": (state, seen, situation) =>
      isUpstreamBack(state.upstream, seen.inRecovery)
        ? returnToUpstream(state, seen)
        : elect({ upstream: state.upstream, round: 0 }, situation),
    "upstream-lost": (state, _seen, situation) =>
      state.attempt < situation.settings.reconnect_attempts
        ? become({ ...state, attempt: state.attempt + 1 })
        : elect({ upstream: state.upstream, round: 0 }, situation),
    "primary-found": ({ upstream }, found, situation) =>
      found.nodeId === upstream.nodeId ? stay() : attach({ upstream, round: 0 }, found, situation),
    "primary-alive": stay,
    "no-primary": stay,
    "member-seen": stay,
    moved: watchNewUpstream,
    "out-of-recovery": leadUnasked,
    "command-ended": stay,
    tick: stay,
  },
  electing: {
    "upstream-seen": returnToUpstream,
    "upstream-lost": stay,
    "primary-found": attach,
    "primary-alive": (state, _seen, situation) =>
      degrade(state, "primary-still-visible", retryTime(situation, state.round)),
    "no-primary": (state, _seen, situation) =>
      state.standsAsideUntil !== null && situation.now < state.standsAsideUntil
        ? stay()
        : runElection(state, situation),
    "member-seen": stay,
    moved: watchNewUpstream,
    "out-of-recovery": leadUnasked,
    "command-ended": stay,
    tick: (state, _seen, situation) =>
      situation.now - situation.daemon.membersAskedAt < CAMPAIGN_MS
        ? stay()
        : become(state, [askMembers(situation)]),
  },
  campaigning: {
    "upstream-seen": stay,
    "upstream-lost": stay,
    "primary-found": giveUpForOther,
    "primary-alive": giveUpForOther,
    "no-primary": (state, _seen, situation) => countVotes(state, situation),
    "member-seen": (state, _seen, situation) => countVotes(state, situation),
    moved: stay,
    "out-of-recovery": leadUnasked,
    "command-ended": stay,
    tick: (state, _seen, situation) =>
      situation.now - state.campaign.startedAt >= CAMPAIGN_MS
        ? giveUp(state, "votes-refused", situation)
        : become(state, repeatRequest(situation.daemon, state.campaign)),
  },
  validating: {
    "upstream-seen": stay,
    "upstream-lost": stay,
    "primary-found": giveUpForOther,
    "primary-alive": giveUpForOther,
    "no-primary": stay,
    "member-seen": stay,
    moved: stay,
    "out-of-recovery": leadUnasked,
    "command-ended": (state, { command, succeeded }, situation) =>
      command === "validate" ? endValidation(state, succeeded, situation) : stay(),
    tick: stay,
  },
  promoting: {
    "upstream-seen": stay,
    "upstream-lost": stay,
    "primary-found": stay,
    "primary-alive": stay,
    "no-primary": stay,
    "member-seen": stay,
    moved: stay,
    "out-of-recovery": (state, _seen, situation) => finishPromotion(state, situation),
    "command-ended": (state, { command, succeeded }) =>
      command === "promote" && !succeeded ? abort(state) : stay(),
    tick: (state, _seen, { now }) => (now > state.deadline ? abort(state) : stay()),
  },
  aborting: {
    "upstream-seen": stay,
    "upstream-lost": stay,
    "primary-found": stay,
    "primary-alive": stay,
    "no-primary": stay,
    "member-seen": stay,
    moved: stay,
    "out-of-recovery": stay,
    "command-ended": (state, { command, succeeded }, situation) => {
      if (command !== "abort-promotion") return stay();
      if (succeeded) return become({ ...state, retryAt: null, isStandby: true });
      return become({ ...state, retryAt: situation.now + situation.settings.monitor_interval_secs });
    },
    tick: (state, _seen, situation) => {
      const { daemon, now } = situation;
      if (state.isStandby && daemon.local !== null) return giveUp(state, "promotion-failed", situation);
      return state.retryAt !== null && now >= state.retryAt
        ? become({ ...state, retryAt: null }, [{ kind: "abort-promotion" }])
        : stay();
    },
  },
  attaching: {
    "upstream-seen": stay,
    "upstream-lost": stay,
    "primary-found": stay,
    "primary-alive": stay,
    "no-primary": stay,
    "member-seen": stay,
    moved: stay,
    "out-of-recovery": stay,
    "command-ended": (state, seen, situation) =>
      seen.command === "follow" || seen.command === "rejoin" ? endAttachment(state, seen, situation) : stay(),
    tick: rejoinAgain,
  },
  degraded: {
    "upstream-seen": returnToUpstream,
    "upstream-lost": stay,
    "primary-found": (state, found, situation) =>
      situation.now < state.retryAt && state.reason === "attach-failed"
        ? stay()
        : attach(state, found, situation),
    "primary-alive": stay,
    "no-primary": stay,
    "member-seen": stay,
    moved: watchNewUpstream,
    "out-of-recovery": leadUnasked,
    "command-ended": stay,
    tick: (state, _seen, situation) => (situation.now >= state.retryAt ? elect(state, situation) : stay()),
  },
};
