import type { Beacon, Member, MemberAnswer, ServerReport } from "../model/member-report.js";
import type { NodeId } from "../model/node-record.js";
import { compareLogPositions, type LogPosition } from "../model/vote.js";
import type { FailoverSettings } from "./failover-settings.js";
import { isLineageOpen, isRecognisedPrimary, judgeAttachment, type Attachment } from "./lineage.js";
import { chooseQuorumRule, hasMajority, seesEnough } from "./quorum.js";
import { coversAcknowledged, syncSetsOf } from "./sync-set.js";
import type { DaemonState, DegradedReason } from "./watch-types.js";

interface Candidate extends LogPosition {
  readonly nodeId: NodeId;
  readonly priority: number;
}

/** Negative when `a` goes before `b`: the further log, then the higher priority, then the lower node id. */
function compareCandidates(a: Candidate, b: Candidate): number {
  return compareLogPositions(b, a) || b.priority - a.priority || a.nodeId - b.nodeId;
}

export interface FoundPrimary {
  readonly nodeId: NodeId;
  readonly attachment: Attachment;
}

type Answered = Extract<MemberAnswer, { kind: "answered" }>;

export function answeredOnly(answers: readonly MemberAnswer[]): readonly Answered[] {
  return answers.filter((answer) => answer.kind === "answered");
}

/**
 * The primary that this node belongs to now. A writable server behind the own log is an old one; one whose term is below
 * a vote given since is followed only when that vote is no longer held, and never in synchronous mode.
 */
export function findPrimary(
  daemon: DaemonState,
  { settings, now }: { settings: FailoverSettings; now: number },
): FoundPrimary | null {
  const { local, memory, voter } = daemon;
  const mayGoBack = settings.sync_mode === "off" && now >= voter.holdUntil;
  const votedTerm = memory.vote?.term ?? 0;
  const [best] = writableMembers(daemon)
    .filter(({ nodeId, server }) => isRecognisedPrimary(nodeId, server))
    .filter(({ server }) => server.termRow >= votedTerm || mayGoBack)
    .filter(({ server }) => local === null || isWitness(daemon) || server.termRow >= local.termRow)
    .sort((a, b) => b.server.termRow - a.server.termRow || compareLogPositions(b.server, a.server));
  if (best === undefined) return null;
  // Without a look at the own log nobody can say whether it belongs to that primary.
  if (local === null && !isWitness(daemon)) return null;
  if (local !== null && !isWitness(daemon) && isLineageOpen(local, best.server)) return null;
  const attachment =
    local === null || isWitness(daemon) ? "follow" : judgeAttachment(local, best.server, memory.wasPrimary);
  return { nodeId: best.nodeId, attachment };
}

/** A server out of recovery that is not behind the own log: while one answers, there is nothing to elect. */
export function findLivingPrimary(daemon: DaemonState): NodeId | null {
  const { local } = daemon;
  const living = writableMembers(daemon).find(
    ({ server }) => local === null || isWitness(daemon) || compareLogPositions(server, local) >= 0,
  );
  return living?.nodeId ?? null;
}

function writableMembers(daemon: DaemonState): readonly Answered[] {
  const { members } = daemon.membership;
  return answeredOnly(daemon.answers).filter(
    ({ nodeId, server }) =>
      !server.inRecovery && members.some((member) => member.nodeId === nodeId && member.type !== "witness"),
  );
}

export function isWitness(daemon: DaemonState): boolean {
  return findMember(daemon, daemon.nodeId)?.type === "witness";
}

export function findMember({ membership }: DaemonState, id: NodeId): Member | undefined {
  return membership.members.find(({ nodeId }) => nodeId === id);
}

export type ElectionDecision =
  | { readonly kind: "stand"; readonly term: number }
  /** A better candidate says that it stands: it gets one round. */
  | { readonly kind: "stand-aside"; readonly better: NodeId }
  | { readonly kind: "cancelled"; readonly reason: DegradedReason };

/** What a standby makes of a round of answers in which no primary was found. */
export function decideElection(
  daemon: DaemonState,
  {
    settings,
    upstream,
    mayStandAside,
  }: { settings: FailoverSettings; upstream: NodeId | null; mayStandAside: boolean },
): ElectionDecision {
  const obstacle = findObstacle(daemon, settings, upstream);
  if (obstacle !== null) return { kind: "cancelled", reason: obstacle };
  const better = mayStandAside ? findWillingBetter(daemon) : null;
  return better === null ? { kind: "stand", term: daemon.highestTerm + 1 } : { kind: "stand-aside", better };
}

