import type { NodeId } from "../model/node-record.js";
import type { SyncExclusion } from "../model/sync-exclusion.js";
import { BLOCKED_NAMES, type SyncState, type SyncStep } from "../model/sync-state.js";
import {
  decideSyncStep,
  findSender,
  isFlushedBy,
  isSame,
  makeSyncSet,
  renderStandbyNames,
  type SyncFacts,
} from "./sync-set.js";

export interface PreferredFacts extends SyncFacts {
  /** The term by which this node leads. */
  readonly term: number;
  /** Commits may go on without a standby: `sync_mode=preferred` in a cluster that has what it takes. */
  readonly mayExclude: boolean;
  /** The witness's record, null where there is none; null as a whole while it does not answer. */
  readonly witness: { readonly record: SyncExclusion | null } | null;
  /** For how long each standby has not had all of the log, in milliseconds. */
  readonly lagMs: ReadonlyMap<NodeId, number>;
  /** `sync_standby_timeout`, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * The next step of a primary whose standby may be left out with the witness's permission. The record of the witness
 * goes before the list in both directions: first the witness votes no more for the standby, then commits go on without
 * it; first they wait for it again and it has everything, then the witness votes for it.
 */
export function decidePreferredStep(facts: PreferredFacts): SyncStep {
  const { state } = facts;
  if (state === null) return decideSyncStep(facts);
  const out = state.exclusion?.node ?? null;
  if (out !== null && isMember(state, out)) return countAgain(state);
  if (out !== null && out !== facts.self && facts.nodes.some(({ nodeId }) => nodeId === out))
    return goOnWithout(facts, state, out);
  const late = findLate(facts, state);
  if (late !== null) return exclude(facts, state, late);
  return settleRecord(facts, state) ?? decideSyncStep(facts);
}

const isMember = ({ current, pending }: SyncState, id: NodeId): boolean =>
  pending === null && current.members.includes(id);

/** The one standby for which commits have waited too long. */
function findLate(facts: PreferredFacts, { current, pending }: SyncState): NodeId | null {
  const { mayExclude, self, nodes } = facts;
  const { members } = pending ?? current;
  const late = nodes.find(
    ({ nodeId }) => nodeId !== self && members.includes(nodeId) && isLate(facts, nodeId),
  );
  return mayExclude && late !== undefined ? late.nodeId : null;
}

const isLate = ({ lagMs, timeoutMs }: PreferredFacts, id: NodeId): boolean =>
  (lagMs.get(id) ?? 0) >= timeoutMs;

/** Half of the bound, so that a standby at the edge does not come and go. */
function isCaughtUp(facts: PreferredFacts, id: NodeId): boolean {
  const node = facts.nodes.find(({ nodeId }) => nodeId === id);
  const isStreaming = node !== undefined && findSender(facts, node)?.state === "streaming";
  return isStreaming && (facts.lagMs.get(id) ?? Infinity) < facts.timeoutMs / 2;
}

function exclude(facts: PreferredFacts, state: SyncState, late: NodeId): SyncStep {
  const { witness, self } = facts;
  if (!state.current.members.includes(late)) return takeBack(state);
  if (state.pending !== null) return decideSyncStep(facts);
  const record = witness?.record ?? null;
  // A record that was made use of once may be lifted at any moment by a request that is still on its way.
  const isFresh = record !== null && record.epoch > epochOf(state);
  if (!isFresh || record.node !== late || record.holder !== self) return askWitness(facts, state, late);
  const others = state.current.members.filter((member) => member !== late && member !== self);
  const pending = makeSyncSet([...others, self]);
  return {
    kind: "write-state",
    state: { ...state, version: state.version + 1, pending, exclusion: { epoch: record.epoch, node: late } },
  };
}

/** A standby that is away again before it was counted: nobody has been promised anything with it. */
function takeBack(state: SyncState): SyncStep {
  return { kind: "write-state", state: { ...state, version: state.version + 1, pending: null } };
}

function goOnWithout(facts: PreferredFacts, state: SyncState, out: NodeId): SyncStep {
  const { pending } = state;
  if (isRecordLost(facts, state, out)) return mendRecord(facts, state, out);
  const isReturning = pending?.members.includes(out) === true;
  if (isReturning && facts.mayExclude && isLate(facts, out)) return takeBack(state);
  const isCounted = isReturning || isCaughtUp(facts, out);
  const step = decideSyncStep(isCounted ? facts : without(facts, out));
  const isDone = step.kind === "write-state" && step.state.pending === null && isReturning;
  return isDone ? countAgain(step.state, 0) : step;
}

const without = (facts: PreferredFacts, out: NodeId): SyncFacts => ({
  ...facts,
  nodes: facts.nodes.filter(({ nodeId }) => nodeId !== out),
});

function countAgain(state: SyncState, step = 1): SyncStep {
  const exclusion = { epoch: epochOf(state), node: null };
  return { kind: "write-state", state: { ...state, version: state.version + step, exclusion } };
}

/** The witness was made anew: until it knows again, it could vote for a standby that lacks rows. */
function isRecordLost({ witness }: PreferredFacts, state: SyncState, out: NodeId): boolean {
  if (witness === null) return false;
  const { record } = witness;
  return record === null || record.node !== out || record.epoch !== epochOf(state);
}

function mendRecord(facts: PreferredFacts, state: SyncState, out: NodeId): SyncStep {
  const record = facts.witness?.record ?? null;
  if (record !== null && record.node === out && record.epoch > epochOf(state)) {
    const exclusion = { epoch: record.epoch, node: out };
    return { kind: "write-state", state: { ...state, version: state.version + 1, exclusion } };
  }
  if (!isSame(facts.names, BLOCKED_NAMES)) return { kind: "set-names", names: BLOCKED_NAMES };
  return askWitness(facts, state, out);
}

/** Once commits wait for it and it has everything, the witness may vote for the standby again. */
function settleRecord(facts: PreferredFacts, state: SyncState): SyncStep | null {
  const { witness, names } = facts;
  const { current, pending } = state;
  const record = witness?.record ?? null;
  if (record === null || record.node === null || !current.members.includes(record.node)) return null;
  const isStrict =
    pending === null && current.quorum > 0 && isSame(names, renderStandbyNames(facts, current));
  if (!isStrict || !isFlushedBy(facts, current)) return null;
  if (record.epoch <= epochOf(state)) return askWitness(facts, state, null);
  return countAgain({ ...state, exclusion: { epoch: record.epoch, node: null } });
}

const epochOf = ({ exclusion }: SyncState): number => exclusion?.epoch ?? 0;

function askWitness(
  { witness, self, term }: PreferredFacts,
  state: SyncState,
  node: NodeId | null,
): SyncStep {
  if (witness === null)
    return { kind: "wait", reason: "the witness, whose permission it takes, does not answer" };
  const epoch = Math.max(witness.record?.epoch ?? 0, epochOf(state)) + 1;
  return { kind: "ask-witness", wish: { epoch, node, holder: self, term } };
}
