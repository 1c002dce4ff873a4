import type { NodeId, NodeType } from "./node-record.js";
import type { SyncExclusion } from "./sync-exclusion.js";
import type { SyncState } from "./sync-state.js";
import type { TimelineHistory } from "./timeline.js";
import type { LeaseRequest, LogPosition, PromotionRecord, Vote, VoteRequest } from "./vote.js";

/** A row of `repmgr.nodes`, as far as an election needs it. */
export interface Member {
  readonly nodeId: NodeId;
  readonly type: NodeType;
  readonly upstreamNodeId: NodeId | null;
  readonly active: boolean;
  readonly priority: number;
  readonly location: string;
}

/** All registered nodes; `version` is raised by every registration and unregistration. */
export interface Membership {
  readonly version: number;
  readonly members: readonly Member[];
  /** As the own log has it; null outside of synchronous mode. */
  readonly syncState?: SyncState | null;
}

/** What a daemon publishes on its own server; without such a session there is no daemon. */
export interface Beacon {
  readonly nodeId: NodeId;
  readonly upstreamNodeId: NodeId | null;
  /** How long ago a primary answered this daemon that it is not in recovery; null = never. In milliseconds. */
  readonly primarySeenAgoMs: number | null;
  readonly isPaused: boolean;
  readonly activity: "watching" | "willing" | "unwilling" | "leading";
  /** Shown only after it stands in the state file. */
  readonly vote: Vote | null;
  readonly leaseEcho: LeaseRequest | null;
  /** For so long it gives no vote to others; 0: it is free. In milliseconds. */
  readonly heldForMs: number;
}

/** What one server says of itself, read in one round trip. */
export interface ServerReport extends LogPosition {
  readonly systemIdentifier: string;
  readonly inRecovery: boolean;
  readonly timeline: number;
  readonly history: TimelineHistory;
  /** The last promotion in its log; null before the first failover. */
  readonly promotion: PromotionRecord | null;
  /** All promotions in its log, oldest first. */
  readonly promotions: readonly PromotionRecord[];
  /** Its own `repmgr.nodes` calls it the active primary. */
  readonly isRecordedPrimary: boolean;
  /** Nothing received is left to be replayed: its startup process waits for WAL. */
  readonly isDrained: boolean;
  /** It receives from nobody and will not by itself (`primary_conninfo` is empty). */
  readonly isDetached: boolean;
  /** Of a witness: the standby for which it does not vote (`sync_mode=preferred`); null or absent: none was ever asked for. */
  readonly exclusion?: SyncExclusion | null;
}

/** What came of asking a member; `unreachable` also stands for a server that answered too late. */
export type MemberAnswer =
  | { readonly kind: "unreachable"; readonly nodeId: NodeId }
  | {
      readonly kind: "answered";
      readonly nodeId: NodeId;
      readonly server: ServerReport;
      readonly beacon: Beacon | null;
    };

/** Sessions that the daemons of other nodes hold on this node's server. */
export interface PeerSessions {
  readonly requests: readonly VoteRequest[];
  readonly leases: readonly LeaseRequest[];
  /** What a primary asks of a witness. */
  readonly exclusions: readonly SyncExclusion[];
}
