import type { Lsn } from "../model/lsn.js";
import type { NodeId } from "../model/node-record.js";
import {
  BLOCKED_NAMES,
  type SyncLook,
  type SyncNode,
  type SyncSet,
  type SyncState,
  type SyncStep,
  type WalSender,
} from "../model/sync-state.js";

/** Beyond this a new member would hold up every commit until it has caught up; in bytes. */
const CAUGHT_UP_WITHIN = 16n * 1024n * 1024n;

export function makeSyncSet(members: readonly NodeId[]): SyncSet {
  const sorted = [...members].sort((a, b) => a - b);
  return { members: sorted, quorum: Math.floor(sorted.length / 2) };
}

/**
 * Whether these nodes hold, among them, every row that was acknowledged under any of the sets: of each set all but
 * `quorum` members are needed, so that they meet every group that can have acknowledged something.
 */
export function coversAcknowledged(sets: readonly SyncSet[], holders: ReadonlySet<NodeId>): boolean {
  return sets.every(({ members, quorum }) => {
    const count = members.filter((member) => holders.has(member)).length;
    return count >= members.length - quorum;
  });
}

/** The sets by which a commit may have been acknowledged. Without a row any data node may have been alone with one. */
export function syncSetsOf(state: SyncState | null, dataNodes: readonly NodeId[]): readonly SyncSet[] {
  if (state === null) return [{ members: dataNodes, quorum: 0 }];
  return state.pending === null ? [state.current] : [state.current, state.pending];
}

export interface SyncFacts extends SyncLook {
  readonly self: NodeId;
  /**
   * The end of the log when the names and the row were first seen as they are now: who has flushed it has everything
   * from before. Null: that was just now.
   */
  readonly since: Lsn | null;
  /** Nodes whose name is used by a stranger too, for longer than a reconnection explains. */
  readonly unsound: ReadonlySet<NodeId>;
}

/**
 * The next step towards the set of registered data nodes: one node at a time, first the row with the pending set, kept
 * by the old one; then the names; then the final row, kept by the new one. Names follow registration, never liveness.
 */
export function decideSyncStep(facts: SyncFacts): SyncStep {
  const { state, names, self } = facts;
  if (state === null) {
    const current = makeSyncSet([self]);
    return { kind: "write-state", state: { version: 1, current, pending: null } };
  }
  if (state.pending !== null) return advanceChange(facts, state, state.pending);
  const { current } = state;
  const isKept = isFlushedBy(facts, current);
  const wanted = renderStandbyNames(facts, current);
  if (isSame(names, BLOCKED_NAMES) && wanted !== BLOCKED_NAMES)
    return isKept ? { kind: "set-names", names: wanted } : waitFor(facts, current);
  const leaver = current.members.find((member) => !isRegistered(facts, member));
  if (leaver === undefined && !isSame(names, wanted)) return { kind: "set-names", names: wanted };
  const members = leaver === undefined ? addMember(facts, current) : removeMember(current, leaver);
  if (!Array.isArray(members)) return members;
  if (!isKept) return waitFor(facts, current);
  return {
    kind: "write-state",
    state: { ...state, version: state.version + 1, pending: makeSyncSet(members) },
  };
}

const removeMember = ({ members }: SyncSet, leaver: NodeId): NodeId[] =>
  members.filter((member) => member !== leaver);

function addMember(facts: SyncFacts, { members }: SyncSet): NodeId[] | SyncStep {
  const outside = facts.nodes.filter(({ nodeId }) => !members.includes(nodeId));
  const joiner = outside.find((node) => node.nodeId === facts.self || mayJoin(facts, node));
  if (joiner !== undefined) return [...members, joiner.nodeId];
  const [first] = outside;
  if (first === undefined) return { kind: "settled" };
  const name = `"${first.nodeName}"`;
  return {
    kind: "wait",
    reason: `${name} is not counted yet: it does not stream from here, or is far behind`,
  };
}

function advanceChange(facts: SyncFacts, state: SyncState, pending: SyncSet): SyncStep {
  const { names } = facts;
  const wanted = renderStandbyNames(facts, pending);
  if (!isSame(names, wanted)) {
    const sets = isSame(names, BLOCKED_NAMES) ? [state.current, pending] : [state.current];
    const missing = sets.find((set) => !isFlushedBy(facts, set));
    if (missing !== undefined) return waitFor(facts, missing);
    return isRemovalKnown(facts, state.current)
      ? { kind: "set-names", names: wanted }
      : { kind: "wait", reason: "most nodes must know first of a node that was unregistered" };
  }
  if (!isFlushedBy(facts, pending)) return waitFor(facts, pending);
  return {
    kind: "write-state",
    state: { ...state, version: state.version + 1, current: pending, pending: null },
  };
}

