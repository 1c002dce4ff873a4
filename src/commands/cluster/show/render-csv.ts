import type { ClusterHealth, NodeHealth } from "../../../decide/cluster-health.js";
import { renderCsvRow } from "../../../output/csv.js";

/** `node_id,availability,recovery`: 0 or -1 for reachable or not; 0, 1 or -1 for primary, in recovery, unknown. */
export function renderClusterCsv(health: ClusterHealth): string {
  return health.nodes.map((node) => renderCsvRow([node.record.nodeId, ...encodeState(node)])).join("");
}

function encodeState({ answer }: NodeHealth): readonly [number, number] {
  if (answer.kind === "answered") return [0, answer.state.inRecovery ? 1 : 0];
  return [answer.kind === "failed" ? 0 : -1, -1];
}
