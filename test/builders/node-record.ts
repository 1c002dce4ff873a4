import { nodeId, type NodeRecord } from "../../src/model/node-record.js";

/** A registered node with usual values: id 1 is the primary, the others are its standbys. */
export function nodeRecord(
  values: Partial<Omit<NodeRecord, "nodeId">> & { readonly id?: number } = {},
): NodeRecord {
  const { id = 1, ...rest } = values;
  return {
    nodeId: nodeId(id),
    upstreamNodeId: id === 1 ? null : nodeId(1),
    active: true,
    nodeName: `node${id}`,
    type: id === 1 ? "primary" : "standby",
    location: "default",
    priority: 100,
    conninfo: `host=node${id} user=repmgr dbname=repmgr connect_timeout=2`,
    replicationUser: "repmgr",
    slotName: null,
    configFile: "/etc/repmgr.conf",
    ...rest,
  };
}
