import { describeNode, type NodeId, type NodeRecord } from "../model/node-record.js";
import type { Problem } from "../model/problem.js";

/** How the command line names the node to unregister, by one of the two at most; both null without an option. */
export interface TargetRequest {
  readonly nodeId: NodeId | null;
  readonly nodeName: string | null;
}

export type TargetChoice =
  | { readonly kind: "found"; readonly target: NodeRecord }
  | { readonly kind: "unknown"; readonly problem: Problem };

export type UnregistrationDecision =
  | { readonly kind: "refused"; readonly problems: readonly Problem[] }
  | { readonly kind: "ready"; readonly target: NodeRecord; readonly warnings: readonly Problem[] };

const LIST_HINT = 'see "cluster show" for the registered nodes';

/**
 * Exactly the node that was named, or nothing: repmgr only checks that a node of `--node-name` exists, and then
 * unregisters the local one.
 */
export function chooseTarget(
  records: readonly NodeRecord[],
  { nodeId, nodeName }: TargetRequest,
  defaultId: NodeId,
): TargetChoice {
  if (nodeName !== null) return chooseByName(records, nodeName);
  const target = records.find((record) => record.nodeId === (nodeId ?? defaultId));
  if (target !== undefined) return { kind: "found", target };
  const message =
    nodeId === null
      ? `no record found for node ${defaultId}`
      : `node ${nodeId} (specified with --node-id) not found`;
  return unknown({ message, hint: LIST_HINT });
}

/** Node names are unique among active nodes only. */
function chooseByName(records: readonly NodeRecord[], nodeName: string): TargetChoice {
  const named = records.filter((record) => record.nodeName === nodeName);
  const [target, ...others] = named;
  if (target === undefined)
    return unknown({ message: `node "${nodeName}" (specified with --node-name) not found`, hint: LIST_HINT });
  if (others.length === 0) return { kind: "found", target };
  return unknown({
    message: `${named.length} nodes are registered with node_name "${nodeName}"`,
    detail: listNodes(named),
    hint: "name one of them with --node-id",
  });
}

const unknown = (problem: Problem): TargetChoice => ({ kind: "unknown", problem });

const listNodes = (records: readonly NodeRecord[]): string =>
  records.map((record) => `  ${describeNode(record)}`).join("\n");

/** A node that others replicate from cannot go: their records would lead nowhere. */
export function judgeDependents(records: readonly NodeRecord[], target: NodeRecord): Problem | null {
  const dependents = records.filter(
    ({ upstreamNodeId, nodeId }) => upstreamNodeId === target.nodeId && nodeId !== target.nodeId,
  );
  if (dependents.length === 0) return null;
  const [count, verb] =
    dependents.length === 1 ? ["1 other node", "has"] : [`${dependents.length} other nodes`, "have"];
  return {
    message: `${count} still ${verb} this node as ${dependents.length === 1 ? "its" : "their"} upstream node`,
    detail: `the affected node(s) are:\n${listNodes(dependents)}`,
    hint: 'ensure these nodes are following the current primary with "standby follow"',
  };
}

/** Two data nodes have no majority, so that the rule for automatic failover becomes another one. */
export function warnAboutVoters(records: readonly NodeRecord[], target: NodeRecord): Problem | null {
  const remaining = records.filter(({ nodeId }) => nodeId !== target.nodeId);
  if (remaining.length !== 2 || remaining.some(({ type }) => type === "witness")) return null;
  return {
    message: "this leaves a cluster of two nodes, in which no majority is possible",
    detail:
      "either node may be promoted without the other's vote: when only the network between them is broken, both can be primary",
    hint: 'add a third node with "standby register" or "witness register"',
  };
}
