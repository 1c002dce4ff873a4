import type { Beacon, Membership, ServerReport } from "../../../src/model/member-report.js";
import type { Lsn } from "../../../src/model/lsn.js";
import type { NodeId, NodeType } from "../../../src/model/node-record.js";
import type { LeaseRequest, PromotionRecord, VoteRequest } from "../../../src/model/vote.js";
import { rowsOf, type LogRow, type ModelLog } from "./model-log.js";

export interface PeerSession {
  readonly request: VoteRequest | null;
  readonly lease: LeaseRequest | null;
}

/** One PostgreSQL server. Its methods are in `cluster.ts`; this is what it is at a moment. */
export interface ModelServer {
  readonly nodeId: NodeId;
  isUp: boolean;
  isFrozen: boolean;
  inRecovery: boolean;
  log: ModelLog;
  /** Where its WAL receiver connects to; null = detached. */
  upstream: NodeId | null;
  /** Sessions end with the server, and with the network in time. */
  sessions: Map<NodeId, PeerSession>;
  beacon: Beacon | null;
  /** Statements that a frozen server executes when it thaws. */
  waiting: (() => void)[];
  /** Raised by each start and stop, so that what was begun before does not go on after. */
  life: number;
  /** The dead-man session stops the server then. */
  guardUntil: number;
  startsAsStandby: boolean;
  stoppedByGuard: { readonly timeline: number; readonly term: number } | null;
  /** LSN up to which each standby has confirmed, while its WAL receiver is connected. */
  flushed: Map<NodeId, ModelLog>;
  thawedAt: number;
  wasFrozenInPromotion: boolean;
  promotedAt: number;
  lastAckAt: number;
}

/** The rows of `repmgr.nodes` at the beginning. */
export interface ModelMember {
  readonly nodeId: NodeId;
  readonly type: NodeType;
  readonly upstreamNodeId: NodeId | null;
  readonly priority: number;
}

export function createServer(nodeId: NodeId, log: ModelLog, upstream: NodeId | null): ModelServer {
  return {
    nodeId,
    isUp: true,
    isFrozen: false,
    inRecovery: upstream !== null,
    log,
    upstream,
    sessions: new Map(),
    beacon: null,
    waiting: [],
    life: 0,
    guardUntil: Infinity,
    startsAsStandby: upstream !== null,
    stoppedByGuard: null,
    flushed: new Map(),
    thawedAt: -Infinity,
    wasFrozenInPromotion: false,
    promotedAt: -Infinity,
    lastAckAt: -Infinity,
  };
}

const isPromotion = (row: LogRow): row is Extract<LogRow, { kind: "promotion" }> => row.kind === "promotion";

/** The metadata as a server's own tables have it. */
export function readMembership(log: ModelLog, members: readonly ModelMember[]): Membership {
  const rows = rowsOf(log);
  let primary: NodeId | null = null;
  const inactive = new Set<NodeId>();
  for (const row of rows) {
    if (row.kind === "joined") inactive.delete(row.node);
    else {
      primary = row.record.node;
      inactive.delete(primary);
      if (row.former !== null) inactive.add(row.former);
    }
  }
  return {
    version: 1,
    members: members.map((member) => ({
      ...rewriteRole(member, primary),
      active: !inactive.has(member.nodeId),
      location: "default",
    })),
  };
}

function rewriteRole(member: ModelMember, primary: NodeId | null): ModelMember {
  if (primary === null) return member;
  if (member.nodeId === primary) return { ...member, type: "primary", upstreamNodeId: null };
  return { ...member, type: member.type === "witness" ? "witness" : "standby", upstreamNodeId: primary };
}

export function report(server: ModelServer, firstPrimary: NodeId): ServerReport {
  const { log, nodeId } = server;
  const promotions: readonly PromotionRecord[] = rowsOf(log)
    .filter(isPromotion)
    .map(({ record }) => record);
  const promotion = promotions.at(-1) ?? null;
  return {
    systemIdentifier: "7000000000000000001",
    inRecovery: server.inRecovery,
    timeline: log.branch.timeline,
    history: log.branch.history,
    lsn: BigInt(log.end) as Lsn,
    termRow: promotion?.term ?? 1,
    promotion,
    promotions,
    isRecordedPrimary: (promotion?.node ?? firstPrimary) === nodeId,
    isDrained: true,
    isDetached: server.upstream === null,
  };
}
