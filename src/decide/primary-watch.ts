import type { NodeId } from "../model/node-record.js";
import type { StopReason } from "../model/vote.js";
import {
  abandonCampaign,
  askMembers,
  CAMPAIGN_MS,
  recordedPrimary,
  requestGivenUp,
  repeatRequest,
  retryTime,
  startCampaign,
} from "./campaign.js";
import { findLivingPrimary, hasWon } from "./election.js";
import type { FailoverSettings } from "./failover-settings.js";
import {
  fencesAt,
  holdsLease,
  leaseEndsAt,
  renewalInterval,
  renewLease,
  startGuard,
  startLease,
} from "./lease.js";
import type { SupersededVerdict } from "./superseded.js";
import type {
  Action,
  FenceReason,
  Grid,
  HeldLease,
  LongCommand,
  PrimaryState,
  Situation,
  Step,
} from "./watch-types.js";

/** What a primary sees, after `transitions` has judged the answers of the others. */
export type PrimarySeen =
  | Extract<SupersededVerdict, { kind: "superseded" | "equal-term" | "suspicion" }>
  /** Votes were given for a later term, and nobody is writable with it. */
  | { readonly kind: "outvoted" }
  | { readonly kind: "undisputed" }
  | { readonly kind: "out-of-recovery" }
  | { readonly kind: "in-recovery" }
  | { readonly kind: "local-lost" }
  | { readonly kind: "command-ended"; readonly command: LongCommand; readonly succeeded: boolean }
  | { readonly kind: "tick" };

/** A promotion takes its time from the votes, and the first echo of the lease has to come before they are too old. */
const FIRST_RENEWALS_MS = 150;
/** So long a promotion by hand may take from the end of the recovery to its record. */
const UNRECORDED_FOR_MS = 1000;

type Of<Kind extends PrimaryState["kind"]> = Extract<PrimaryState, { kind: Kind }>;
type Seen<Kind extends PrimarySeen["kind"]> = Extract<PrimarySeen, { kind: Kind }>;
type Writable = Of<"leading" | "reasserting">;

const stay = (): Step => ({});
const become = (state: PrimaryState, actions: readonly Action[] = []): Step => ({
  watch: { role: "primary", state },
  actions,
});

/** The server is stopped only after it is written down what it was: PostgreSQL forgets it at its first start as a standby. */
function fence(reason: FenceReason, { daemon, now }: Situation): Step {
  const { local, memory } = daemon;
  const term = memory.promotingTerm === null ? termOf({ daemon }) : 0;
  const wasPrimary = { timeline: local?.timeline ?? 0, term, reason: reason.kind };
  return {
    watch: { role: "primary", state: { kind: "fencing", reason, retryAt: now + 1000 } },
    memory: { ...memory, wasPrimary, promotingTerm: null },
    actions: [
      { kind: "fence", reason },
      { kind: "announce", event: "primary_fenced", node: otherOf(reason) },
    ],
  };
}

function otherOf(reason: FenceReason): NodeId | null {
  if (reason.kind === "superseded") return reason.by;
  return reason.kind === "equal-term" ? reason.other : null;
}

const alarm = (event: "split_brain_suspected" | "split_brain_detected", node: NodeId | null): Step => ({
  actions: [{ kind: "announce", event, node }],
});

const mayFence = ({ daemon, settings }: Situation): boolean =>
  settings.fence_on === "superseded" && !daemon.memory.isPaused;

function meetSuccessor(_state: Writable, { by, term }: Seen<"superseded">, situation: Situation): Step {
  return mayFence(situation)
    ? fence({ kind: "superseded", by, term }, situation)
    : alarm("split_brain_detected", by);
}

function meetEqual(_state: Writable, { other, givesWay }: Seen<"equal-term">, situation: Situation): Step {
  return givesWay && mayFence(situation)
    ? fence({ kind: "equal-term", other }, situation)
    : alarm("split_brain_detected", other);
}

