import type { Beacon, Membership, ServerReport } from "../../../src/model/member-report.js";
import type { Lsn } from "../../../src/model/lsn.js";
import type { NodeId, NodeType } from "../../../src/model/node-record.js";
import type { RecordedExclusion, SyncExclusion } from "../../../src/model/sync-exclusion.js";
import { BLOCKED_NAMES, type SyncState } from "../../../src/model/sync-state.js";
import type { LeaseRequest, PromotionRecord, VoteRequest } from "../../../src/model/vote.js";
import { rowsOf, type LogRow, type ModelLog } from "./model-log.js";

export interface PeerSession {
  readonly request: VoteRequest | null;
  readonly lease: LeaseRequest | null;
  readonly exclusion: SyncExclusion | null;
}

/** Of a peer that wants nothing. */
export const noMessage: PeerSession = { request: null, lease: null, exclusion: null };

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
  /** After a start what was received is replayed first; until then less is known of it. */
  replaysUntil: number;
  lastAckAt: number;
  /** `synchronous_standby_names`, in a history with `sync_mode=preferred`. */
  names: string;
  /** The row in the database of a witness. */
  exclusion: RecordedExclusion | null;
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
    replaysUntil: -Infinity,
    lastAckAt: -Infinity,
    names: upstream === null ? "" : BLOCKED_NAMES,
    exclusion: null,
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
    else if (row.kind === "promotion") {
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

/** By which nodes commits are kept, as a log has it. */
export function readSyncState(log: ModelLog): SyncState | null {
  const row = rowsOf(log).findLast(({ kind }) => kind === "sync-state");
  return row?.kind === "sync-state" ? row.state : null;
}

/** What a restarted standby says less than it has: the start of its segment counts as received. */
const UNREPLAYED = 200;

export function report(server: ModelServer, firstPrimary: NodeId, now: number): ServerReport {
  const { log, nodeId } = server;
  const isDrained = !server.inRecovery || now >= server.replaysUntil;
  const promotions: readonly PromotionRecord[] = rowsOf(log)
    .filter(isPromotion)
    .map(({ record }) => record);
  const promotion = promotions.at(-1) ?? null;
  return {
    systemIdentifier: "7000000000000000001",
    inRecovery: server.inRecovery,
    timeline: log.branch.timeline,
    history: log.branch.history,
    lsn: BigInt(isDrained ? log.end : Math.max(log.branch.forkAt, log.end - UNREPLAYED)) as Lsn,
    termRow: promotion?.term ?? 1,
    promotion,
    promotions,
    isRecordedPrimary: (promotion?.node ?? firstPrimary) === nodeId,
    isDrained,
    isDetached: server.upstream === null,
    exclusion: server.exclusion,
  };
}
