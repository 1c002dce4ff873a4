import type { Action } from "../decide/watch-types.js";
import { describeNode, type NodeId } from "../model/node-record.js";
import type { RaisedEvent } from "./daemon-events.js";
import { describeRepair, describeReturnOfStray } from "./describe-repair.js";
import { ownRecord, type Runtime } from "./runtime.js";

type Announcement = Extract<Action, { readonly kind: "announce" }>;

/** The event with its details, in the words that readers of repmgr's events know. */
export function describeAnnouncement(runtime: Runtime, { event, node }: Announcement): RaisedEvent {
  const { records, ownId } = runtime;
  const name = (id: NodeId | null): string => {
    const record = records.find(({ nodeId }) => nodeId === id);
    return record === undefined ? `(ID: ${id ?? "unknown"})` : describeNode(record);
  };
  const other = records.find(({ nodeId }) => nodeId === node);
  const own = ownRecord(runtime);
  const subject =
    other === undefined ? null : { nodeId: other.nodeId, nodeName: other.nodeName, conninfo: other.conninfo };
  const details = ((): string => {
    switch (event) {
      case "repmgrd_local_disconnect":
        return "unable to connect to local node";
      case "repmgrd_local_reconnect":
        return "reconnected to local node";
      case "repmgrd_standby_reconnect":
        return `node ${name(ownId)} is now a standby`;
      case "repmgrd_upstream_disconnect":
        return `unable to connect to upstream node ${name(node)}`;
      case "repmgrd_upstream_reconnect":
        return `reconnected to upstream node ${name(node)}`;
      case "repmgrd_failover_promote":
        return `node ${name(ownId)} promoted to primary; old primary ${name(node)} marked as failed`;
      case "repmgrd_failover_follow":
        return own?.type === "witness"
          ? `witness node ${name(ownId)} now following new primary node ${name(node)}`
          : `node ${name(ownId)} now following new upstream node ${name(node)}`;
      case "repmgrd_failover_aborted":
        return `failover aborted, primary ${name(node)} is back`;
      case "repmgrd_promote_error":
        return `promotion of node ${name(ownId)} failed`;
      case "split_brain_suspected":
        return `node ${name(node)} is read-write too, without a promotion that this cluster knows of${returnOfStray(runtime, node)}`;
      case "split_brain_detected":
        return `node ${name(node)} is read-write too`;
      case "primary_fenced":
        return `node ${name(ownId)} was stopped${node === null ? "" : `, node ${name(node)} is the primary`}${nextStep(runtime, node)}`;
    }
  })();
  return { event, successful: event !== "repmgrd_promote_error", details, subject };
}

function nextStep(runtime: Runtime, successor: NodeId | null): string {
  const { wasPrimary } = runtime.memory.state();
  if (wasPrimary === null) return "";
  const repair = describeRepair(runtime, { reason: wasPrimary.reason, by: successor });
  return repair === null ? "" : `; to make it a standby: ${repair}`;
}

function returnOfStray(runtime: Runtime, stray: NodeId | null): string {
  const command = describeReturnOfStray(runtime, stray);
  return command === null ? "" : `; to make it a standby again, execute there: ${command}`;
}