const raiseSuspicion = (_state: PrimaryState, { other }: Seen<"suspicion">): Step =>
  alarm("split_brain_suspected", other);

function keepLease(lease: HeldLease | null, situation: Situation): { lease: HeldLease | null; step: Step } {
  const { daemon, settings, now } = situation;
  if (!holdsLease(situation))
    return { lease: null, step: lease === null ? {} : { actions: [{ kind: "release-guard" }] } };
  if (lease === null) return beginLease(situation);
  const context = { self: daemon.nodeId, members: daemon.membership.members, settings };
  if (now >= fencesAt(lease, context)) return { lease, step: fence({ kind: "isolated" }, situation) };
  const lastSent = lease.sent.at(-1)?.at ?? -Infinity;
  const goodForMs = leaseEndsAt(lease, context) - now;
  const kick: readonly Action[] = goodForMs > 0 ? [{ kind: "kick-guard", goodForMs }] : [];
  if (now - lastSent < (lease.confirmed.size === 0 ? FIRST_RENEWALS_MS : renewalInterval(settings)))
    return { lease, step: { actions: kick } };
  const renewed = renewLease(lease, now);
  const request = {
    holder: daemon.nodeId,
    term: termOf(situation),
    counter: renewed.counter,
  };
  const ask: Action = { kind: "ask-members", request: requestGivenUp(situation), lease: request };
  return { lease: renewed, step: { actions: [...kick, ask] } };
}

/** The term of its votes is not in its log yet, but a voter takes no lesser one for a lease. */
function termOf({ daemon: { watch, local } }: Pick<Situation, "daemon">): number {
  const known = watch.role === "primary" && "term" in watch.state ? watch.state.term : 0;
  return Math.max(local?.termRow ?? 0, known);
}

/** The settings or a pause have changed while the server was writable. */
function beginLease({ daemon, settings, now }: Situation): { lease: HeldLease | null; step: Step } {
  const lease = startLease(settings, { seed: daemon.leaseSeed, grantedAt: null, now });
  return { lease, step: { actions: startGuard(lease, settings, now) } };
}

function keepLeading(state: Of<"leading">, _seen: unknown, situation: Situation): Step {
  const { lease, step } = keepLease(state.lease, situation);
  const repair = isPromotionUnwritten(state, situation) ? [writePromotion(state.term, situation)] : [];
  return {
    watch: { role: "primary", state: { ...state, lease } },
    ...settlePromotion(situation),
    ...step,
    actions: [...repair, ...(step.actions ?? [])],
  };
}

/** Only the record in the log ends a promotion: until it is seen, the promotion counts for nothing. */
function settlePromotion({ daemon }: Situation): Step {
  const { memory, local, nodeId } = daemon;
  const isRecorded = local?.promotion?.node === nodeId && local.promotion.term === memory.promotingTerm;
  return isRecorded ? { memory: { ...memory, promotingTerm: null } } : {};
}

/** The first write of a promotion may fail like any other. */
function isPromotionUnwritten({ term }: Of<"leading">, { daemon, settings, now }: Situation): boolean {
  const isDue = now - daemon.membersAskedAt >= settings.monitor_interval_secs;
  return isDue && daemon.local !== null && daemon.local.termRow < term;
}

function writePromotion(term: number, { daemon }: Situation): Action {
  return { kind: "write-promotion", term, formerPrimary: recordedPrimary(daemon) };
}

function reassert({ term, lease }: Of<"leading">, _seen: unknown, situation: Situation): Step {
  const retryAt = situation.now + (isPromotionUnrecorded(situation) ? UNRECORDED_FOR_MS : 0);
  return become({ kind: "reasserting", term, lease, round: 0, campaign: null, retryAt });
}

/**
 * Somebody has promoted this server: the record of "standby promote" comes after that. For an own promotion, begun
 * before the daemon was started again, nobody else would write one.
 */
