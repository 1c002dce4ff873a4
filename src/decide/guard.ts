import type { Member, MemberAnswer, ServerReport } from "../model/member-report.js";
import type { NodeId } from "../model/node-record.js";
import type { TimelineHistory } from "../model/timeline.js";
import type { PromotionRecord } from "../model/vote.js";
import { isRecognisedPrimary } from "./lineage.js";
import { hasMajority } from "./quorum.js";
import { judgeSuperseded } from "./superseded.js";

/** What is known of a server that is down, and of what its node last knew of the cluster. */
export interface StartFacts {
  readonly self: NodeId;
  readonly server: {
    readonly systemIdentifier: string;
    readonly timeline: number;
    readonly history: TimelineHistory;
    /** It would start as a standby anyway. */
    readonly isStandby: boolean;
  };
  /** Null when nothing was kept. */
  readonly known: {
    readonly termRow: number;
    readonly promotions: readonly PromotionRecord[];
    readonly isRecordedPrimary: boolean;
  } | null;
  readonly members: readonly Member[];
  /** Of those that have answered, or have been asked in vain. */
  readonly answers: readonly MemberAnswer[];
}

export interface Successor {
  /** Null when only the terms tell that there is one. */
  readonly nodeId: NodeId | null;
  readonly term: number;
  readonly timeline: number | null;
  /** It was promoted apart from this node: what this one holds is given up by a new copy only. */
  readonly isTwin: boolean;
}

export type StartVerdict =
  | { readonly kind: "may-start"; readonly because: "standby" | "witness" | "alone" | "majority" }
  | { readonly kind: "superseded"; readonly successor: Successor }
  /** Nothing speaks against the start but nobody, or too few, could say so. */
  | {
      readonly kind: "unclear";
      readonly because: "no-members" | "nobody-answered" | "too-few-answers" | "later-term" | "rival";
      readonly rival: NodeId | null;
    };

type Answered = Extract<MemberAnswer, { kind: "answered" }>;

/**
 * Whether a stopped server may start as a primary. The proof of a successor is the same as for stopping one that runs,
 * and, since not starting does less harm, the record of a later promotion in anybody's log counts too.
 */
export function judgeStart(facts: StartFacts): StartVerdict {
  const { self, members } = facts;
  if (facts.server.isStandby) return { kind: "may-start", because: "standby" };
  if (members.find(({ nodeId }) => nodeId === self)?.type === "witness")
    return { kind: "may-start", because: "witness" };
  const answered = facts.answers.filter(
    (answer): answer is Answered => answer.kind === "answered" && isOfCluster(answer, facts),
  );
  const own = describeOwn(facts, answered);
  const successor = findSuccessor(facts, own, answered);
  return successor === null ? judgeClear(facts, own, answered) : { kind: "superseded", successor };
}

/** A witness is a cluster of its own. */
function isOfCluster({ nodeId, server }: Answered, { members, server: own }: StartFacts): boolean {
  const member = members.find((one) => one.nodeId === nodeId);
  if (member === undefined) return false;
  return member.type === "witness" || server.systemIdentifier === own.systemIdentifier;
}

/**
 * Whether more answers cannot change it, or need not be waited for. A majority is sure only of promotions by votes, so
 * everybody is asked once.
 */
export function isFinal(verdict: StartVerdict, { self, members, answers }: StartFacts): boolean {
  const others = members.filter(({ nodeId }) => nodeId !== self);
  const isIn = (list: readonly MemberAnswer[]): boolean =>
    others.every((member) => list.some(({ nodeId }) => nodeId === member.nodeId));
  switch (verdict.kind) {
    case "superseded":
      return true;
    case "may-start":
      return verdict.because === "majority" ? isIn(answers) : true;
    case "unclear":
      return others.length > 0 && isIn(answers.filter(({ kind }) => kind === "answered"));
  }
}

/** As the server would say of itself after its start. */
function describeOwn({ server, known }: StartFacts, answered: readonly Answered[]): ServerReport {
  const promotions = known?.promotions ?? [];
  return {
    ...server,
    inRecovery: false,
    termRow: known?.termRow ?? estimateTerm(server.timeline, answered),
    lsn: 0n as ServerReport["lsn"],
    promotion: promotions.at(-1) ?? null,
    promotions,
    isRecordedPrimary: known?.isRecordedPrimary ?? true,
    isDrained: true,
    isDetached: false,
  };
}

