import { describeNode, type NodeId, type NodeRecord } from "../model/node-record.js";
import type { OwnRecord } from "../model/server-state.js";
import type { ClusterFacts, ClusterProblem, NodeFacts } from "./cluster-health-facts.js";
import { problemOf } from "./cluster-health-status.js";

/** How a node stands to the node that it should replicate from. */
export interface UpstreamState {
  readonly marker: "" | "?" | "!";
  /** The name that is shown: the expected upstream's, or the one that the node itself reports. */
  readonly name: string;
  /** Null where it cannot be told, or where there is nothing to be attached to. */
  readonly isAttached: boolean | null;
  /** As in `pg_stat_replication.state` of the upstream; null when unknown. */
  readonly replicationState: string | null;
  /** The upstream by the node's own copy of its record; undefined when that copy could not be read. */
  readonly reportedId: NodeId | null | undefined;
}

export interface UpstreamFinding {
  readonly upstream: UpstreamState;
  readonly problems: readonly ClusterProblem[];
}

/** Compares our record of a node's upstream with its own copy and with the upstream's WAL senders. */
export function judgeUpstream(node: NodeFacts, cluster: ClusterFacts): UpstreamFinding {
  const upstreamId = node.record.upstreamNodeId;
  const expected = cluster.nodes.find(({ record }) => record.nodeId === upstreamId) ?? null;
  const own = readOwnRecord(node);
  if (own.kind !== "found") return judgeWithoutOwnRecord(node, own, expected);
  switch (node.record.type) {
    case "standby":
      return judgeStandby({ node, expected, own });
    case "witness":
      return judgeWitness({ node, expected, own });
    default:
      return { upstream: describeUpstream("", "", own.upstreamNodeId), problems: [] };
  }
}

interface Relation {
  readonly node: NodeFacts;
  /** Null when our record names no upstream, or one that has no record. */
  readonly expected: NodeFacts | null;
  readonly own: Extract<OwnRecord, { kind: "found" }>;
}

function readOwnRecord(node: NodeFacts): OwnRecord {
  return node.answer.kind === "answered" ? node.answer.state.ownRecord : { kind: "missing" };
}

function judgeWithoutOwnRecord(
  node: NodeFacts,
  own: Exclude<OwnRecord, { kind: "found" }>,
  expected: NodeFacts | null,
): UpstreamFinding {
  const name = expected?.record.nodeName ?? "";
  if (own.kind === "missing") return { upstream: describeUpstream("?", name), problems: [] };
  const message = `unable to read the node record of node ${describeNode(node.record)} on that node`;
  const hint = "check that its conninfo leads to the database that holds the repmgr schema";
  return {
    upstream: describeUpstream(expected === null ? "" : "?", name),
    problems: [{ ...problemOf(node, "own_record_unreadable", message), detail: own.reason, hint }],
  };
}

function judgeStandby(relation: Relation): UpstreamFinding {
  const { node, own } = relation;
  const expectedId = node.record.upstreamNodeId;
  if (expectedId === null) return { upstream: describeUpstream("", "", own.upstreamNodeId), problems: [] };
  if (own.upstreamNodeId !== expectedId) return describeDifference(relation);
  return judgeAttachment(relation);
}

function judgeWitness(relation: Relation): UpstreamFinding {
  const { node, expected, own } = relation;
  if (own.upstreamNodeId === null || own.upstreamNodeId !== node.record.upstreamNodeId) {
    return describeDifference(relation);
  }
  const name = expected?.record.nodeName ?? own.upstreamName ?? "";
  if (expected !== null && isConnected(expected)) {
    return { upstream: describeUpstream("", name, own.upstreamNodeId), problems: [] };
  }
  return {
    upstream: describeUpstream("?", name, own.upstreamNodeId),
    problems: [upstreamUnreachable(relation)],
  };
}

function describeDifference({ node, expected, own }: Relation): UpstreamFinding {
  const reported = own.upstreamName ?? "";
  const wanted = expected?.record.nodeName ?? "";
  const message =
    `node ${describeNode(node.record)} reports a different upstream ` +
    `(reported: "${reported}", expected "${wanted}")`;
  return {
    upstream: describeUpstream("!", reported, own.upstreamNodeId),
    problems: [problemOf(node, "different_upstream", message)],
  };
}

function judgeAttachment(relation: Relation): UpstreamFinding {
  const { node, expected, own } = relation;
  const name = expected?.record.nodeName ?? own.upstreamName ?? "";
  const ofNodes = `node ${describeNode(node.record)} is attached to its upstream node ${nameUpstream(relation)}`;
  const cannotTell = problemOf(node, "attachment_unknown", `unable to determine if ${ofNodes}`);
  const doubtful = describeUpstream("?", name, own.upstreamNodeId);
  if (expected === null || !isConnected(expected)) {
    return { upstream: doubtful, problems: [upstreamUnreachable(relation), cannotTell] };
  }
  if (expected.answer.kind !== "answered") return { upstream: doubtful, problems: [cannotTell] };
  const senders = expected.answer.state.attachedStandbys.filter(
    ({ applicationName }) => applicationName === node.record.nodeName,
  );
  const [sender] = senders;
  if (sender === undefined) {
    const message = `node ${describeNode(node.record)} is not attached to its upstream node ${nameUpstream(relation)}`;
    return {
      upstream: { ...describeUpstream("!", name, own.upstreamNodeId), isAttached: false },
      problems: [problemOf(node, "not_attached", message)],
    };
  }
  if (senders.length > 1) {
    const detail = `${senders.length} WAL senders of the upstream have application_name "${node.record.nodeName}"`;
    return { upstream: doubtful, problems: [{ ...cannotTell, detail }] };
  }
  const attached = { name, isAttached: true, replicationState: sender.state, reportedId: own.upstreamNodeId };
  if (sender.state === null || sender.state === "streaming") {
    return { upstream: { marker: "", ...attached }, problems: [] };
  }
  const message = `${ofNodes} in state "${sender.state}"`;
  return {
    upstream: { marker: "?", ...attached },
    problems: [problemOf(node, "not_streaming", message)],
  };
}

function upstreamUnreachable(relation: Relation): ClusterProblem {
  const { node, expected } = relation;
  const verb = expected === null ? "find the record of" : "connect to";
  const message = `unable to ${verb} node ${describeNode(node.record)}'s upstream node ${nameUpstream(relation)}`;
  return problemOf(node, "upstream_unreachable", message);
}

function nameUpstream({ node, expected, own }: Relation): string {
  const record: Pick<NodeRecord, "nodeName"> | null = expected?.record ?? null;
  return `"${record?.nodeName ?? own.upstreamName ?? ""}" (ID: ${node.record.upstreamNodeId ?? 0})`;
}

function describeUpstream(
  marker: UpstreamState["marker"],
  name: string,
  reportedId?: NodeId | null,
): UpstreamState {
  return { marker, name, isAttached: null, replicationState: null, reportedId };
}

const isConnected = (node: NodeFacts): boolean =>
  node.answer.kind === "answered" || node.answer.kind === "failed";