function isPromotionUnrecorded({ daemon: { local, memory } }: Situation): boolean {
  if (local === null || memory.promotingTerm !== null) return false;
  return local.timeline !== (local.promotion?.timeline ?? 1);
}

function campaignAgain(state: Of<"reasserting">, situation: Situation): Step {
  const { now } = situation;
  const { lease, step } = keepLease(state.lease, situation);
  if (step.watch !== undefined) return step;
  const held = { ...state, lease };
  const recorded = situation.daemon.local?.termRow ?? 0;
  // The record has come whose term was missing, before anybody was asked for votes.
  if (state.campaign === null && recorded > state.term)
    return become({ kind: "leading", term: recorded, lease }, step.actions ?? []);
  if (state.campaign === null && now >= state.retryAt) {
    const started = startCampaign(situation, { isValidated: true, isReconnecting: false });
    if (started.kind === "started")
      return {
        ...started.step,
        watch: { role: "primary", state: { ...held, campaign: started.campaign } },
      };
    return become({ ...held, round: state.round + 1, retryAt: retryTime(situation, state.round) });
  }
  if (state.campaign === null) return become(held, step.actions ?? []);
  if (now - state.campaign.startedAt >= CAMPAIGN_MS) {
    const { voter, actions } = abandonCampaign(situation, state.campaign);
    const retryAt = retryTime(situation, state.round);
    const failed = become({ ...held, campaign: null, round: state.round + 1, retryAt }, actions);
    return voter === undefined ? failed : { ...failed, voter };
  }
  return become(held, [...(step.actions ?? []), ...repeatRequest(situation.daemon, state.campaign)]);
}

function countVotes(state: Of<"reasserting">, _seen: unknown, situation: Situation): Step {
  const { daemon, settings } = situation;
  const { campaign, lease } = state;
  if (campaign === null || !hasWon(daemon, { settings, term: campaign.term, upstream: null })) return stay();
  const granted = lease === null ? null : { ...lease, grantedAt: campaign.startedAt };
  const step = become({ kind: "leading", term: campaign.term, lease: granted }, [
    writePromotion(campaign.term, situation),
  ]);
  const { memory } = daemon;
  // The write may fail with the server: the record ends the promotion, whichever term it has now.
  return memory.promotingTerm === null
    ? step
    : { ...step, memory: { ...memory, promotingTerm: campaign.term } };
}

/** Started again at once where that is wanted: while it is down, the others get ready to replace it. */
function loseServer({ term, lease }: Writable, seen: unknown, situation: Situation): Step {
  const lost = { kind: "server-lost", term, lease, restarts: 0, isStarting: false } as const;
  const {
    watch = { role: "primary", state: lost },
    actions = [],
    ...rest
  } = restartCrashed(lost, seen, situation);
  const told: Action = { kind: "announce", event: "repmgrd_local_disconnect", node: null };
  return { ...rest, watch, actions: [told, ...actions] };
}

/** Writable again after a restart of the server: what happened meanwhile is asked at once. */
function leadAgain(_state: PrimaryState, _seen: unknown, situation: Situation): Step {
  const { daemon, settings, now } = situation;
  const { memory } = daemon;
  const lease = startLease(settings, { seed: daemon.leaseSeed, grantedAt: null, now });
  const step = become({ kind: "leading", term: daemon.local?.termRow ?? 0, lease }, [
    { kind: "announce", event: "repmgrd_local_reconnect", node: null },
    ...startGuard(lease, settings, now),
    askMembers(situation),
  ]);
  return memory.wasPrimary === null ? step : { ...step, memory: { ...memory, wasPrimary: null } };
}

/** The server came up as a standby: it belongs to whoever is the primary now, or is promoted back by votes. */
function joinStandbys(_state: PrimaryState, _seen: unknown, situation: Situation): Step {
  return {
    watch: { role: "standby", state: { kind: "electing", upstream: null, round: 0, standsAsideUntil: null } },
    actions: [{ kind: "announce", event: "repmgrd_standby_reconnect", node: null }, askMembers(situation)],
  };
}

