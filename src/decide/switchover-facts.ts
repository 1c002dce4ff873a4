import type { Lsn } from "../model/lsn.js";
import type { NodeId, NodeRecord } from "../model/node-record.js";
import type { Problem } from "../model/problem.js";
import type { RoomFacts, SiblingFacts } from "./siblings.js";

/** What decides the exit code of a refusal: a session, a query, a prerequisite, or the state of the cluster. */
export type RefusalKind = "connection" | "query" | "prerequisite" | "switchover";

export interface SwitchoverProblem extends Problem {
  readonly refusal: RefusalKind;
}

/** An answer of `node check --optformat`: its value, or why there is none. */
export type CheckAnswer =
  | { readonly kind: "answered"; readonly value: string }
  | { readonly kind: "failed"; readonly reason: string };

export interface CandidateFacts {
  readonly majorVersion: number;
  readonly attachment: { readonly attached: boolean; readonly state: string | null };
  readonly room: RoomFacts;
  /** Users that own postgresql.auto.conf and the data directory. */
  readonly owners: { readonly ofFile: number | null; readonly ofDirectory: number | null };
  /** Null when it cannot be told. */
  readonly lagSeconds: number | null;
  readonly replay: {
    readonly isPaused: boolean;
    readonly received: Lsn | null;
    readonly replayed: Lsn | null;
    readonly delayMs: number;
  };
  readonly isSuperuser: boolean;
  /** Why `-S` is of no use here; null when it is, or was not given. */
  readonly superuserProblem: Problem | null;
  /** Configured service commands of this node that sudo would refuse. */
  readonly refusedCommands: readonly RefusedCommand[];
}

/** A service command that sudo would not run without a password. */
export interface RefusedCommand {
  readonly command: string;
  readonly reason: string;
}

export interface PrimaryFacts {
  readonly majorVersion: number;
  readonly isInExclusiveBackup: boolean;
  readonly archives: boolean;
  readonly fullPageWrites: boolean;
  /** Since checksums are the same on all nodes, read where the command runs. */
  readonly isRewindable: boolean;
}

/** What the host of the primary told over SSH. */
export type RemoteFacts =
  | { readonly kind: "unusable"; readonly problem: Problem }
  | {
      readonly kind: "usable";
      readonly product: "tsrepmgr" | "repmgr";
      readonly hasConfigFile: boolean;
      readonly dataDirectory: CheckAnswer;
      /** Null without `-S`. */
      readonly superuser: CheckAnswer | null;
      readonly configOwner: CheckAnswer;
      readonly replicationConnection: CheckAnswer;
      readonly archive: ArchiveAnswer | null;
      /** As `node service --list-actions` shows it. */
      readonly stopCommand: string;
      /** Of the commands to stop and to start it, those that sudo would refuse. */
      readonly refusedCommands: readonly RefusedCommand[];
    };

export type ArchiveAnswer =
  | { readonly kind: "answered"; readonly status: string; readonly files: string; readonly threshold: string }
  | { readonly kind: "failed"; readonly reason: string };

/** `unknown`: its node did not answer. */
export interface DaemonFacts {
  readonly record: NodeRecord;
  readonly state: "running" | "paused" | "none" | "unknown";
  readonly reason?: string;
}

export interface SwitchoverFacts {
  readonly own: NodeRecord;
  readonly primary: NodeRecord;
  readonly candidate: CandidateFacts;
  readonly demoted: PrimaryFacts;
  readonly remote: RemoteFacts;
  readonly siblings: readonly SiblingFacts[];
  readonly daemons: readonly DaemonFacts[];
  /** Nodes that an earlier, unfinished run has paused. */
  readonly pausedBefore: readonly NodeId[];
}

export interface SwitchoverRules {
  readonly force: boolean;
  readonly forceRewind: boolean;
  /** The pg_rewind of `--force-rewind=PATH`. */
  readonly rewindProgram: string | null;
  readonly alwaysPromote: boolean;
  readonly siblingsFollow: boolean;
  readonly pauses: boolean;
  readonly forceUnpause: boolean;
  readonly superuser: string | null;
  readonly lagWarningSeconds: number;
  readonly lagCriticalSeconds: number;
  readonly shutdownTimeoutMs: number;
}
