import type { NodeId, NodeType } from "../model/node-record.js";

/** A node registered below this primary. */
export interface ChildNode {
  readonly nodeId: NodeId;
  readonly type: NodeType;
  readonly isAttached: boolean;
}

/** What this daemon knows of a child; `unknown`: it has never seen it attached. Times are of its monotonic clock. */
export type ChildState =
  | { readonly kind: "attached" }
  | { readonly kind: "detached"; readonly since: number }
  | { readonly kind: "unknown" };

export type ChildStates = ReadonlyMap<NodeId, ChildState>;

export interface ChildChange {
  readonly nodeId: NodeId;
  readonly event: "child_node_disconnect" | "child_node_reconnect" | "child_node_new_connect";
  /** How long it was away; null when that is not known. */
  readonly awayMs: number | null;
}

/** `known` is null at the first look, which makes no events: nobody has seen how it was before. */
export function compareChildren(
  known: ChildStates | null,
  children: readonly ChildNode[],
  now: number,
): { readonly states: ChildStates; readonly changes: readonly ChildChange[] } {
  const states = new Map<NodeId, ChildState>();
  const changes: ChildChange[] = [];
  for (const { nodeId, isAttached } of children) {
    const before = known?.get(nodeId) ?? { kind: "unknown" };
    if (isAttached) {
      states.set(nodeId, { kind: "attached" });
      if (known === null || before.kind === "attached") continue;
      const wasAway = before.kind === "detached";
      const event = wasAway ? "child_node_reconnect" : "child_node_new_connect";
      changes.push({ nodeId, event, awayMs: wasAway ? now - before.since : null });
    } else if (before.kind === "attached") {
      states.set(nodeId, { kind: "detached", since: now });
      changes.push({ nodeId, event: "child_node_disconnect", awayMs: null });
    } else {
      states.set(nodeId, before);
    }
  }
  return { states, changes };
}

/** Settings of the same names; durations in milliseconds. */
export interface ChildRules {
  readonly child_nodes_connected_min_count: number | null;
  readonly child_nodes_disconnect_min_count: number | null;
  readonly child_nodes_disconnect_timeout: number;
  readonly child_nodes_connected_include_witness: boolean;
}

export interface ChildCount {
  readonly connected: number;
  readonly required: number;
  /** Too few are attached, and all that were seen to leave have been away for the whole time. */
  readonly isTimeOver: boolean;
}

/** Whether `child_nodes_disconnect_command` is due (reference: repmgrd 2.2.2). Who was never attached has not left. */
export function countChildren(
  children: readonly ChildNode[],
  states: ChildStates,
  { rules, now }: { readonly rules: ChildRules; readonly now: number },
): ChildCount {
  const counted = children.filter(
    ({ type }) => type !== "witness" || rules.child_nodes_connected_include_witness,
  );
  const connected = counted.filter(({ isAttached }) => isAttached).length;
  const required = countRequired(counted.length, rules);
  const detached = counted
    .map(({ nodeId }) => states.get(nodeId))
    .filter((state) => state?.kind === "detached");
  const isTimeOver =
    connected < required &&
    detached.length > 0 &&
    detached.every(({ since }) => now - since >= rules.child_nodes_disconnect_timeout);
  return { connected, required, isTimeOver };
}

function countRequired(children: number, rules: ChildRules): number {
  const { child_nodes_connected_min_count: connected, child_nodes_disconnect_min_count: gone } = rules;
  if (connected !== null && connected > 0) return connected;
  return gone !== null && gone > 0 ? children - gone + 1 : 1;
}
