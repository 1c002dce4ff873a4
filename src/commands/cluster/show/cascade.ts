import type { NodeHealth } from "../../../decide/cluster-health.js";

export interface CascadePlace {
  readonly node: NodeHealth;
  /** One entry per level above the node's own: whether a sibling of that level follows further below. */
  readonly branches: readonly boolean[];
}

/**
 * The nodes in the order of a drawing, each below its registered upstream. A node without an upstream, or with one
 * that has no record, stands at the left; of a ring of records the first one does.
 */
export function arrangeCascade(nodes: readonly NodeHealth[]): readonly CascadePlace[] {
  const ids = new Set(nodes.map(({ record }) => record.nodeId));
  const placed = new Set<NodeHealth>();
  const places: CascadePlace[] = [];
  const place = (node: NodeHealth, branches: readonly boolean[]): void => {
    placed.add(node);
    places.push({ node, branches });
    const children = nodes.filter((other) => other.record.upstreamNodeId === node.record.nodeId);
    const free = children.filter((child) => !placed.has(child));
    free.forEach((child, index) => place(child, [...branches, index < free.length - 1]));
  };
  const isRoot = ({ record }: NodeHealth): boolean =>
    record.upstreamNodeId === null || !ids.has(record.upstreamNodeId);
  for (const node of [...nodes.filter(isRoot), ...nodes]) {
    if (!placed.has(node)) place(node, []);
  }
  return places;
}
