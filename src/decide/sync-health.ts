import type { NodeId, NodeType } from "../model/node-record.js";
import type { RecordedExclusion } from "../model/sync-exclusion.js";
import { BLOCKED_NAMES, type SyncLook, type SyncNode, type SyncSet } from "../model/sync-state.js";
import type { ArmedVerdict } from "./armed.js";
import { judgePreferred } from "./sync-offer.js";
import { describeStranger, renderStandbyNames } from "./sync-set.js";

export interface SyncHealthFacts {
  readonly mode: "quorum" | "preferred";
  readonly members: readonly {
    readonly nodeId: NodeId;
    readonly nodeName: string;
    readonly type: NodeType;
  }[];
  /** What the witness has on record, null where that is nothing; null as a whole while none answers. */
  readonly witness: { readonly record: RecordedExclusion | null } | null;
  /** `sync_standby_timeout`, in milliseconds. */
  readonly timeoutMs: number;
  /** Null when no primary answers. */
  readonly primary: {
    readonly nodeId: NodeId;
    readonly nodeName: string;
    readonly hasDaemon: boolean;
    readonly look: SyncLook;
  } | null;
}

/** Whether the promise of synchronous mode is kept now, and every reason why not. */
export interface SyncHealth {
  readonly mode: SyncHealthFacts["mode"];
  readonly isKept: boolean;
  /** Standbys that a commit waits for; 0 while nothing is managed. */
  readonly quorum: number;
  readonly standbys: readonly string[];
  /** `synchronous_standby_names`; null when no primary answers. */
  readonly names: string | null;
  readonly reasons: readonly string[];
  /** What is on its way, and endangers nothing. */
  readonly notes: readonly string[];
  /** The standby for which the witness does not vote; null: none. */
  readonly excluded: ExcludedStandby | null;
}

interface ExcludedStandby {
  readonly nodeId: NodeId;
  readonly nodeName: string;
  readonly epoch: number;
  /** ISO 8601. */
  readonly since: string;
}

export function judgeSyncHealth(facts: SyncHealthFacts): SyncHealth {
  const { mode, primary } = facts;
  const excluded = findExcluded(facts);
  const nothing = { mode, isKept: false, quorum: 0, standbys: [], names: null, notes: [], excluded };
  if (primary === null)
    return { ...nothing, reasons: ["no primary answers", ...describeHopeless(facts, excluded)] };
  const { look, hasDaemon, nodeName, nodeId: self } = primary;
  const daemon = hasDaemon ? [] : [`no daemon on the primary "${nodeName}" manages the set`];
  const { state, names, nodes } = look;
  if (state === null) return { ...nothing, names, reasons: [...daemon, "the set is not on record yet"] };
  const set = state.current;
  const members = nodes.filter(({ nodeId }) => nodeId !== self && set.members.includes(nodeId));
  const strangers = members.flatMap((node) => describeStranger(node, look.senders) ?? []);
  const reasons = [
    ...daemon,
    ...judgeOffer(facts),
    ...judgeNames(look, self, strangers),
    ...strangers,
    ...judgeAttached(look, members, set),
  ];
  const left = state.exclusion?.node ?? null;
  const outside = nodes.filter(
    ({ nodeId }) => !set.members.includes(nodeId) && nodeId !== self && nodeId !== left,
  );
  const notes = [
    ...(state.pending === null ? [] : [`a change to nodes ${state.pending.members.join(", ")} is under way`]),
    ...outside.map(({ nodeName: name }) => `"${name}" is registered and not counted yet`),
    ...(set.quorum === 0 && left === null ? ["a primary alone: commits wait for nobody"] : []),
    ...describeExcluded(excluded, left),
    ...describeWait(facts, members, set),
  ];
  return {
    mode,
    isKept: reasons.length === 0,
    quorum: set.quorum,
    standbys: members.map(({ nodeName: name }) => name),
    names,
    reasons,
    notes,
    excluded,
  };
}

