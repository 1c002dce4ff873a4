import { parseConninfo } from "../model/conninfo.js";
import { nodeId, slotNameOf, type NodeId, type NodeRecord } from "../model/node-record.js";
import type { CommandContext } from "./define-command.js";

/** The row that this node's repmgr.conf asks for. */
export function buildOwnRecord(
  { settings, configFile }: Pick<CommandContext, "settings" | "configFile">,
  role: { readonly type: NodeRecord["type"]; readonly upstreamNodeId: NodeId | null },
): NodeRecord {
  const id = nodeId(settings.node_id);
  return {
    nodeId: id,
    upstreamNodeId: role.upstreamNodeId,
    active: true,
    nodeName: settings.node_name,
    type: role.type,
    location: settings.location,
    priority: settings.priority,
    conninfo: settings.conninfo,
    replicationUser: settings.replication_user || (parseConninfo(settings.conninfo).get("user") ?? ""),
    slotName: settings.use_replication_slots ? slotNameOf(id) : null,
    configFile: configFile ?? "",
  };
}