/** Whether enough of a set have the row that names it. A node that is being removed is neither counted nor waited for. */
export function isFlushedBy(facts: SyncFacts, set: SyncSet): boolean {
  const { since } = facts;
  const others = countedMembers(facts, set);
  const needed = Math.min(quorumFor(facts, set), others.length);
  if (needed === 0) return true;
  if (since === null) return false;
  return others.filter((node) => hasFlushed(facts, node, since)).length >= needed;
}

/** Nodes that do not know of a removal could elect each other, the removed one among them. */
function isRemovalKnown(facts: SyncFacts, { members }: SyncSet): boolean {
  const { nodes, self, since } = facts;
  const leavers = members.filter((member) => !isRegistered(facts, member));
  if (leavers.length === 0) return true;
  const unaware = nodes.filter(
    (node) => node.nodeId !== self && (since === null || !hasFlushed(facts, node, since)),
  );
  return (unaware.length + leavers.length) * 2 <= nodes.length + leavers.length;
}

function hasFlushed(facts: SyncFacts, node: SyncNode, since: Lsn): boolean {
  const sender = findSender(facts, node);
  return sender?.state === "streaming" && sender.flushLsn !== null && sender.flushLsn >= since;
}

/** A primary that is no member is not one of those that make a group complete: one member more has to have the row. */
const quorumFor = ({ self }: Pick<SyncFacts, "self">, { members, quorum }: SyncSet): number =>
  members.includes(self) ? quorum : quorum + 1;

const countedMembers = (
  { nodes, self }: Pick<SyncFacts, "nodes" | "self">,
  { members }: SyncSet,
): readonly SyncNode[] => nodes.filter(({ nodeId }) => nodeId !== self && members.includes(nodeId));

function waitFor(facts: SyncFacts, set: SyncSet): SyncStep {
  const names = countedMembers(facts, set).map(({ nodeName }) => `"${nodeName}"`);
  const needed = Math.min(quorumFor(facts, set), names.length);
  return { kind: "wait", reason: `${needed} of ${names.join(", ")} must have all of the log first` };
}

type NamesFacts = Pick<SyncFacts, "nodes" | "self" | "unsound">;

/** Fewer names with the same number are stricter: what is left out is nobody's word. */
export function renderStandbyNames(facts: NamesFacts, set: SyncSet): string {
  const quorum = quorumFor(facts, set);
  if (quorum === 0) return "";
  const names = countedMembers(facts, set)
    .filter(({ nodeId }) => !facts.unsound.has(nodeId))
    .map(({ nodeName }) => `"${nodeName.replaceAll('"', '""')}"`);
  return names.length === 0 ? BLOCKED_NAMES : `ANY ${quorum} (${names.join(",")})`;
}

export const isSame = (a: string, b: string): boolean => a.replace(/\s+/g, "") === b.replace(/\s+/g, "");

const isRegistered = ({ nodes }: SyncFacts, id: NodeId): boolean => nodes.some(({ nodeId }) => nodeId === id);

function mayJoin(facts: SyncFacts, node: SyncNode): boolean {
  const sender = findSender(facts, node);
  if (sender?.state !== "streaming" || sender.flushLsn === null) return false;
  return facts.lsn - sender.flushLsn <= CAUGHT_UP_WITHIN;
}

/** The one WAL sender of a node; null when there is none, or when a stranger uses the name. */
export function findSender(
  { senders, unsound }: Pick<SyncFacts, "senders" | "unsound">,
  node: SyncNode,
): WalSender | null {
  if (unsound.has(node.nodeId) || describeStranger(node, senders) !== null) return null;
  return sendersOf(node, senders)[0] ?? null;
}

/** Why a name does not stand for its node alone; null when it does. */
export function describeStranger(node: SyncNode, senders: readonly WalSender[]): string | null {
  const own = sendersOf(node, senders);
  const [first, second] = own;
  if (second !== undefined) return `${own.length} WAL senders use the name "${node.nodeName}"`;
  if (first === undefined) return null;
  if (node.slotName !== null && first.slotName !== node.slotName)
    return `"${node.nodeName}" does not use its replication slot "${node.slotName}"`;
  const isElsewhere = node.slotName === null && node.address !== null && first.address !== null;
  if (isElsewhere && first.address !== node.address)
    return `"${node.nodeName}" connects from ${first.address}, its node is at ${node.address}`;
  return null;
}

/** PostgreSQL does not tell apart names in capitals. */
const sendersOf = ({ nodeName }: SyncNode, senders: readonly WalSender[]): readonly WalSender[] =>
  senders.filter(({ name }) => name.toLowerCase() === nodeName.toLowerCase());