/** While its only standby is left out, the loss of a primary leads to no failover. */
export function disarmExcluded(
  verdict: ArmedVerdict,
  { synchronous, primary }: { readonly synchronous: SyncHealth | null; readonly primary: NodeId | null },
): ArmedVerdict {
  const excluded = synchronous?.excluded ?? null;
  if (excluded === null || excluded.nodeId === primary) return verdict;
  const reason = `"${excluded.nodeName}" is not promoted while it is excluded: it may lack acknowledged rows`;
  return { ...verdict, isArmed: false, reasons: [...verdict.reasons, reason] };
}

function findExcluded({ witness, members }: SyncHealthFacts): ExcludedStandby | null {
  const record = witness?.record ?? null;
  if (record === null || record.node === null) return null;
  return {
    nodeId: record.node,
    nodeName: nameOf(members, record.node),
    epoch: record.epoch,
    since: record.since,
  };
}

const nameOf = (members: SyncHealthFacts["members"], id: NodeId): string =>
  members.find(({ nodeId }) => nodeId === id)?.nodeName ?? String(id);

const describeHopeless = (
  { witness, members }: SyncHealthFacts,
  excluded: ExcludedStandby | null,
): string[] => {
  const holder = witness?.record?.holder;
  if (excluded === null || holder === undefined) return [];
  return [
    `${describe(excluded)}: it may lack acknowledged rows and is not promoted`,
    `"${nameOf(members, holder)}" has every acknowledged row: start its server`,
  ];
};

const describe = ({ nodeName, since, epoch }: ExcludedStandby): string =>
  `"${nodeName}" is excluded since ${since}, epoch ${epoch}`;

function judgeOffer({ mode, members }: SyncHealthFacts): readonly string[] {
  const problem = mode === "preferred" ? judgePreferred(members) : null;
  return problem === null ? [] : [`${problem.message}; ${problem.detail ?? ""}`];
}

function describeExcluded(excluded: ExcludedStandby | null, left: NodeId | null): readonly string[] {
  if (excluded === null) return [];
  return excluded.nodeId === left
    ? [`${describe(excluded)}: commits go on without it, and it is not promoted`]
    : [`${describe(excluded)}: it is counted, and may soon be promoted again`];
}

function describeWait(
  { mode, primary, timeoutMs, witness, members }: SyncHealthFacts,
  counted: readonly SyncNode[],
  { quorum }: SyncSet,
): readonly string[] {
  if (mode !== "preferred" || primary === null || judgePreferred(members) !== null) return [];
  if (witness === null) return ["the witness does not answer: commits cannot go on without a standby now"];
  const away = counted.filter(
    ({ nodeName }) =>
      !primary.look.senders.some(({ name, state }) => name === nodeName && state === "streaming"),
  );
  return quorum === 0
    ? []
    : away.map(
        ({ nodeName }) =>
          `waiting for "${nodeName}": commits go on without it after ${timeoutMs / 1000} seconds, with the permission of the witness`,
      );
}

function judgeNames(look: SyncLook, self: NodeId, strangers: readonly string[]): readonly string[] {
  const { state, names } = look;
  if (names === BLOCKED_NAMES && state?.current.quorum !== 0)
    return ["all commits wait: the standbys do not have the first rows of the new primary yet"];
  if (state === null || state.pending !== null || strangers.length > 0) return [];
  const wanted = renderStandbyNames({ ...look, self, unsound: new Set() }, state.current);
  return names === wanted
    ? []
    : [`synchronous_standby_names is '${names}', by the set it should be '${wanted}'`];
}

function judgeAttached(
  { senders }: SyncLook,
  members: readonly SyncNode[],
  { quorum }: SyncSet,
): readonly string[] {
  const streaming = members.filter(({ nodeName }) =>
    senders.some(({ name, state }) => name === nodeName && state === "streaming"),
  );
  return streaming.length >= quorum
    ? []
    : [`all commits wait: ${streaming.length} of at least ${quorum} standbys stream from the primary`];
}
