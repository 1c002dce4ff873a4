import { createHash } from "node:crypto";
import { join } from "node:path";
import { nodeId, type NodeId } from "../model/node-record.js";
import type { SyncExclusion } from "../model/sync-exclusion.js";
import type { StoppedPrimary } from "../model/vote.js";
import { replaceFile } from "../system/directories.js";
import { readOwnedFile } from "../system/owned-file.js";
import { currentUserId } from "../system/process-table.js";

/** What a daemon must not forget: a vote that is given twice makes two primaries. */
export interface DaemonState {
  readonly votedTerm: number;
  readonly votedFor: NodeId | null;
  /** In milliseconds since the epoch; 0 when it is not known. */
  readonly votedAt: number;
  readonly isPaused: boolean;
  /** When that was last said, in milliseconds since the epoch: the newest word counts. */
  readonly pauseChangedAt: number;
  /** What this node was primary of, written before it is made a standby: its control file forgets. */
  readonly wasPrimary: StoppedPrimary | null;
  /** A promotion was begun for this term, and it is not known yet how it ended. */
  readonly promotingTerm: number | null;
  /** Whether `primary_conninfo` was emptied for a vote and not yet restored. */
  readonly isDetached: boolean;
  /** Of a witness: the standby for which it does not vote; null before the first one. */
  readonly exclusion: SyncExclusion | null;
}

/** A node of one cluster: another cluster on this host may have the same ids. */
export interface StateOwner {
  readonly systemIdentifier: string;
  readonly nodeId: NodeId;
}

export type StateReading =
  | { readonly kind: "read"; readonly state: DaemonState }
  | { readonly kind: "absent" }
  /** Damaged, forged, of a newer release or not readable: what was promised in it is not known. */
  | { readonly kind: "unusable"; readonly reason: string };

export const emptyState: DaemonState = {
  votedTerm: 0,
  votedFor: null,
  votedAt: 0,
  isPaused: false,
  pauseChangedAt: 0,
  wasPrimary: null,
  promotingTerm: null,
  isDetached: false,
  exclusion: null,
};

const FORMAT = 1;
const WRITABLE_BY_OTHERS = 0o022;

export const stateFileOf = (directory: string, owner: StateOwner): string =>
  join(directory, `node-${owner.nodeId}-${owner.systemIdentifier}.json`);

/** Puts the state on disk before it returns, flushed. Throws the file system's error. */
export async function writeState(path: string, owner: StateOwner, state: DaemonState): Promise<void> {
  const content = { format: FORMAT, ...owner, ...state };
  const text = `${JSON.stringify({ ...content, checksum: checksumOf(content) }, null, 2)}\n`;
  await replaceFile(path, Buffer.from(text), 0o600);
}

export async function readState(path: string, owner: StateOwner): Promise<StateReading> {
  const file = await readOwnedFile(path);
  switch (file.kind) {
    case "absent":
      return { kind: "absent" };
    case "not-a-file":
      return { kind: "unusable", reason: "it is not a regular file" };
    case "unreadable":
      return { kind: "unusable", reason: file.reason };
    case "file":
      if (currentUserId() !== null && file.ownerId !== currentUserId())
        return { kind: "unusable", reason: "it belongs to another user" };
      if ((file.mode & WRITABLE_BY_OTHERS) !== 0)
        return { kind: "unusable", reason: "other users may write it" };
      return parseState(file.content.toString("utf8"), owner);
  }
}

function parseState(text: string, owner: StateOwner): StateReading {
  const refuse = (reason: string): StateReading => ({ kind: "unusable", reason });
  let content: Readonly<Record<string, unknown>>;
  try {
    content = JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return refuse("it is not JSON");
  }
  const { checksum, ...rest } = content;
  if (rest["format"] !== FORMAT) return refuse(`its format is ${String(rest["format"])}, not ${FORMAT}`);
  if (checksum !== checksumOf(rest)) return refuse("its checksum does not fit");
  if (rest["nodeId"] !== owner.nodeId || rest["systemIdentifier"] !== owner.systemIdentifier)
    return refuse("it is another node's");
  const { votedTerm, votedFor, isPaused, pauseChangedAt, wasPrimary, promotingTerm, isDetached, exclusion } =
    rest as unknown as Partial<Pick<DaemonState, "exclusion">> & Omit<DaemonState, "exclusion">;
  const { votedAt } = rest;
  return {
    kind: "read",
    state: {
      votedTerm,
      votedFor: votedFor === null ? null : nodeId(votedFor),
      // Files of earlier releases do not have it.
      votedAt: typeof votedAt === "number" ? votedAt : 0,
      isPaused,
      pauseChangedAt,
      wasPrimary,
      promotingTerm,
      isDetached,
      // A file of an earlier release has none.
      exclusion: exclusion ?? null,
    },
  };
}

function checksumOf(content: object): string {
  return createHash("sha256").update(JSON.stringify(content)).digest("hex");
}