/** Of the last promotion that led to the own timeline, by what others have on record. */
function estimateTerm(timeline: number, answered: readonly Answered[]): number {
  const terms = answered.map(({ server }) =>
    server.promotions.length === 0
      ? server.termRow
      : Math.max(0, ...server.promotions.filter((one) => one.timeline <= timeline).map(({ term }) => term)),
  );
  return Math.max(0, ...terms);
}

function findSuccessor(
  facts: StartFacts,
  own: ServerReport,
  answered: readonly Answered[],
): Successor | null {
  const { self, members } = facts;
  const verdict = judgeSuperseded({ self, server: own, isUnfinished: false, members, answers: answered });
  switch (verdict.kind) {
    case "superseded": {
      const record = findPromotion(answered, (one) => one.term === verdict.term);
      const by = verdict.by ?? record?.node ?? null;
      const server = answered.find(({ nodeId }) => nodeId === by)?.server;
      const timeline = server?.inRecovery === false ? server.timeline : (record?.timeline ?? null);
      return {
        nodeId: by,
        term: verdict.term,
        timeline,
        isTwin: timeline !== null && timeline <= own.timeline,
      };
    }
    case "equal-term": {
      const server = answered.find(({ nodeId }) => nodeId === verdict.other)?.server;
      const timeline = server?.timeline ?? null;
      return {
        nodeId: verdict.other,
        term: own.termRow,
        timeline,
        isTwin: timeline === null || timeline <= own.timeline,
      };
    }
    case "suspicion":
    case "undisputed": {
      const record = findPromotion(
        answered,
        (one) => one.node !== self && one.term > own.termRow && one.timeline > own.timeline,
      );
      return record === null
        ? null
        : { nodeId: record.node, term: record.term, timeline: record.timeline, isTwin: false };
    }
  }
}

/** Only the last promotion in a log says who is the primary by it. */
function findPromotion(
  answered: readonly Answered[],
  isWanted: (record: PromotionRecord) => boolean,
): PromotionRecord | null {
  const last = answered.flatMap(({ server }) => server.promotion ?? []).filter(isWanted);
  return last.sort((a, b) => b.term - a.term)[0] ?? null;
}

function judgeClear(
  { self, members }: StartFacts,
  own: ServerReport,
  answered: readonly Answered[],
): StartVerdict {
  const unclear = (
    because: Extract<StartVerdict, { kind: "unclear" }>["because"],
    rival: NodeId | null = null,
  ): StartVerdict => ({ kind: "unclear", because, rival });
  const others = members.filter(({ nodeId }) => nodeId !== self);
  if (members.length === 0) return unclear("no-members");
  if (others.length === 0) return { kind: "may-start", because: "alone" };
  if (answered.length === 0) return unclear("nobody-answered");
  const isData = ({ nodeId }: Answered): boolean =>
    others.some((member) => member.nodeId === nodeId && member.type !== "witness");
  const rival = answered.find(
    (answer) =>
      isData(answer) &&
      !answer.server.inRecovery &&
      !(isRecognisedPrimary(answer.nodeId, answer.server) && answer.server.termRow < own.termRow),
  );
  if (rival !== undefined) return unclear("rival", rival.nodeId);
  const isLater = ({ server, beacon }: Answered): boolean =>
    server.termRow > own.termRow || (beacon?.vote?.term ?? 0) > own.termRow;
  if (answered.some(isLater)) return unclear("later-term");
  const heard = new Set([self, ...answered.map(({ nodeId }) => nodeId)]);
  return hasMajority(members, heard)
    ? { kind: "may-start", because: "majority" }
    : unclear("too-few-answers");
}

export interface StartRules {
  /** What may not be a primary comes up read-only instead of not at all. */
  readonly asStandby: boolean;
  /** Without an answer the server is not started as a primary. */
  readonly strict: boolean;
  /** The daemons promote a server that comes up read-only and has the votes for it. */
  readonly isElected: boolean;
}

/** What the command does: the server may start as it is, it is made a standby first, or it must not be started. */
export type StartDecision = "start" | "start-as-standby" | "refuse";

/** A cold start of a whole cluster must not need a person, unless somebody asks for that (`strict`). */
export function decideStart(
  verdict: StartVerdict,
  { members }: Pick<StartFacts, "members">,
  { asStandby, strict, isElected }: StartRules,
): StartDecision {
  switch (verdict.kind) {
    case "may-start":
      return "start";
    case "superseded":
      return asStandby ? "start-as-standby" : "refuse";
    case "unclear":
      if (asStandby && (strict || (isElected && members.length >= 3))) return "start-as-standby";
      return strict ? "refuse" : "start";
  }
}
