import type { ClusterFacts, NodeFacts } from "../../src/decide/cluster-health-facts.js";
import { parseLsn } from "../../src/model/lsn.js";
import { nodeId, type NodeRecord } from "../../src/model/node-record.js";
import type { AttachedStandby, NodeAnswer, OwnRecord, ServerState } from "../../src/model/server-state.js";

export function nodeRecord(overrides: Partial<NodeRecord> = {}): NodeRecord {
  const id = overrides.nodeId ?? nodeId(1);
  return {
    nodeId: id,
    upstreamNodeId: null,
    active: true,
    nodeName: `n${id}`,
    type: "primary",
    location: "default",
    priority: 100,
    conninfo: `host=n${id} user=repmgr dbname=repmgr connect_timeout=2`,
    replicationUser: "repmgr",
    slotName: null,
    configFile: "/etc/repmgr.conf",
    ...overrides,
  };
}

export const standbyRecord = (
  id: number,
  upstreamId: number | null,
  overrides: Partial<NodeRecord> = {},
): NodeRecord =>
  nodeRecord({
    nodeId: nodeId(id),
    upstreamNodeId: upstreamId === null ? null : nodeId(upstreamId),
    type: "standby",
    ...overrides,
  });

export function ownRecord(upstreamId: number | null, upstreamName?: string): OwnRecord {
  if (upstreamId === null) return { kind: "found", upstreamNodeId: null, upstreamName: null };
  return {
    kind: "found",
    upstreamNodeId: nodeId(upstreamId),
    upstreamName: upstreamName ?? `n${upstreamId}`,
  };
}

let startedServers = 0;

export function primaryAnswer(overrides: Partial<ServerState> = {}): NodeAnswer {
  startedServers += 1;
  const state: ServerState = {
    inRecovery: false,
    timeline: 1,
    writtenLsn: parseLsn("0/3000D78"),
    receivedLsn: null,
    replayedLsn: null,
    isReplayPaused: false,
    attachedStandbys: [],
    startedAt: `1795226041.${startedServers}`,
    ownRecord: ownRecord(null),
    ...overrides,
  };
  return { kind: "answered", state };
}

export const standbyAnswer = (upstreamId: number | null, overrides: Partial<ServerState> = {}): NodeAnswer =>
  primaryAnswer({
    inRecovery: true,
    writtenLsn: null,
    receivedLsn: parseLsn("0/3000D78"),
    replayedLsn: parseLsn("0/3000D78"),
    ownRecord: ownRecord(upstreamId),
    ...overrides,
  });

export const streaming = (...names: readonly string[]): readonly AttachedStandby[] =>
  names.map((applicationName) => ({ applicationName, state: "streaming" }));

export const unreachable = (reason = "connection refused"): NodeAnswer => ({ kind: "unreachable", reason });
export const rejected = (reason = "password authentication failed"): NodeAnswer => ({
  kind: "rejected",
  reason,
});
export const silent = (reason = "out of memory"): NodeAnswer => ({ kind: "failed", reason });

/** Node 1 is primary, nodes 2 and 3 stream from it. Facts of a node can be replaced by its id. */
export function clusterFacts(replaced: Readonly<Record<number, Partial<NodeFacts>>> = {}): ClusterFacts {
  const healthy: readonly NodeFacts[] = [
    { record: nodeRecord(), answer: primaryAnswer({ attachedStandbys: streaming("n2", "n3") }) },
    { record: standbyRecord(2, 1), answer: standbyAnswer(1) },
    { record: standbyRecord(3, 1), answer: standbyAnswer(1) },
  ];
  return { nodes: healthy.map((node) => ({ ...node, ...replaced[node.record.nodeId] })) };
}
