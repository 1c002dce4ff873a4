import type { Lsn } from "./lsn.js";
import { nodeId, type NodeId } from "./node-record.js";
import type { SyncExclusion } from "./sync-exclusion.js";

/** The data nodes among which a commit is kept: `quorum` of them besides the primary have flushed it. */
export interface SyncSet {
  readonly members: readonly NodeId[];
  readonly quorum: number;
}

/**
 * The row that travels in the WAL: whoever has the log up to there knows by which sets commits were acknowledged. While
 * a change is pending both count.
 */
export interface SyncState {
  readonly version: number;
  readonly current: SyncSet;
  readonly pending: SyncSet | null;
  /**
   * The last exclusion of a witness's record that was made use of, and the standby that is left out by it now; null
   * when it is counted again. Absent before the first one.
   */
  readonly exclusion?: Pick<SyncExclusion, "epoch" | "node">;
}

/** `version=3 members=1,2,3 q=1 pending=1,2,3,4 pending_q=2`; `version=5 members=1 q=0 epoch=1 excluded=2`. */
export function renderSyncState({ version, current, pending, exclusion }: SyncState): string {
  const change = pending === null ? "" : ` pending=${pending.members.join(",")} pending_q=${pending.quorum}`;
  const last = exclusion === undefined ? "" : ` epoch=${exclusion.epoch} excluded=${exclusion.node ?? 0}`;
  return `version=${version} members=${current.members.join(",")} q=${current.quorum}${change}${last}`;
}

const FORM =
  /^version=(\d{1,9}) members=(\d+(?:,\d+)*) q=(\d{1,3})(?: pending=(\d+(?:,\d+)*) pending_q=(\d{1,3}))?(?: epoch=(\d{1,15}) excluded=(\d+))?$/;

/** Null for anything else than a rendered state. */
export function parseSyncState(text: string): SyncState | null {
  const match = FORM.exec(text);
  if (match === null) return null;
  const [, version, members = "", quorum, pending, pendingQuorum, epoch, excluded] = match;
  const node = Number(excluded) === 0 ? null : nodeId(Number(excluded));
  return {
    version: Number(version),
    current: { members: readIds(members), quorum: Number(quorum) },
    pending: pending === undefined ? null : { members: readIds(pending), quorum: Number(pendingQuorum) },
    ...(epoch === undefined ? {} : { exclusion: { epoch: Number(epoch), node } }),
  };
}

const readIds = (text: string): readonly NodeId[] => text.split(",").map((id) => nodeId(Number(id)));

/** With these names nobody's word counts: every commit waits. */
export const BLOCKED_NAMES = 'ANY 1 ("-nobody-")';

/** A WAL sender of the primary. */
export interface WalSender {
  readonly name: string;
  readonly state: string | null;
  readonly flushLsn: Lsn | null;
  /** Of the replication slot that it uses; null without. */
  readonly slotName: string | null;
  /** Where it connected from; null for a Unix socket. */
  readonly address: string | null;
}

/** A registered data node, as far as its WAL sender is judged by it. */
export interface SyncNode {
  readonly nodeId: NodeId;
  readonly nodeName: string;
  readonly slotName: string | null;
  /** A literal address of its conninfo; null for a host name, which is not looked up. */
  readonly address: string | null;
}

/** What one look at the primary tells of the synchronous mode. */
export interface SyncLook {
  /** `repmgr.settings` has no valid row: null. */
  readonly state: SyncState | null;
  /** `synchronous_standby_names` as it is in force. */
  readonly names: string;
  readonly nodes: readonly SyncNode[];
  readonly senders: readonly WalSender[];
  /** The end of the primary's log. */
  readonly lsn: Lsn;
}

export type SyncStep =
  /** Only in `sync_mode=preferred`: the witness is to put this on record. */
  | { readonly kind: "ask-witness"; readonly wish: SyncExclusion }
  | { readonly kind: "write-state"; readonly state: SyncState }
  | { readonly kind: "set-names"; readonly names: string }
  /** Something has to come first. */
  | { readonly kind: "wait"; readonly reason: string }
  /** All is as it should be. */
  | { readonly kind: "settled" };