/** A server that does not answer may go on later: the lease ends for it too. */
function restartCrashed(state: Of<"server-lost">, _seen: unknown, situation: Situation): Step {
  const { settings, daemon, now } = situation;
  const context = { self: daemon.nodeId, members: daemon.membership.members, settings };
  const isOver = state.lease !== null && now >= fencesAt(state.lease, context);
  if (isOver && holdsLease(situation)) return fence({ kind: "isolated" }, situation);
  if (state.isStarting || daemon.memory.isPaused || state.restarts >= settings.local_restart_attempts)
    return stay();
  const isReplaced = findLivingPrimary(daemon) !== null;
  if (isReplaced && !settings.auto_rejoin) return stay();
  return become({ ...state, restarts: state.restarts + 1, isStarting: true }, [
    { kind: "start-server", asStandby: isReplaced || settings.primary_isolation_timeout !== null },
  ]);
}

function mayStartAgain(reason: StopReason, settings: FailoverSettings): boolean {
  return reason === "isolated" || settings.auto_rejoin;
}

/** An isolated server always comes back as a standby; one that had to give way only where it may be rejoined. */
function leaveFence(state: Of<"fenced">, _seen: unknown, { settings, now }: Situation): Step {
  if (!mayStartAgain(state.reason, settings) || now < state.retryAt) return stay();
  return become({ ...state, retryAt: now + 10_000 }, [{ kind: "start-server", asStandby: true }]);
}

/** A primary and what it does: each state against each observation. */
export const primaryWatch: Grid<PrimaryState, PrimarySeen> = {
  leading: {
    superseded: meetSuccessor,
    "equal-term": meetEqual,
    suspicion: raiseSuspicion,
    outvoted: reassert,
    undisputed: stay,
    "out-of-recovery": stay,
    "in-recovery": joinStandbys,
    "local-lost": loseServer,
    "command-ended": stay,
    tick: keepLeading,
  },
  reasserting: {
    superseded: meetSuccessor,
    "equal-term": meetEqual,
    suspicion: raiseSuspicion,
    outvoted: countVotes,
    undisputed: countVotes,
    "out-of-recovery": stay,
    "in-recovery": joinStandbys,
    "local-lost": loseServer,
    "command-ended": stay,
    tick: (state, _seen, situation) => campaignAgain(state, situation),
  },
  "server-lost": {
    superseded: stay,
    "equal-term": stay,
    suspicion: stay,
    outvoted: stay,
    undisputed: stay,
    "out-of-recovery": leadAgain,
    "in-recovery": joinStandbys,
    "local-lost": stay,
    "command-ended": (state, { command }) =>
      command === "start" ? become({ ...state, isStarting: false }) : stay(),
    tick: restartCrashed,
  },
  fencing: {
    superseded: stay,
    "equal-term": stay,
    suspicion: stay,
    outvoted: stay,
    undisputed: stay,
    "out-of-recovery": stay,
    "in-recovery": joinStandbys,
    "local-lost": stay,
    "command-ended": (state, { command, succeeded }, { now }) =>
      command === "fence" && succeeded
        ? become({ kind: "fenced", reason: state.reason.kind, retryAt: now })
        : stay(),
    tick: (state, _seen, { now }) =>
      now >= state.retryAt + 5000
        ? become({ ...state, retryAt: now }, [{ kind: "fence", reason: state.reason }])
        : stay(),
  },
  fenced: {
    superseded: stay,
    "equal-term": stay,
    suspicion: stay,
    outvoted: stay,
    undisputed: stay,
    "out-of-recovery": leadAgain,
    "in-recovery": joinStandbys,
    "local-lost": stay,
    "command-ended": stay,
    tick: leaveFence,
  },
};
