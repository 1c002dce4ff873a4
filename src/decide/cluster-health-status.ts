import { describeNode } from "../model/node-record.js";
import type { ServerState } from "../model/server-state.js";
import type { ClusterProblem, ClusterProblemCode, NodeFacts } from "./cluster-health-facts.js";

type StatusCode =
  "running" | "running_as_primary" | "running_as_standby" | "unknown" | "rejected" | "unreachable" | "failed";

/** The sign before the words of a status: as it should be (`*` or blank), doubtful, wrong, gone. */
type StatusMarker = "*" | " " | "?" | "!" | "-";

export interface NodeStatus {
  readonly code: StatusCode;
  readonly marker: StatusMarker;
  readonly label: string;
}

export interface StatusFinding {
  readonly status: NodeStatus;
  readonly problems: readonly ClusterProblem[];
}

/** Compares what a node is registered as with what its server does (the reference's table of `Status` cells). */
export function judgeStatus(node: NodeFacts): StatusFinding {
  const { type } = node.record;
  if (type !== "primary" && type !== "standby" && type !== "witness") {
    return {
      status: { code: "unknown", marker: "?", label: "unknown node type" },
      problems: [
        {
          ...problemOf(
            node,
            "unknown_node_type",
            `node ${describeNode(node.record)} has unknown node type "${type}"`,
          ),
          severity: "error",
        },
      ],
    };
  }
  switch (node.answer.kind) {
    case "answered":
      return judgeRunning(node, node.answer.state);
    case "failed":
      return judgeSilent(node, node.answer.reason);
    case "rejected":
      return judgeRejected(node);
    case "unreachable":
      return judgeUnreachable(node);
  }
}

function judgeRunning(node: NodeFacts, state: ServerState): StatusFinding {
  const { type, active } = node.record;
  const name = describeNode(node.record);
  const paused = judgeReplay(node, state);
  if (type === "primary" && state.inRecovery) {
    const message = active
      ? `node ${name} is registered as primary but running as standby`
      : `node ${name} is registered as an inactive primary but running as standby`;
    return {
      status: { code: "running_as_standby", marker: "!", label: "running as standby" },
      problems: [problemOf(node, "running_as_standby", message), ...paused],
    };
  }
  if (type === "standby" && !state.inRecovery) {
    const message = active
      ? `node ${name} is registered as standby but running as primary`
      : `node ${name} is running as primary but the repmgr node record is inactive`;
    return {
      status: { code: "running_as_primary", marker: "!", label: "running as primary" },
      problems: [problemOf(node, "running_as_primary", message)],
    };
  }
  if (!active) return { status: running("!"), problems: [inactiveProblem(node), ...paused] };
  return { status: running(type === "standby" ? " " : "*"), problems: paused };
}

function judgeReplay(node: NodeFacts, state: ServerState): readonly ClusterProblem[] {
  const { receivedLsn, replayedLsn } = state;
  if (!state.isReplayPaused || receivedLsn === null || replayedLsn === null || receivedLsn <= replayedLsn)
    return [];
  const message = `WAL replay is paused on node ${describeNode(node.record)} with WAL replay pending`;
  return [
    {
      ...problemOf(node, "replay_paused", `${message}; it cannot be promoted until WAL replay is resumed`),
      detail: `${receivedLsn - replayedLsn} bytes of received WAL wait to be replayed`,
      hint: 'execute "SELECT pg_catalog.pg_wal_replay_resume()" on that node',
    },
  ];
}

function judgeSilent(node: NodeFacts, reason: string): StatusFinding {
  const name = describeNode(node.record);
  const failure = { ...problemOf(node, "query_failed", `unable to query node ${name}`), detail: reason };
  if (node.record.type === "witness") {
    return node.record.active
      ? { status: running("*"), problems: [failure] }
      : { status: running("!"), problems: [failure, inactiveProblem(node)] };
  }
  if (!node.record.active) return { status: running("!"), problems: [failure, inactiveProblem(node)] };
  return {
    status: { code: "unknown", marker: "!", label: "unknown" },
    problems: [
      failure,
      problemOf(node, "unknown_replication_state", `node ${name} has unknown replication status`),
    ],
  };
}

function judgeRejected(node: NodeFacts): StatusFinding {
  const { type, active } = node.record;
  const witnessLabel = active ? "rejected" : "failed";
  const status: NodeStatus = {
    code: "rejected",
    marker: active ? "?" : "!",
    label: type === "witness" ? witnessLabel : "running",
  };
  return { status, problems: active ? [] : [inactiveProblem(node)] };
}

function judgeUnreachable(node: NodeFacts): StatusFinding {
  const { type, active } = node.record;
  if (!active) return { status: { code: "failed", marker: "-", label: "failed" }, problems: [] };
  const message = `node ${describeNode(node.record)} is registered as an active ${type} but is unreachable`;
  return {
    status: { code: "unreachable", marker: "?", label: "unreachable" },
    problems: [problemOf(node, "unreachable", message)],
  };
}

const running = (marker: StatusMarker): NodeStatus => ({ code: "running", marker, label: "running" });

/** Where the reference only raises its error flag, without a word, the problem is an error. */
function inactiveProblem(node: NodeFacts): ClusterProblem {
  const message = `node ${describeNode(node.record)} is running but the repmgr node record is inactive`;
  const isFlaggedOnly = node.record.type === "witness" || node.answer.kind === "rejected";
  return {
    ...problemOf(node, "inactive_but_running", message),
    severity: isFlaggedOnly ? "error" : "warning",
  };
}

export function problemOf(node: NodeFacts, code: ClusterProblemCode, message: string): ClusterProblem {
  return { code, severity: "warning", nodeId: node.record.nodeId, message };
}
