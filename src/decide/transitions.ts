import type { Beacon, MemberAnswer, ServerReport } from "../model/member-report.js";
import type { NodeId } from "../model/node-record.js";
import { emptyMemory, type DaemonMemory } from "../model/vote.js";
import { keepAsking } from "./asking.js";
import { askMembers } from "./campaign.js";
import { answeredOnly, findLivingPrimary, findMember, findPrimary, isWitness } from "./election.js";
import { answerExclusions, recallExclusion } from "./exclusions.js";
import type { FailoverSettings } from "./failover-settings.js";
import { confirmLease, startGuard, startLease } from "./lease.js";
import { primaryWatch, type PrimarySeen } from "./primary-watch.js";
import { standbyWatch, type StandbySeen } from "./standby-watch.js";
import { judgeSuperseded } from "./superseded.js";
import { answerRequests, echoLease } from "./vote-collection.js";
import type {
  DaemonState,
  Grid,
  Observation,
  PrimaryState,
  Situation,
  Step,
  Transition,
  Upstream,
  Watch,
} from "./watch-types.js";
import { witnessWatch, type WitnessSeen } from "./witness-watch.js";

/**
 * A daemon that has just been started. Its votes and the leases that it may have heard count as if they were of this
 * moment. A state file without a vote may have been begun after another one was lost, with the vote in it, so that none
 * is given before the hold is over then either.
 */
export function startState(
  nodeId: NodeId,
  {
    memory,
    leaseSeed,
    settings,
    now,
  }: { memory: DaemonMemory | null; leaseSeed: number; settings: FailoverSettings; now: number },
): DaemonState {
  return {
    nodeId,
    memory: memory ?? emptyMemory,
    voter: {
      holdUntil: now + settings.vote_hold,
      leasesHeard: new Map(),
      leaseFloorAt: now,
      primarySeen: null,
      incapableUntil: now,
    },
    watch: { role: "unknown", state: { kind: "starting" } },
    local: null,
    membership: { version: 0, members: [] },
    movedTo: null,
    answers: [],
    highestTerm: memory?.vote?.term ?? 0,
    leaseSeed,
    lastTurnAt: now,
    membersAskedAt: -Infinity,
    membersAnsweredAt: -Infinity,
  };
}

/** The daemon's whole judgement: what it knew, what it has just seen, and what follows. */
export function decide(
  before: DaemonState,
  observation: Observation,
  { settings, now }: Pick<Situation, "settings" | "now">,
): Transition {
  let daemon = takeIn(noticeSleep(before, settings, now), observation, now);
  const actions: Step["actions"][] = [];
  for (const judge of [answerVoters, answerExclusions, decideByRole, keepAsking]) {
    const step = judge({ daemon, settings, now }, observation);
    daemon = applyStep(daemon, step);
    actions.push(step.actions);
    if (step.actions?.some(({ kind }) => kind === "ask-members") === true)
      daemon = { ...daemon, membersAskedAt: now };
  }
  const { memory } = daemon;
  const isMemoryNew = memory !== before.memory;
  return {
    state: { ...daemon, movedTo: isMoveOver(before, daemon) ? null : daemon.movedTo, lastTurnAt: now },
    actions: [
      ...(isMemoryNew ? [{ kind: "write-memory" as const, memory }] : []),
      ...actions.flatMap((list) => list ?? []),
    ],
  };
}

function applyStep(daemon: DaemonState, step: Step): DaemonState {
  return {
    ...daemon,
    ...(step.watch === undefined ? {} : { watch: step.watch }),
    ...(step.memory === undefined ? {} : { memory: step.memory }),
    ...(step.voter === undefined ? {} : { voter: { ...daemon.voter, ...step.voter } }),
    highestTerm: Math.max(daemon.highestTerm, step.memory?.vote?.term ?? 0),
  };
}

/** A hold counts in the time in which this daemon could watch; what it slept through, it did not hold. */
function noticeSleep(daemon: DaemonState, settings: FailoverSettings, now: number): DaemonState {
  if (now - daemon.lastTurnAt <= 3 * settings.monitor_interval_secs) return daemon;
  const { voter } = daemon;
  const wasHolding = voter.holdUntil > daemon.lastTurnAt;
  const holdUntil = wasHolding ? now + settings.vote_hold : voter.holdUntil;
  return { ...daemon, voter: { ...voter, holdUntil, leaseFloorAt: now } };
}

