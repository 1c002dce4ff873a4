import type { NodeId, NodeRecord } from "../model/node-record.js";
import type { Problem } from "../model/problem.js";
import type { SwitchoverTrace } from "../model/switchover-trace.js";
import type { NodeAnswer } from "../model/server-state.js";

/** A registered node, as the asked metadata knows it, and what its server answered. */
export interface NodeFacts {
  readonly record: NodeRecord;
  readonly answer: NodeAnswer;
}

export interface ClusterFacts {
  /** Ordered by node id. */
  readonly nodes: readonly NodeFacts[];
  /** Of a switchover that is under way, or was cut off. */
  readonly switchover?: SwitchoverTrace | null;
}

export const clusterProblemCodes = [
  "connection_failed",
  "query_failed",
  "unreachable",
  "running_as_primary",
  "running_as_standby",
  "unknown_replication_state",
  "inactive_but_running",
  "unknown_node_type",
  "replay_paused",
  "own_record_unreadable",
  "different_upstream",
  "upstream_unreachable",
  "not_attached",
  "not_streaming",
  "attachment_unknown",
  "same_server",
  "multiple_primaries",
  "switchover_under_way",
] as const;

export type ClusterProblemCode = (typeof clusterProblemCodes)[number];

export interface ClusterProblem extends Problem {
  readonly code: ClusterProblemCode;
  readonly severity: "warning" | "error";
  /** Null for a problem of the cluster as a whole. */
  readonly nodeId: NodeId | null;
}
