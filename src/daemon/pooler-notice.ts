import type { ServerLook } from "../coordination/look-at-server.js";
import type { SessionAnswer } from "../coordination/standing-session.js";
import { describeNode, type NodeId, type NodeRecord } from "../model/node-record.js";
import { isRefusedByPooler } from "../model/pooler.js";
import type { DaemonContext } from "./daemon-context.js";

/** Knows which nodes are reached through a connection pooler, and tells of each once. */
export interface PoolerNotice {
  take(record: NodeRecord, answer: SessionAnswer<ServerLook>): void;
  isThroughPooler(id: NodeId): boolean;
}

export const POOLER_HINT =
  'set "conninfo" to host and port of the server itself in repmgr.conf of that node, and register it again with --force';

export function createPoolerNotice({ reporter }: Pick<DaemonContext, "reporter">): PoolerNotice {
  const pooled = new Set<NodeId>();
  return {
    take: (record, answer) => {
      const isBetween =
        answer.kind === "answered"
          ? answer.value.isThroughPooler
          : answer.kind === "rejected" && isRefusedByPooler(answer.reason);
      // What does not answer now may still be behind one.
      if (!isBetween && answer.kind === "answered") pooled.delete(record.nodeId);
      if (!isBetween || pooled.has(record.nodeId)) return;
      pooled.add(record.nodeId);
      reporter.error(`"conninfo" of node ${describeNode(record)} leads to a connection pooler`, {
        detail: "no vote is asked for or counted there, and automatic failover is not armed",
        hint: POOLER_HINT,
      });
    },
    isThroughPooler: (id) => pooled.has(id),
  };
}
