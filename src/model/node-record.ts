/** Identifies a node within the cluster: the `node_id` of its `repmgr.conf`, 1 or greater. */
export type NodeId = number & { readonly __brand: "NodeId" };

export const nodeId = (value: number): NodeId => value as NodeId;

export type NodeType = "primary" | "standby" | "witness" | "bdr";

/** One row of `repmgr.nodes` (reference: repmgr 5.5, table `nodes`). */
export interface NodeRecord {
  readonly nodeId: NodeId;
  readonly upstreamNodeId: NodeId | null;
  readonly active: boolean;
  readonly nodeName: string;
  readonly type: NodeType;
  readonly location: string;
  readonly priority: number;
  readonly conninfo: string;
  readonly replicationUser: string;
  readonly slotName: string | null;
  readonly configFile: string;
}

/** The form in which every message names a node: `"node2" (ID: 2)`. */
export function describeNode(node: Pick<NodeRecord, "nodeId" | "nodeName">): string {
  return `"${node.nodeName}" (ID: ${node.nodeId})`;
}

/** The replication slot of a node on its upstream (reference: repmgr's naming). */
export function slotNameOf(id: NodeId): string {
  return `repmgr_slot_${id}`;
}
