import { findLivingPrimary } from "../decide/election.js";
import type { DaemonState } from "../decide/watch-types.js";
import { describeNode, type NodeId } from "../model/node-record.js";
import { ownRecord, type Runtime } from "./runtime.js";

/**
 * Raises `standby_disconnect_manual` once for each new primary that a standby with `failover=manual` leaves to its operator,
 * however often it looks again.
 */
export function createManualFollower(runtime: Runtime): (state: DaemonState) => void {
  let told: NodeId | null = null;
  return (state) => {
    const { watch } = state;
    if (watch.role !== "standby" || watch.state.kind === "watching") told = null;
    else if (watch.state.kind === "degraded" && watch.state.reason === "follow-by-hand") {
      const id = findLivingPrimary(state);
      const primary = runtime.records.find(({ nodeId }) => nodeId === id);
      const own = ownRecord(runtime);
      if (primary === undefined || own === null || told === primary.nodeId) return;
      told = primary.nodeId;
      runtime.events.raise({
        event: "standby_disconnect_manual",
        successful: true,
        details: `node ${describeNode(own)} does not follow the new primary node ${describeNode(primary)}: "failover" is "manual"`,
        subject: { nodeId: primary.nodeId, nodeName: primary.nodeName, conninfo: primary.conninfo },
      });
    }
  };
}
