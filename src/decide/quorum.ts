import type { Member } from "../model/member-report.js";
import type { NodeId } from "../model/node-record.js";
import type { FailoverSettings } from "./failover-settings.js";

type QuorumSettings = Pick<FailoverSettings, "failover_quorum" | "primary_isolation_timeout" | "sync_mode">;

/**
 * How a promotion is allowed: by `votes` of a majority of all registered nodes, or by being able to `see` enough of the
 * active ones, which is the reference's rule. A lease or synchronous mode always needs votes.
 */
export function chooseQuorumRule(members: readonly Member[], settings: QuorumSettings): "votes" | "sight" {
  if (settings.primary_isolation_timeout !== null || settings.sync_mode !== "off") return "votes";
  if (settings.failover_quorum === "auto") return members.length >= 3 ? "votes" : "sight";
  return settings.failover_quorum === "strict" ? "votes" : "sight";
}

/**
 * Two for each registered node, active or not: a denominator that shrinks with each lost node would let a second
 * majority arise. With an even number of nodes the witness with the lowest id has three, so that no tie is left.
 */
function weighMembers(members: readonly Member[]): ReadonlyMap<NodeId, number> {
  const witnesses = members.filter(({ type }) => type === "witness").map(({ nodeId }) => nodeId);
  const tieBreaker = members.length % 2 === 0 ? Math.min(...witnesses) : null;
  return new Map(members.map(({ nodeId }) => [nodeId, nodeId === tieBreaker ? 3 : 2]));
}

/** Whether these members outweigh half of all. `leftOut` keeps its weight in the total but cannot be counted for it. */
export function hasMajority(
  members: readonly Member[],
  granting: ReadonlySet<NodeId>,
  leftOut?: NodeId,
): boolean {
  const weights = weighMembers(members);
  let total = 0;
  let granted = 0;
  for (const [id, weight] of weights) {
    total += weight;
    if (granting.has(id) && id !== leftOut) granted += weight;
  }
  return granted * 2 > total;
}

/** Whether the members that did not answer could have promoted one of them: then nobody who answers need know of it. */
export function couldPromoteUnseen(
  members: readonly Member[],
  { self, answered }: { readonly self: NodeId; readonly answered: ReadonlySet<NodeId> },
  settings: QuorumSettings,
): boolean {
  const isSilent = ({ nodeId, type }: Member): boolean =>
    nodeId !== self && type !== "witness" && !answered.has(nodeId);
  if (!members.some(isSilent)) return false;
  if (chooseQuorumRule(members, settings) === "sight") return true;
  return !hasMajority(members, new Set([self, ...answered]));
}

/**
 * The reference's rule: of the active nodes below the lost upstream, this one included, more than half must be visible.
 * A standby alone, as in a cluster of two nodes, always sees itself.
 */
export function seesEnough(
  members: readonly Member[],
  { self, upstream, visible }: { self: NodeId; upstream: NodeId | null; visible: ReadonlySet<NodeId> },
): boolean {
  const participants = members.filter(
    ({ nodeId, active, upstreamNodeId }) =>
      nodeId === self || (active && nodeId !== upstream && upstreamNodeId === upstream),
  );
  const seen = participants.filter(({ nodeId }) => nodeId === self || visible.has(nodeId));
  return seen.length * 2 > participants.length;
}
