import type { Lsn } from "../model/lsn.js";
import { describeNode, slotNameOf, type NodeRecord } from "../model/node-record.js";
import type { Plan } from "../model/plan.js";
import type { Problem } from "../model/problem.js";
import {
  describeDivergence,
  describeHistories,
  judgeDivergence,
  type DivergenceFacts,
} from "./divergence.js";
import type { WalPosition } from "../model/wal-record.js";
import type { RecoveryParameters } from "./recovery-parameters.js";
import type { UnfinishedRewind } from "./rejoin-state.js";
import type { SlotCreator } from "./replication-slots.js";
import { judgeUpstreamSlot, recordBelow, type UpstreamCandidate } from "./upstream.js";

export interface RejoinFacts {
  readonly own: NodeRecord;
  readonly target: UpstreamCandidate;
  readonly attach: DivergenceFacts;
  /** Shut down cleanly; otherwise the recovery point is older than the last record. */
  readonly isClean: boolean;
  /** It was a standby when it stopped, cleanly or not: it recovers by itself when it starts as one. */
  readonly wasStandby: boolean;
  readonly unfinishedRewind: UnfinishedRewind | null;
  /** After the last valid local record; null when it could not be read. */
  readonly endOfWal: Lsn | null;
  /** Within which the local log breaks off where the target left its timeline. */
  readonly incompleteRecord: WalPosition | null;
  /** By the local pg_control, where pg_rewind looks. */
  readonly hasChecksums: boolean;
  readonly walLogHints: boolean;
  readonly localVersion: number;
  readonly targetServer: { readonly majorVersion: number; readonly fullPageWrites: boolean };
  /** The node from which this one has streamed by its record, or that still holds its slot; null without, or when it is the target. */
  readonly formerUpstream: NodeRecord | null;
}

export interface RejoinRules {
  readonly forceRewind: boolean;
  readonly useReplicationSlots: boolean;
  readonly parameters: RecoveryParameters;
  readonly waits: boolean;
  /** The command line that copies the target again. */
  readonly recloneCommand: string;
}

/** WAL that exists on this node only. */
export interface WalRange {
  readonly timeline: number;
  readonly from: Lsn;
  /** Null when its end is not known. */
  readonly to: Lsn | null;
}

export type RejoinStep =
  | { readonly kind: "rewind"; readonly discards: WalRange | null }
  | { readonly kind: "restore-files" }
  | { readonly kind: "create-slot"; readonly name: string; readonly creator: SlotCreator }
  | { readonly kind: "write-configuration"; readonly parameters: RecoveryParameters }
  | { readonly kind: "discard-incomplete-record"; readonly record: WalPosition }
  | { readonly kind: "start-server" }
  | { readonly kind: "record-upstream"; readonly record: NodeRecord }
  | { readonly kind: "await-attachment" }
  | { readonly kind: "drop-local-slot"; readonly name: string | null }
  | { readonly kind: "drop-former-slot"; readonly name: string; readonly upstream: NodeRecord };

/** A `prerequisite` ends the command with code 1, everything else with 24, as in the reference. */
export interface RejoinProblem extends Problem {
  readonly isPrerequisite?: true;
}

export interface RejoinOutlook {
  /** Why the node can attach as it is, or why it is rewound. */
  readonly finding: Problem;
  readonly rewinds: boolean;
}

/** The steps that make a stopped server a standby of the target (reference: repmgr-cli 6.1). */
export function planRejoin(
  facts: RejoinFacts,
  rules: RejoinRules,
): Plan<RejoinStep, RejoinOutlook, RejoinProblem> {
  const need = judgeRewind(facts, rules);
  if (need.kind === "refused") return { kind: "refused", problems: [need.problem] };
  const slotName = rules.useReplicationSlots ? (facts.own.slotName ?? slotNameOf(facts.own.nodeId)) : null;
  const problems = [
    ...judgeVersions(facts),
    ...(need.kind === "rewind" ? judgeRewindable(facts, rules) : []),
    ...(slotName === null ? [] : judgeUpstreamSlot({ ...facts, purpose: "rejoin" }, slotName)),
  ];
  if (problems.length > 0) {
    return { kind: "refused", problems: problems.map((problem) => ({ ...problem, isPrerequisite: true })) };
  }
  const steps: RejoinStep[] = [];
  if (need.kind === "rewind") steps.push({ kind: "rewind", discards: need.discards });
  const isRewound = need.kind !== "attach";
  if (isRewound) steps.push({ kind: "restore-files" });
  const outlook = { finding: need.finding, rewinds: need.kind === "rewind" };
  return {
    kind: "ready",
    warnings: [],
    steps: [...steps, ...planAttachment(facts, rules, { ...facts, slotName, isRewound })],
    ...outlook,
  };
}

/** What is known of a node that runs as a standby of the target already. */
export type AttachedFacts = Pick<RejoinFacts, "own" | "target" | "formerUpstream">;

