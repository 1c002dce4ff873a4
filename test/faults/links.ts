import type { Cut, FaultNode } from "./fault-node.js";

/** Cuts a node off from others, in both directions. */
export async function cut(node: FaultNode, others: readonly FaultNode[], how: Cut = "DROP"): Promise<void> {
  await Promise.all(
    others.flatMap((other) => [node.stopSendingTo(other, how), other.stopSendingTo(node, how)]),
  );
}

export async function heal(nodes: readonly FaultNode[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.restoreLinks()));
}