function takeIn(daemon: DaemonState, observation: Observation, now: number): DaemonState {
  switch (observation.kind) {
    case "local-seen": {
      const { server, membership, sessions } = observation;
      const terms = [server.termRow, ...sessions.requests.map(({ term }) => term)];
      const seen = { ...daemon, local: server, membership, movedTo: findMove(daemon, membership) };
      return raiseTerm(recallExclusion(seen), terms);
    }
    case "local-lost":
      return noteGuard({ ...daemon, local: null }, observation.stoppedByGuard);
    case "upstream-seen":
      return observation.inRecovery === false ? seePrimary(daemon, upstreamOf(daemon.watch), now) : daemon;
    case "member-answered": {
      const { answer, askedAt } = observation;
      const others = daemon.answers.filter(({ nodeId }) => nodeId !== answer.nodeId);
      return takeAnswers(daemon, [...others, answer], { fresh: [answer], askedAt });
    }
    case "members-answered": {
      const { answers, askedAt } = observation;
      const heard = takeAnswers(daemon, answers, { fresh: answers, askedAt });
      return { ...heard, membersAnsweredAt: askedAt };
    }
    case "pause-changed":
      return { ...daemon, memory: { ...daemon.memory, isPaused: observation.isPaused } };
    case "upstream-lost":
      return forgetPrimary(daemon, upstreamOf(daemon.watch));
    case "command-ended":
    case "tick":
      return daemon;
  }
}

function findMove(before: DaemonState, membership: DaemonState["membership"]): NodeId | null {
  const [from, to] = [before.membership, membership].map(
    ({ members }) => members.find(({ nodeId }) => nodeId === before.nodeId) ?? null,
  );
  if (!from || !to || from.upstreamNodeId === to.upstreamNodeId) return before.movedTo;
  return to.upstreamNodeId;
}

/** What the daemon itself attaches to comes after what a record said before. */
function isMoveOver(before: DaemonState, { watch, movedTo }: DaemonState): boolean {
  if (watch.state.kind === "attaching") return before.watch.state.kind !== "attaching";
  return upstreamOf(watch) === movedTo;
}

function noteGuard(
  daemon: DaemonState,
  stopped: Extract<Observation, { kind: "local-lost" }>["stoppedByGuard"],
): DaemonState {
  if (stopped === null || daemon.memory.wasPrimary !== null) return daemon;
  return { ...daemon, memory: { ...daemon.memory, wasPrimary: { ...stopped, reason: "isolated" } } };
}

/** A failed check is newer than the last good one; while the attempts go on, the reconnect phase forbids a vote. */
function forgetPrimary(daemon: DaemonState, nodeId: NodeId | null): DaemonState {
  if (nodeId === null || daemon.voter.primarySeen?.nodeId !== nodeId) return daemon;
  return { ...daemon, voter: { ...daemon.voter, primarySeen: null } };
}

function takeAnswers(
  daemon: DaemonState,
  answers: readonly MemberAnswer[],
  { fresh, askedAt }: { fresh: readonly MemberAnswer[]; askedAt: number },
): DaemonState {
  const terms = answeredOnly(fresh).flatMap(({ server, beacon }) => [
    server.termRow,
    beacon?.vote?.term ?? 0,
  ]);
  const living = findLivingPrimary({ ...daemon, answers: fresh });
  return confirmOwnLease(raiseTerm({ ...seePrimary(daemon, living, askedAt), answers }, terms), fresh);
}

const raiseTerm = (daemon: DaemonState, terms: readonly number[]): DaemonState => ({
  ...daemon,
  highestTerm: Math.max(daemon.highestTerm, ...terms),
});

function seePrimary(daemon: DaemonState, nodeId: NodeId | null, at: number): DaemonState {
  if (nodeId === null || at < (daemon.voter.primarySeen?.at ?? -Infinity)) return daemon;
  return { ...daemon, voter: { ...daemon.voter, primarySeen: { nodeId, at } } };
}

function confirmOwnLease(daemon: DaemonState, answers: readonly MemberAnswer[]): DaemonState {
  const { watch } = daemon;
  if (watch.role !== "primary" || !("lease" in watch.state) || watch.state.lease === null) return daemon;
  const lease = confirmLease(watch.state.lease, daemon.nodeId, answers);
  return { ...daemon, watch: { ...watch, state: { ...watch.state, lease } } };
}

function answerVoters(situation: Situation, observation: Observation): Step {
  return observation.kind === "local-seen" ? answerRequests(situation, observation) : {};
}