function findObstacle(
  daemon: DaemonState,
  settings: FailoverSettings,
  upstream: NodeId | null,
): DegradedReason | null {
  const own = findMember(daemon, daemon.nodeId);
  if (daemon.local === null || own === undefined) return "local-server-lost";
  if (daemon.memory.isPaused) return "paused";
  const bar = findBar(own, settings);
  if (bar !== null) return bar;
  if (!daemon.local.isDrained) return "replay-pending";
  if (settings.sync_mode !== "off" && isExcluded(daemon)) return "excluded";
  if (own.type === "standby" && own.upstreamNodeId === null && !settings.always_promote)
    return "upstream-unknown";
  if (isLocationUnseen(daemon, settings, upstream)) return "primary-location-unseen";
  if (settings.primary_visibility_consensus && isPrimaryStillSeen(daemon, settings, upstream))
    return "primary-still-visible";
  return isMajorityPossible(daemon, settings, upstream) ? null : "no-majority";
}

/** Why a node is never promoted automatically, whatever the others say; null: it may be. */
export function findBar(
  { priority }: Member,
  { failover }: FailoverSettings,
): Extract<DegradedReason, "manual" | "priority-zero"> | null {
  if (failover === "manual") return "manual";
  return priority <= 0 ? "priority-zero" : null;
}

/** The primary may have gone on without this node: its candidacy would only raise the term. */
function isExcluded({ answers, nodeId }: DaemonState): boolean {
  return answeredOnly(answers).some(({ server }) => server.exclusion?.node === nodeId);
}

/** Where votes decide, a node without any of the primary's place in sight may still have a majority. */
function isLocationUnseen(daemon: DaemonState, settings: FailoverSettings, upstream: NodeId | null): boolean {
  const { members } = daemon.membership;
  const rule = chooseQuorumRule(members, settings);
  if (rule === "votes" && settings.failover_location_rule === "auto") return false;
  const location = members.find(({ nodeId }) => nodeId === upstream)?.location;
  if (location === undefined) return false;
  const visible = new Set([daemon.nodeId, ...answeredOnly(daemon.answers).map(({ nodeId }) => nodeId)]);
  return !members.some(
    (member) => member.nodeId !== upstream && member.location === location && visible.has(member.nodeId),
  );
}

function isPrimaryStillSeen(
  daemon: DaemonState,
  settings: FailoverSettings,
  upstream: NodeId | null,
): boolean {
  return answeredOnly(daemon.answers).some(({ beacon }) => {
    if (beacon === null || beacon.primarySeenAgoMs === null) return false;
    return beacon.upstreamNodeId === upstream && beacon.primarySeenAgoMs < 2 * settings.monitor_interval_secs;
  });
}

/** A voter is a node whose daemon answers through its beacon; a server alone gives no vote. */
function isMajorityPossible(
  daemon: DaemonState,
  settings: FailoverSettings,
  upstream: NodeId | null,
): boolean {
  const { members } = daemon.membership;
  const answered = answeredOnly(daemon.answers);
  if (chooseQuorumRule(members, settings) === "sight") {
    const visible = new Set(answered.map(({ nodeId }) => nodeId));
    return seesEnough(members, { self: daemon.nodeId, upstream, visible });
  }
  const voters = answered.filter(({ beacon }) => beacon !== null && !beacon.isPaused);
  return hasMajority(members, new Set([daemon.nodeId, ...voters.map(({ nodeId }) => nodeId)]));
}

/**
 * Who asks for votes already goes before a better one that comes later, unless it lacks a part of the log: two that ask
 * at the same time would both fail.
 */
function findWillingBetter(daemon: DaemonState): NodeId | null {
  const [better] = listWilling(daemon, (candidate, own, beacon) =>
    isAskingForVotes(beacon)
      ? compareLogPositions(candidate, own) >= 0
      : compareCandidates(candidate, own) < 0,
  );
  return better?.nodeId ?? null;
}

export interface Rival {
  /** Somebody else holds a vote for it, which also tells that it asks before its own answer does. */
  readonly hasVotes: boolean;
  /** It has more of the log, and votes for nobody who has less. */
  readonly isFurther: boolean;
}

/** Better candidates that ask for votes at the same time, as one: of two, neither would get the other's. */
export function findRival(daemon: DaemonState): Rival | null {
  const answers = answeredOnly(daemon.answers);
  const votedFor = new Set(
    answers.flatMap(({ nodeId, beacon }) => {
      const vote = beacon !== null && beacon.heldForMs > 0 ? beacon.vote : null;
      return vote === null || vote.candidate === nodeId ? [] : [vote.candidate];
    }),
  );
  const rivals = listWilling(
    daemon,
    (candidate, own, beacon) =>
      (isAskingForVotes(beacon) || votedFor.has(candidate.nodeId)) && compareCandidates(candidate, own) < 0,
  );
  if (rivals.length === 0) return null;
  const { local } = daemon;
  return {
    hasVotes: rivals.some(({ nodeId }) => votedFor.has(nodeId)),
    isFurther: rivals.some(({ server }) => local !== null && compareLogPositions(server, local) > 0),
  };
}

