import type { ClusterHealth, NodeHealth } from "../../../decide/cluster-health.js";
import type { ClusterProblem } from "../../../decide/cluster-health-facts.js";
import type { ExitCode } from "../../../errors/exit-codes.js";
import { maskConninfo } from "../../../model/conninfo.js";
import { formatLsn, type Lsn } from "../../../model/lsn.js";
import type { ServerState } from "../../../model/server-state.js";

/** The document of `cluster show --format=json`, described in docs/json.md. */
export function describeCluster(health: ClusterHealth, exitCode: ExitCode): object {
  return {
    command: "cluster show",
    nodes: health.nodes.map((node) => describeNodeHealth(node, health)),
    problems: health.problems.map(describeProblem),
    exit_code: exitCode,
  };
}

function describeNodeHealth(node: NodeHealth, health: ClusterHealth): object {
  const { record, answer, status } = node;
  const state = answer.kind === "answered" ? answer.state : null;
  return {
    id: record.nodeId,
    name: record.nodeName,
    role: record.type,
    active: record.active,
    status: status.code,
    reachable: answer.kind === "answered" || answer.kind === "failed",
    in_recovery: state?.inRecovery ?? null,
    upstream: describeUpstream(node, health),
    location: record.location,
    priority: record.priority,
    timeline: state?.timeline ?? null,
    ...describeWal(state),
    receive_lag_bytes: toNumber(node.receiveLag),
    replay_lag_bytes: toNumber(node.replayLag),
    conninfo: maskConninfo(record.conninfo),
    error: answer.kind === "answered" ? null : answer.reason,
  };
}

function describeWal(state: ServerState | null): object {
  return {
    written_lsn: toText(state?.writtenLsn),
    received_lsn: toText(state?.receivedLsn),
    replayed_lsn: toText(state?.replayedLsn),
    replay_paused: state?.inRecovery === true ? state.isReplayPaused : null,
  };
}

function describeUpstream({ record, upstream }: NodeHealth, health: ClusterHealth): object | null {
  if (record.upstreamNodeId === null) return null;
  const expected = health.nodes.find((other) => other.record.nodeId === record.upstreamNodeId);
  return {
    id: record.upstreamNodeId,
    name: expected?.record.nodeName ?? null,
    reported_id: upstream.reportedId ?? null,
    attached: upstream.isAttached,
    replication_state: upstream.replicationState,
  };
}

export const describeProblem = (problem: ClusterProblem): object => ({
  severity: problem.severity,
  code: problem.code,
  node_id: problem.nodeId,
  message: problem.message,
  detail: problem.detail ?? null,
  hint: problem.hint ?? null,
});

const toText = (lsn: Lsn | null | undefined): string | null =>
  lsn === null || lsn === undefined ? null : formatLsn(lsn);

const toNumber = (bytes: bigint | null): number | null => (bytes === null ? null : Number(bytes));