function decideByRole(situation: Situation, observation: Observation): Step {
  const { watch } = situation.daemon;
  switch (watch.role) {
    case "unknown":
      return beginAt(situation, observation);
    case "standby":
      return lookUp(
        standbyWatch,
        { state: watch.state, seen: classifyForStandby(situation, observation) },
        situation,
      );
    case "witness": {
      const seen = classifyForStandby(situation, observation);
      const forWitness: WitnessSeen =
        seen.kind === "out-of-recovery" || seen.kind === "moved" ? { kind: "tick" } : seen;
      return lookUp(witnessWatch, { state: watch.state, seen: forWitness }, situation);
    }
    case "primary":
      return lookUp(
        primaryWatch,
        { state: watch.state, seen: classifyForPrimary(situation, observation) },
        situation,
      );
  }
}

type AnyCell = (state: unknown, seen: unknown, situation: Situation) => Step;

function lookUp<State extends { kind: string }, Seen extends { kind: string }>(
  grid: Grid<State, Seen>,
  { state, seen }: { state: State; seen: Seen },
  situation: Situation,
): Step {
  const row = grid[state.kind as State["kind"]] as Readonly<Record<string, AnyCell>>;
  return row[seen.kind]?.(state, seen, situation) ?? {};
}

/** The promote command of an earlier life may still be at work, and its votes are of unknown age. */
function abortUnfinished(term: number, upstream: Upstream | null, now: number): Step {
  const campaign = { term, startedAt: now, timeline: null, isValidated: false };
  return {
    watch: {
      role: "standby",
      state: { kind: "aborting", upstream, round: 0, campaign, retryAt: null, isStandby: false },
    },
    actions: [{ kind: "abort-promotion" }],
  };
}

function beginAt(situation: Situation, { kind }: Observation): Step {
  if (kind === "local-seen") return begin(situation);
  return kind === "local-lost" ? resumeFence(situation) : {};
}

/** This daemon was stopped after it had stopped its server, and goes on from there. */
function resumeFence({ daemon, now }: Situation): Step {
  const { wasPrimary } = daemon.memory;
  if (wasPrimary === null) return {};
  return { watch: { role: "primary", state: { kind: "fenced", reason: wasPrimary.reason, retryAt: now } } };
}

/** What the own server is decides where a daemon begins; the records say whom it followed. */
function begin(situation: Situation): Step {
  const { daemon, settings, now } = situation;
  const upstream = findMember(daemon, daemon.nodeId)?.upstreamNodeId ?? null;
  const actions = [askMembers(situation)];
  if (isWitness(daemon)) {
    const state =
      upstream === null
        ? ({ kind: "seeking", upstream, retryAt: now } as const)
        : ({ kind: "watching", upstream } as const);
    return { watch: { role: "witness", state }, actions };
  }
  if (daemon.local?.inRecovery === false) {
    const lease = startLease(settings, { seed: daemon.leaseSeed, grantedAt: null, now });
    const state = { kind: "leading", term: daemon.local.termRow, lease } as const;
    return { watch: { role: "primary", state }, actions: [...startGuard(lease, settings, now), ...actions] };
  }
  const watched =
    upstream === null
      ? null
      : { nodeId: upstream, isPrimary: findMember(daemon, upstream)?.type === "primary" };
  if (daemon.memory.promotingTerm !== null) return abortUnfinished(daemon.memory.promotingTerm, watched, now);
  if (watched === null)
    return {
      watch: {
        role: "standby",
        state: { kind: "electing", upstream: null, round: 0, standsAsideUntil: null },
      },
      actions,
    };
  return { watch: { role: "standby", state: { kind: "watching", upstream: watched } }, actions };
}

function classifyForStandby(situation: Situation, observation: Observation): StandbySeen {
  const { daemon } = situation;
  switch (observation.kind) {
    case "local-seen":
      if (!observation.server.inRecovery) return { kind: "out-of-recovery" };
      // A record that is replayed late may be an old one.
      return daemon.movedTo === null || !observation.server.isDrained
        ? { kind: "tick" }
        : { kind: "moved", to: daemon.movedTo };
    case "member-answered": {
      const found = findPrimary({ ...daemon, answers: [observation.answer] }, situation);
      return found === null ? { kind: "member-seen" } : { kind: "primary-found", ...found };
    }
    case "members-answered": {
      const found = findPrimary(daemon, situation);
      if (found !== null) return { kind: "primary-found", ...found };
      return { kind: findLivingPrimary(daemon) === null ? "no-primary" : "primary-alive" };
    }
    case "upstream-seen":
    case "upstream-lost":
    case "command-ended":
      return observation;
    case "local-lost":
    case "pause-changed":
    case "tick":
      return { kind: "tick" };
  }
}

