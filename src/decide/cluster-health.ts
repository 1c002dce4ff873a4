import type { Lsn } from "../model/lsn.js";
import { describeNode, type NodeId, type NodeRecord } from "../model/node-record.js";
import type { NodeAnswer } from "../model/server-state.js";
import type { ClusterFacts, ClusterProblem, NodeFacts } from "./cluster-health-facts.js";
import { judgeStatus, problemOf, type NodeStatus } from "./cluster-health-status.js";
import { judgeUpstream, type UpstreamState } from "./cluster-health-upstream.js";

export interface NodeHealth {
  readonly record: NodeRecord;
  readonly answer: NodeAnswer;
  readonly status: NodeStatus;
  readonly upstream: UpstreamState;
  /** WAL that the primary has and this standby has neither received nor replayed, in bytes; null when unknown. */
  readonly receiveLag: bigint | null;
  /** WAL that the primary has and this standby has not replayed, in bytes; null when unknown. */
  readonly replayLag: bigint | null;
}

export interface ClusterHealth {
  readonly nodes: readonly NodeHealth[];
  /** Those of each node in the order of nodes, then those of the cluster. None means healthy. */
  readonly problems: readonly ClusterProblem[];
}

/** Judges the state of a whole cluster from what each of its nodes answered. */
export function assessCluster(facts: ClusterFacts): ClusterHealth {
  const primaryLsn = findPrimaryLsn(facts);
  const problems: ClusterProblem[] = [];
  const nodes = facts.nodes.map((node): NodeHealth => {
    const { status, problems: statusProblems } = judgeStatus(node);
    const { upstream, problems: upstreamProblems } = judgeUpstream(node, facts);
    problems.push(...judgeConnection(node), ...statusProblems, ...upstreamProblems);
    return { ...node, status, upstream, ...measureLag(node, primaryLsn) };
  });
  return {
    nodes,
    problems: [...problems, ...judgeIdentity(facts), ...judgePrimaries(facts), ...judgeSwitchover(facts)],
  };
}

/** Its command runs still, or was killed: only it knows, so the reader is told what to do in that case. */
function judgeSwitchover({ nodes, switchover }: ClusterFacts): readonly ClusterProblem[] {
  if (switchover === undefined || switchover === null) return [];
  const nameOf = (id: NodeId): string => {
    const node = nodes.find(({ record }) => record.nodeId === id);
    return node === undefined ? `with ID ${id}` : describeNode(node.record);
  };
  const { candidate, formerPrimary, command } = switchover;
  return [
    {
      code: "switchover_under_way",
      severity: "error",
      nodeId: null,
      message: `a switchover from node ${nameOf(formerPrimary)} to node ${nameOf(candidate)} is not finished`,
      hint: `if its command does not run any more, execute it again on node ${nameOf(candidate)}: ${command}`,
    },
  ];
}

function judgeConnection(node: NodeFacts): readonly ClusterProblem[] {
  if (node.answer.kind !== "unreachable" && node.answer.kind !== "rejected") return [];
  const message = `unable to connect to node ${describeNode(node.record)}`;
  return [{ ...problemOf(node, "connection_failed", message), detail: node.answer.reason }];
}

/** Finds records that lead to one server, as a conninfo with `localhost` does when it is used on another host. */
function judgeIdentity(facts: ClusterFacts): readonly ClusterProblem[] {
  return groupByServer(facts.nodes)
    .filter((group) => group.length > 1)
    .map((group) => ({
      code: "same_server",
      severity: "warning",
      nodeId: null,
      message: `the connection strings of nodes ${listNames(group)} lead to the same server`,
      hint: "the conninfo of a node must lead to that node from every host of the cluster",
    }));
}

function judgePrimaries(facts: ClusterFacts): readonly ClusterProblem[] {
  const primaries = groupByServer(facts.nodes.filter(isRunningPrimary)).flatMap((group) => group.slice(0, 1));
  if (primaries.length < 2) return [];
  return [
    {
      code: "multiple_primaries",
      severity: "error",
      nodeId: null,
      message: `more than one node is running as primary: ${listNames(primaries)}`,
      detail: "each of them accepts writes that the others will not receive",
      hint: 'stop the wrong one at once, then let it follow the right one with "node rejoin"',
    },
  ];
}

const isRunningPrimary = ({ record, answer }: NodeFacts): boolean =>
  record.type !== "witness" && answer.kind === "answered" && !answer.state.inRecovery;

function groupByServer(nodes: readonly NodeFacts[]): readonly (readonly NodeFacts[])[] {
  const groups = new Map<string, NodeFacts[]>();
  for (const node of nodes) {
    if (node.answer.kind !== "answered") continue;
    const { startedAt } = node.answer.state;
    groups.set(startedAt, [...(groups.get(startedAt) ?? []), node]);
  }
  return [...groups.values()];
}

const listNames = (nodes: readonly NodeFacts[]): string =>
  nodes.map(({ record }) => describeNode(record)).join(", ");

/** Lag is measured against the one running primary; with none or several there is nothing to measure against. */
function findPrimaryLsn(facts: ClusterFacts): Lsn | null {
  const [primary, ...others] = facts.nodes.filter(isRunningPrimary);
  if (others.length > 0 || primary?.answer.kind !== "answered") return null;
  return primary.answer.state.writtenLsn;
}

function measureLag(node: NodeFacts, primaryLsn: Lsn | null): Pick<NodeHealth, "receiveLag" | "replayLag"> {
  if (primaryLsn === null || node.answer.kind !== "answered" || !node.answer.state.inRecovery) {
    return { receiveLag: null, replayLag: null };
  }
  const { receivedLsn, replayedLsn } = node.answer.state;
  const furthest = maximum(receivedLsn, replayedLsn);
  return { receiveLag: distance(furthest, primaryLsn), replayLag: distance(replayedLsn, primaryLsn) };
}

const maximum = (left: Lsn | null, right: Lsn | null): Lsn | null =>
  left === null || (right !== null && right > left) ? right : left;

/** All servers are asked at the same time, not in the same instant: a standby may already be ahead. */
function distance(reached: Lsn | null, primaryLsn: Lsn): bigint | null {
  if (reached === null) return null;
  return reached >= primaryLsn ? 0n : primaryLsn - reached;
}