type Fits = (candidate: Candidate, own: Candidate, beacon: Beacon | null) => boolean;

function listWilling(daemon: DaemonState, goesFirst: Fits): readonly Answered[] {
  return listStandbys(
    daemon,
    (candidate, own, beacon) => isWilling(beacon) && goesFirst(candidate, own, beacon),
  );
}

/** Of those that have answered; none while the own server is down. */
function listStandbys(daemon: DaemonState, fits: Fits): readonly Answered[] {
  const own = toCandidate(daemon, daemon.nodeId, daemon.local);
  if (own === null) return [];
  return answeredOnly(daemon.answers).filter(({ nodeId, beacon, server }) => {
    const candidate = toCandidate(daemon, nodeId, server);
    return candidate !== null && server.inRecovery && fits(candidate, own, beacon);
  });
}

/** A standby that has more of the log than this one and does not stand: it may refuse its vote for ever. */
export function findFurtherAbstainer(daemon: DaemonState): NodeId | null {
  const [further] = listStandbys(
    daemon,
    (other, own, beacon) => !isWilling(beacon) && compareLogPositions(other, own) > 0,
  );
  return further?.nodeId ?? null;
}

/** A vote in this term, or in a later one, was given to somebody else: its voter gives none in this term any more. */
export function isTermUsed({ nodeId, answers }: DaemonState, term: number): boolean {
  const votes = answeredOnly(answers).map(({ beacon }) => beacon?.vote ?? null);
  return votes.some((vote) => vote !== null && vote.term >= term && vote.candidate !== nodeId);
}

const isAskingForVotes = (beacon: Beacon | null): boolean =>
  beacon !== null && beacon.vote?.candidate === beacon.nodeId && beacon.heldForMs > 0;

const isWilling = (beacon: Beacon | null): boolean => beacon?.activity === "willing" && !beacon.isPaused;

function toCandidate({ membership }: DaemonState, id: NodeId, server: ServerReport | null): Candidate | null {
  const member = membership.members.find(({ nodeId }) => nodeId === id);
  if (member === undefined || server === null || member.type === "witness") return null;
  return { nodeId: id, priority: member.priority, termRow: server.termRow, lsn: server.lsn };
}

/** Whether the votes shown by the members' beacons, with the own one, allow the promotion. */
export function hasWon(
  daemon: DaemonState,
  { settings, term, upstream }: { settings: FailoverSettings; term: number; upstream: NodeId | null },
): boolean {
  const { members } = daemon.membership;
  const granting = answeredOnly(daemon.answers).filter(
    ({ beacon }) => beacon?.vote?.term === term && beacon.vote.candidate === daemon.nodeId,
  );
  const voters = new Set([daemon.nodeId, ...granting.map(({ nodeId }) => nodeId)]);
  if (chooseQuorumRule(members, settings) === "votes")
    return hasMajority(members, voters) && hasDataGrants(daemon, settings, granting);
  const visible = new Set(answeredOnly(daemon.answers).map(({ nodeId }) => nodeId));
  return seesEnough(members, { self: daemon.nodeId, upstream, visible });
}

/**
 * Synchronous mode: those who grant, detached before their log was read, must hold every acknowledged row among them,
 * and the winner must have the greatest log of those.
 */
function hasDataGrants(
  daemon: DaemonState,
  settings: FailoverSettings,
  granting: readonly Answered[],
): boolean {
  const { local, membership } = daemon;
  if (settings.sync_mode === "off") return true;
  const dataNodes = membership.members.filter(({ type }) => type !== "witness").map(({ nodeId }) => nodeId);
  const grants = granting.filter(({ nodeId, server }) => dataNodes.includes(nodeId) && server.isDetached);
  const isFurthest = grants.every(({ server }) => local !== null && compareLogPositions(server, local) <= 0);
  const holders = new Set([daemon.nodeId, ...grants.map(({ nodeId }) => nodeId)]);
  return isFurthest && coversAcknowledged(syncSetsOf(membership.syncState ?? null, dataNodes), holders);
}

/** A pause of 0.2 to 1 s, doubled with each round; different for each node so that they do not collide for ever. */
export function backOffMs({ nodeId, highestTerm }: DaemonState, round: number, limitMs: number): number {
  const noise = Math.imul(
    Math.imul(nodeId, 0x9e3779b1) ^ Math.imul(highestTerm + round, 0x85ebca6b),
    0xc2b2ae35,
  );
  const fraction = ((noise ^ (noise >>> 15)) >>> 0) / 0x100000000;
  return Math.min((200 + 800 * fraction) * 2 ** Math.min(round, 10), limitMs);
}
