import type { Lsn } from "./lsn.js";
import type { NodeId } from "./node-record.js";

/** A WAL sender of the asked server, by the name under which its standby connected. */
export interface AttachedStandby {
  readonly applicationName: string;
  /** Null when the asking role may not read it (it needs `pg_monitor`). */
  readonly state: string | null;
}

/** What a server's own `repmgr.nodes` says of the node that it is registered as. */
export type OwnRecord =
  | { readonly kind: "found"; readonly upstreamNodeId: NodeId | null; readonly upstreamName: string | null }
  | { readonly kind: "missing" }
  | { readonly kind: "unreadable"; readonly reason: string };

/** What one running server says of itself at one moment. */
export interface ServerState {
  readonly inRecovery: boolean;
  readonly timeline: number | null;
  /** The end of the WAL that it wrote (out of recovery). */
  readonly writtenLsn: Lsn | null;
  readonly receivedLsn: Lsn | null;
  readonly replayedLsn: Lsn | null;
  readonly isReplayPaused: boolean;
  readonly attachedStandbys: readonly AttachedStandby[];
  /** Start of its postmaster as the server writes it: two nodes that say the same are one server. */
  readonly startedAt: string;
  readonly ownRecord: OwnRecord;
}

/**
 * What came of asking a node: `answered`; `failed`, connected but without an answer; `rejected`, running but not
 * letting us in; `unreachable`, everything else, a server that is starting up included.
 */
export type NodeAnswer =
  | { readonly kind: "answered"; readonly state: ServerState }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "rejected"; readonly reason: string }
  | { readonly kind: "unreachable"; readonly reason: string };