function classifyForPrimary({ daemon }: Situation, observation: Observation): PrimarySeen {
  switch (observation.kind) {
    case "local-seen":
      return { kind: observation.server.inRecovery ? "in-recovery" : "out-of-recovery" };
    case "member-answered":
    case "members-answered": {
      const server = knownServer(daemon);
      if (server === null) return { kind: "undisputed" };
      const { nodeId: self, answers, membership, memory } = daemon;
      const verdict = judgeSuperseded({
        self,
        server,
        isUnfinished: memory.promotingTerm !== null,
        members: membership.members,
        answers,
      });
      // The next answer may be the one of who has won these votes.
      const isWholeRound = observation.kind === "members-answered";
      return verdict.kind === "undisputed" && isWholeRound && isOutvoted(daemon, server.termRow)
        ? { kind: "outvoted" }
        : verdict;
    }
    case "local-lost":
      return { kind: "local-lost" };
    case "command-ended":
      return observation;
    case "upstream-seen":
    case "upstream-lost":
    case "pause-changed":
    case "tick":
      return { kind: "tick" };
  }
}

/** The own server as it will say of itself when its newest promotion is written. */
function knownServer({ local, watch }: DaemonState): ServerReport | null {
  if (local === null || watch.role !== "primary" || !("term" in watch.state)) return null;
  return { ...local, termRow: Math.max(local.termRow, watch.state.term) };
}

/** A vote was given for a term later than this primary's own, by others or by itself. */
function isOutvoted({ answers, memory }: DaemonState, ownTerm: number): boolean {
  const votes = answeredOnly(answers).map(({ beacon }) => beacon?.vote?.term ?? 0);
  return Math.max(memory.vote?.term ?? 0, ...votes) > ownTerm;
}

function upstreamOf(watch: Watch): NodeId | null {
  if (!("upstream" in watch.state)) return null;
  const { upstream } = watch.state;
  return upstream !== null && typeof upstream === "object" ? upstream.nodeId : upstream;
}

/** Whom the loop is to check as upstream: null while there is none. */
export function watchedUpstream({ watch }: DaemonState): NodeId | null {
  if (watch.state.kind === "attaching") return null;
  return upstreamOf(watch);
}

/** While this holds, the loop looks at the own server and submits a tick every 100 ms: votes are asked for or given. */
export function isUrgent({ watch }: DaemonState): boolean {
  switch (watch.role) {
    case "unknown":
      return true;
    case "standby":
    case "witness":
      return watch.state.kind !== "watching";
    case "primary":
      return (
        watch.state.kind === "reasserting" || watch.state.kind === "fencing" || awaitsFirstEcho(watch.state)
      );
  }
}

const awaitsFirstEcho = (state: PrimaryState): boolean =>
  state.kind === "leading" && state.lease?.confirmed.size === 0;

/** These last for moments in which nobody can write: the loop is twice as fast then. */
export const isElecting = ({ watch: { role, state } }: DaemonState): boolean =>
  role === "standby" && ["electing", "campaigning", "promoting"].includes(state.kind);

/** A server that comes back may have a successor: until the look that sees it, it is writable. */
export function awaitsOwnServer({ watch }: DaemonState): boolean {
  return watch.role === "primary" && (watch.state.kind === "server-lost" || watch.state.kind === "fenced");
}

/** What the daemon publishes; valid as soon as the actions of the transition to this state were carried out. */
export function beaconOf(daemon: DaemonState, now: number): Beacon {
  const { nodeId, memory, voter, watch } = daemon;
  return {
    nodeId,
    upstreamNodeId: upstreamOf(watch),
    primarySeenAgoMs: voter.primarySeen === null ? null : now - voter.primarySeen.at,
    isPaused: memory.isPaused,
    activity: activityOf(watch),
    vote: memory.vote,
    leaseEcho: echoLease(daemon),
    heldForMs: Math.max(0, voter.holdUntil - now),
  };
}

function activityOf(watch: Watch): Beacon["activity"] {
  if (watch.role === "primary") return watch.state.kind === "leading" ? "leading" : "unwilling";
  if (watch.role !== "standby") return "watching";
  switch (watch.state.kind) {
    case "watching":
    case "reconnecting":
    case "attaching":
      return "watching";
    case "electing":
    case "campaigning":
    case "validating":
    case "promoting":
      return "willing";
    case "aborting":
      return "unwilling";
    case "degraded":
      return isTransient(watch.state.reason) ? "willing" : "unwilling";
  }
}

const isTransient = (reason: string): boolean => reason === "votes-refused" || reason === "no-majority";
