import type { Member, MemberAnswer, ServerReport } from "../model/member-report.js";
import type { NodeId } from "../model/node-record.js";
import { findForkPoint } from "../model/timeline.js";
import { isRecognisedPrimary } from "./lineage.js";
import { hasMajority } from "./quorum.js";

export interface SupersededFacts {
  readonly self: NodeId;
  readonly server: ServerReport;
  /** The own promotion was begun by this daemon and never recorded: it counts for nothing. */
  readonly isUnfinished: boolean;
  readonly members: readonly Member[];
  readonly answers: readonly MemberAnswer[];
}

export type SupersededVerdict =
  /** Proof that another promotion came after this one. */
  | { readonly kind: "superseded"; readonly by: NodeId | null; readonly term: number }
  /** Both are writable with one term: two nodes after a partition, or force. This one gives way. */
  | { readonly kind: "equal-term"; readonly other: NodeId; readonly givesWay: boolean }
  /** Another writable server that proves nothing: promoted by hand, a restored backup, a test server. */
  | { readonly kind: "suspicion"; readonly other: NodeId }
  | { readonly kind: "undisputed" };

type Answered = Extract<MemberAnswer, { kind: "answered" }>;

/**
 * Whether a writable server has a successor. Nobody is stopped for a timeline number, for the word of a server in
 * recovery alone, or because others cannot be reached: the last is the lease's business.
 */
export function judgeSuperseded(facts: SupersededFacts): SupersededVerdict {
  const answered = facts.answers.filter(
    (answer): answer is Answered => answer.kind === "answered" && isMember(facts.members, answer.nodeId),
  );
  const successor = answered
    .filter((answer) => isProvenSuccessor(answer, facts))
    .sort((a, b) => b.server.termRow - a.server.termRow)[0];
  if (successor !== undefined)
    return { kind: "superseded", by: successor.nodeId, term: successor.server.termRow };
  return judgeMajority(facts, answered) ?? judgeRivals(facts, answered);
}

const isMember = (members: readonly Member[], id: NodeId): boolean =>
  members.some(({ nodeId }) => nodeId === id);

function isWritable({ server }: Answered, own: ServerReport): boolean {
  return !server.inRecovery && server.systemIdentifier === own.systemIdentifier;
}

function isProvenSuccessor(answer: Answered, { server: own, isUnfinished }: SupersededFacts): boolean {
  const { server, nodeId, beacon } = answer;
  const isKnown = beacon === null || beacon.nodeId === nodeId;
  if (!isWritable(answer, own) || !isKnown || !isRecognisedPrimary(nodeId, server)) return false;
  if (isUnfinished) return server.termRow >= own.termRow;
  return (
    server.promotion?.term === server.termRow &&
    server.termRow > own.termRow &&
    (hasGrownOutOf(server, own) || hasGoneAnotherWay(server, own))
  );
}

function hasGrownOutOf(server: ServerReport, own: ServerReport): boolean {
  return server.timeline > own.timeline && findForkPoint(server.history, own.timeline) !== null;
}

/** The own promotion is on record, and the later one is not built on it. */
function hasGoneAnotherWay(server: ServerReport, own: ServerReport): boolean {
  if (own.promotion?.timeline !== own.timeline) return false;
  const { term, node } = own.promotion;
  return !server.promotions.some((record) => record.term === term && record.node === node);
}

/** The successor itself may be dead by now, but what a majority has in its log was written by a later primary. */
function judgeMajority(facts: SupersededFacts, answered: readonly Answered[]): SupersededVerdict | null {
  const later = answered.filter(
    ({ server }) => server.termRow > facts.server.termRow && !isOwnPromotion(facts, server),
  );
  const ids = new Set(later.map(({ nodeId }) => nodeId));
  if (!hasMajority(facts.members, ids, facts.self)) return null;
  const term = Math.max(...later.map(({ server }) => server.termRow));
  const writable = later.find((answer) => isWritable(answer, facts.server));
  return { kind: "superseded", by: writable?.nodeId ?? null, term };
}

/** Of a promotion by hand the followers may tell before the next look at the own server, which has it too. */
function isOwnPromotion(
  { self, server: own }: SupersededFacts,
  { promotion, termRow }: ServerReport,
): boolean {
  return promotion?.term === termRow && promotion.node === self && promotion.timeline === own.timeline;
}

function judgeRivals(facts: SupersededFacts, answered: readonly Answered[]): SupersededVerdict {
  const rivals = answered.filter((answer) => isWritable(answer, facts.server) && !isWitness(facts, answer));
  const equal = rivals.find(
    ({ nodeId, server }) => server.termRow === facts.server.termRow && isRecognisedPrimary(nodeId, server),
  );
  if (equal !== undefined && isRecognisedPrimary(facts.self, facts.server))
    return { kind: "equal-term", other: equal.nodeId, givesWay: givesWay(facts, answered, equal.nodeId) };
  const higher = rivals.find(({ server }) => server.termRow >= facts.server.termRow);
  return higher === undefined ? { kind: "undisputed" } : { kind: "suspicion", other: higher.nodeId };
}

const isWitness = ({ members }: SupersededFacts, { nodeId }: Answered): boolean =>
  members.find((member) => member.nodeId === nodeId)?.type === "witness";

/** The one that more of the others follow stays; if neither, the lower node id. */
function givesWay({ self }: SupersededFacts, answered: readonly Answered[], other: NodeId): boolean {
  const followersOf = (id: NodeId): number =>
    answered.filter(({ server, beacon }) => server.inRecovery && beacon?.upstreamNodeId === id).length;
  const difference = followersOf(self) - followersOf(other);
  return difference === 0 ? self > other : difference < 0;
}