/** The steps that an earlier run did not come to: the server runs already, and as a standby of the target. */
export function planRejoinCompletion(
  facts: AttachedFacts,
  rules: Pick<RejoinRules, "useReplicationSlots" | "parameters" | "waits">,
): Plan<RejoinStep, unknown, RejoinProblem> {
  const slotName = rules.useReplicationSlots ? (facts.own.slotName ?? slotNameOf(facts.own.nodeId)) : null;
  const problems =
    slotName === null ? [] : judgeUpstreamSlot({ ...facts, isConfigured: true, purpose: "rejoin" }, slotName);
  if (problems.length > 0) {
    return { kind: "refused", problems: problems.map((problem) => ({ ...problem, isPrerequisite: true })) };
  }
  const steps = planAttachment(facts, rules, { slotName, isRewound: false, incompleteRecord: null });
  return {
    kind: "ready",
    warnings: [],
    steps: steps.filter(({ kind }) => kind !== "write-configuration" && kind !== "start-server"),
  };
}

function planAttachment(
  facts: AttachedFacts,
  rules: Pick<RejoinRules, "parameters" | "waits">,
  {
    slotName,
    isRewound,
    incompleteRecord,
  }: Pick<RejoinFacts, "incompleteRecord"> & {
    readonly slotName: string | null;
    readonly isRewound: boolean;
  },
): readonly RejoinStep[] {
  const { slot, slotCreator, record } = facts.target;
  const steps: RejoinStep[] = [];
  if (slotName !== null && slot === null && slotCreator !== null)
    steps.push({ kind: "create-slot", name: slotName, creator: slotCreator });
  // Before there is anybody to stream from, and after pg_rewind, which sees nothing to do where the log ends with it.
  if (incompleteRecord !== null) steps.push({ kind: "discard-incomplete-record", record: incompleteRecord });
  steps.push(
    { kind: "write-configuration", parameters: rules.parameters },
    { kind: "start-server" },
    { kind: "record-upstream", record: recordBelow(facts, slotName) },
  );
  if (rules.waits) steps.push({ kind: "await-attachment" });
  if (slotName !== null && facts.formerUpstream !== null)
    steps.push({ kind: "drop-former-slot", name: slotName, upstream: facts.formerUpstream });
  // A rewind takes the slots of this node away by itself.
  if (slotName !== null && !isRewound) steps.push({ kind: "drop-local-slot", name: record.slotName });
  return steps;
}

type RewindNeed =
  | { readonly kind: "refused"; readonly problem: Problem }
  | { readonly kind: "attach" | "resume"; readonly finding: Problem }
  | { readonly kind: "rewind"; readonly finding: Problem; readonly discards: WalRange | null };

/** Only where it is needed: the reference runs pg_rewind whenever it is allowed to. */
function judgeRewind(facts: RejoinFacts, rules: RejoinRules): RewindNeed {
  const { attach, isClean, unfinishedRewind, target } = facts;
  const verdict = judgeDivergence(attach);
  if (verdict.kind === "impossible") {
    const isOtherCluster = attach.local.systemIdentifier !== attach.target.systemIdentifier;
    const hint = `to copy the target again: ${rules.recloneCommand}`;
    return { kind: "refused", problem: isOtherCluster ? verdict.problem : { ...verdict.problem, hint } };
  }
  const message = `pg_rewind execution required for this node to attach to rejoin target node ${target.record.nodeId}`;
  if (unfinishedRewind === "completed") {
    return { kind: "resume", finding: { message: "pg_rewind has done its work already" } };
  }
  if (verdict.kind === "diverged") {
    const problem = describeDivergence(attach, verdict.fork);
    if (!rules.forceRewind) return { kind: "refused", problem };
    const end = facts.endOfWal ?? (isClean ? attach.local.lsn : null);
    const to = end !== null && end > verdict.fork ? end : null;
    const discards = { timeline: attach.local.timeline, from: verdict.fork, to };
    return { kind: "rewind", finding: { message, detail: problem.detail }, discards };
  }
  // Such a server recovers by itself when it starts as a standby; nothing has to be rewound for that.
  const isSameLine = facts.wasStandby || attach.local.timeline === attach.target.timeline;
  if (unfinishedRewind === null && (isClean || isSameLine))
    return { kind: "attach", finding: verdict.finding };
  const why =
    unfinishedRewind === null ? "this node was not shut down cleanly" : "an earlier rewind did not finish";
  return {
    kind: "rewind",
    finding: { message, detail: `${why}\n${describeHistories(attach)}` },
    discards: null,
  };
}

function judgeVersions({ localVersion, targetServer, target }: RejoinFacts): readonly Problem[] {
  if (localVersion === targetServer.majorVersion) return [];
  return [
    {
      message: `this node and rejoin target node ${describeNode(target.record)} have different major versions`,
      detail: `PostgreSQL ${localVersion} here, ${targetServer.majorVersion} there`,
    },
  ];
}

function judgeRewindable(facts: RejoinFacts, { recloneCommand }: RejoinRules): readonly Problem[] {
  const problems: Problem[] = [];
  if (!facts.targetServer.fullPageWrites) {
    problems.push({
      message: 'pg_rewind cannot be used: "full_page_writes" is off on the rejoin target',
      hint: "switch it on there, execute CHECKPOINT there and repeat",
    });
  }
  if (!facts.hasChecksums && !facts.walLogHints) {
    problems.push({
      message: 'pg_rewind cannot be used: this node has neither data checksums nor "wal_log_hints"',
      detail: "pg_control of this node says so; it counts how the server ran when it diverged",
      hint: `to copy the target again: ${recloneCommand}`,
    });
  }
  return problems;
}
