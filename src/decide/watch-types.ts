import type { MemberAnswer, Membership, PeerSessions, ServerReport } from "../model/member-report.js";
import type { NodeId } from "../model/node-record.js";
import type { SyncExclusion } from "../model/sync-exclusion.js";
import type { DaemonMemory, LeaseRequest, StopReason, VoteRequest } from "../model/vote.js";
import type { FailoverSettings } from "./failover-settings.js";

/** Commands and procedures that take their time; the loop reports each end as `command-ended`. */
export type LongCommand =
  "validate" | "promote" | "abort-promotion" | "follow" | "rejoin" | "fence" | "start";

/**
 * What the daemon's loop has found out. It submits each as it comes, and a `tick` at least every monitor interval,
 * every 100 ms while `isUrgent` says so. Times are those of the daemon's own monotonic clock, in milliseconds.
 */
export type Observation =
  | {
      /** The own server answered, and these sessions of other daemons are on it. */
      readonly kind: "local-seen";
      readonly server: ServerReport;
      readonly membership: Membership;
      readonly sessions: PeerSessions;
    }
  /** `stoppedByGuard`: the note that the dead-man session left, of what it stopped; removed when the memory is written. */
  | {
      readonly kind: "local-lost";
      readonly stoppedByGuard: { readonly timeline: number; readonly term: number } | null;
    }
  /** The connection check of the watched upstream succeeded; null when it could not tell its role. */
  | { readonly kind: "upstream-seen"; readonly inRecovery: boolean | null }
  | { readonly kind: "upstream-lost" }
  /** One answer to `ask-members`, submitted as it comes; `askedAt` is when the questions were sent. */
  | { readonly kind: "member-answered"; readonly answer: MemberAnswer; readonly askedAt: number }
  /** The end of `ask-members`: all have answered, or its time is over. Every member is in it. */
  | { readonly kind: "members-answered"; readonly answers: readonly MemberAnswer[]; readonly askedAt: number }
  | { readonly kind: "command-ended"; readonly command: LongCommand; readonly succeeded: boolean }
  | { readonly kind: "pause-changed"; readonly isPaused: boolean }
  | { readonly kind: "tick" };

/**
 * What the loop is to do, in the order of the list. An action that fails ends the list; when `write-memory` fails (it
 * always is the first) the whole transition has not happened: the loop keeps the old state.
 */
export type Action =
  /** Write the state file and fsync it. What the beacon shows of it follows from the new state, so only afterwards. */
  | { readonly kind: "write-memory"; readonly memory: DaemonMemory }
  /**
   * Ask all other members at once, each with a deadline of one second, and leave these in the sessions on them. Who cannot
   * be reached is tried again until then where `insistsOnAnswers` says so.
   */
  | {
      readonly kind: "ask-members";
      readonly request: VoteRequest | null;
      readonly lease: LeaseRequest | null;
    }
  | { readonly kind: "run-validation" }
  /**
   * Run promote_command; the server must be out of recovery by `deadline` (own clock). The command is told so, and runs
   * under a process that ends it then even if this daemon is frozen.
   */
  | { readonly kind: "run-promote"; readonly term: number; readonly deadline: number }
  /**
   * End the promote command, stop the own server at once and start it as a standby without `primary_conninfo`, so that
   * no promotion is left in it and it streams from nobody before its log was judged.
   */
  | { readonly kind: "abort-promotion" }
  /** First write of a new primary: the term (never lowered), the promotion record, the node records. */
  | { readonly kind: "write-promotion"; readonly term: number; readonly formerPrimary: NodeId | null }
  | { readonly kind: "run-follow"; readonly primary: NodeId }
  | { readonly kind: "run-rejoin"; readonly primary: NodeId }
  /** `standby.signal` without `primary_conninfo`, SIGQUIT, verify, SIGKILL, then fence_command. */
  | { readonly kind: "fence"; readonly reason: FenceReason }
  /** Start the own server: as a standby after a fence, as it is after a crash (`local_restart_attempts`). */
  | { readonly kind: "start-server"; readonly asStandby: boolean }
  /**
   * Start the dead-man session inside the server, good for this long, unless there is one: that is left as it is. On a
   * standby it waits for the promotion. When it stops the server it leaves the note that `local-lost` brings.
   */
  | { readonly kind: "start-guard"; readonly goodForMs: number }
  /** The dead-man session may let the server run so long from now on; in milliseconds. */
  | { readonly kind: "kick-guard"; readonly goodForMs: number }
  /** End the dead-man session: no lease is held any more, and the server may go on. */
  | { readonly kind: "release-guard" }
  | { readonly kind: "detach-receiver" }
  /** Write it into the witness's own database, where the primary looks for it; the state file has it already. */
  | { readonly kind: "record-exclusion"; readonly exclusion: SyncExclusion }
  | {
      readonly kind: "announce";
      readonly event: WatchEvent;
      readonly node: NodeId | null;
    };

/** Events of the reference's catalogue that the grids raise, and ours. */
type WatchEvent =
  | "repmgrd_local_disconnect"
  | "repmgrd_local_reconnect"
  | "repmgrd_standby_reconnect"
  | "repmgrd_upstream_disconnect"
  | "repmgrd_upstream_reconnect"
  | "repmgrd_failover_promote"
  | "repmgrd_failover_follow"
  | "repmgrd_failover_aborted"
  | "repmgrd_promote_error"
  | "split_brain_suspected"
  | "split_brain_detected"
  | "primary_fenced";

export type FenceReason =
  | { readonly kind: "superseded"; readonly by: NodeId | null; readonly term: number }
  | { readonly kind: "equal-term"; readonly other: NodeId }
  | { readonly kind: "isolated" };

/** A campaign for the votes of one term. */
export interface Campaign {
  readonly term: number;
  /** The first request was sent then: the age of the votes counts from it. */
  readonly startedAt: number;
  /** What the own server was on then; null when that is not known any more. */
  readonly timeline: number | null;
  readonly isValidated: boolean;
}

/** Whom a node streams from; a cascaded standby's upstream is no primary. */
export interface Upstream {
  readonly nodeId: NodeId;
  readonly isPrimary: boolean;
}

interface Searching {
  readonly upstream: Upstream | null;
  /** How many attempts to get a primary have failed since the upstream was lost; the back-off grows with it. */
  readonly round: number;
}

export type StandbyState =
  | { readonly kind: "watching"; readonly upstream: Upstream }
  | { readonly kind: "reconnecting"; readonly upstream: Upstream; readonly attempt: number }
  | ({ readonly kind: "electing"; readonly standsAsideUntil: number | null } & Searching)
  | ({ readonly kind: "campaigning"; readonly campaign: Campaign } & Searching)
  | ({ readonly kind: "validating"; readonly campaign: Campaign } & Searching)
  | ({ readonly kind: "promoting"; readonly campaign: Campaign; readonly deadline: number } & Searching)
  | ({
      readonly kind: "aborting";
      readonly campaign: Campaign;
      readonly retryAt: number | null;
      /** The server was started as a standby again; what it has become is seen at the next look. */
      readonly isStandby: boolean;
    } & Searching)
  /** `retryAt`: the rejoin failed and left the own server down; null while the command runs. */
  | ({ readonly kind: "attaching"; readonly primary: NodeId; readonly retryAt: number | null } & Searching)
  | ({ readonly kind: "degraded"; readonly reason: DegradedReason; readonly retryAt: number } & Searching);

export type DegradedReason =
  | "paused"
  | "manual"
  | "follow-by-hand"
  | "priority-zero"
  | "replay-pending"
  | "excluded"
  | "upstream-unknown"
  | "primary-location-unseen"
  | "primary-still-visible"
  | "no-majority"
  | "votes-refused"
  | "validation-failed"
  | "promotion-failed"
  | "attach-failed"
  | "cannot-follow"
  | "local-server-lost";

export type PrimaryState =
  | { readonly kind: "leading"; readonly term: number; readonly lease: HeldLease | null }
  /** Writable with a term below the votes that were given since: asks for votes like a candidate, without a restart. */
  | {
      readonly kind: "reasserting";
      readonly term: number;
      readonly lease: HeldLease | null;
      readonly round: number;
      readonly campaign: Campaign | null;
      readonly retryAt: number;
    }
  | {
      readonly kind: "server-lost";
      readonly term: number;
      readonly lease: HeldLease | null;
      /** How often the daemon has tried to start it again. */
      readonly restarts: number;
      readonly isStarting: boolean;
    }
  | { readonly kind: "fencing"; readonly reason: FenceReason; readonly retryAt: number }
  | { readonly kind: "fenced"; readonly reason: StopReason; readonly retryAt: number };

/** The primary's side of its lease. */
export interface HeldLease {
  readonly counter: number;
  /** When each counter that may still come back was sent, oldest first. */
  readonly sent: readonly { readonly counter: number; readonly at: number }[];
  /** For each voter the send time of the newest counter that it echoed. */
  readonly confirmed: ReadonlyMap<NodeId, number>;
  /** When the votes were asked for that made it writable; null when it was found writable. */
  readonly grantedAt: number | null;
  readonly startedAt: number;
}

export type WitnessState =
  | { readonly kind: "watching"; readonly upstream: NodeId }
  | { readonly kind: "reconnecting"; readonly upstream: NodeId; readonly attempt: number }
  | { readonly kind: "seeking"; readonly upstream: NodeId | null; readonly retryAt: number }
  | { readonly kind: "attaching"; readonly upstream: NodeId | null; readonly primary: NodeId };

export type Watch =
  /** The daemon has just been started: the first look at the own server decides. */
  | { readonly role: "unknown"; readonly state: { readonly kind: "starting" } }
  | { readonly role: "standby"; readonly state: StandbyState }
  | { readonly role: "primary"; readonly state: PrimaryState }
  | { readonly role: "witness"; readonly state: WitnessState };

/** What a voter remembers beside its file; after a start all of it counts as if it had happened just now. */
export interface VoterState {
  /** No second vote before; also set by a start without a state file. */
  readonly holdUntil: number;
  /** The newest counter of each holder, and when it was new. */
  readonly leasesHeard: ReadonlyMap<NodeId, LeaseRequest & { readonly at: number }>;
  /** Any lease may have been heard until then: at the start of the daemon, or when it noticed that it had slept. */
  readonly leaseFloorAt: number;
  /** When a primary that is not behind the own log answered that it is out of recovery. */
  readonly primarySeen: { readonly nodeId: NodeId; readonly at: number } | null;
  /** After an own promotion failed: until then others are not held to be less suitable for being behind. */
  readonly incapableUntil: number;
}

/** Everything that a daemon knows between two observations. */
export interface DaemonState {
  readonly nodeId: NodeId;
  readonly memory: DaemonMemory;
  readonly voter: VoterState;
  readonly watch: Watch;
  readonly local: ServerReport | null;
  readonly membership: Membership;
  /** The own record has got this upstream, by a command of somebody; null as soon as that is the upstream, or another one is attached to. */
  readonly movedTo: NodeId | null;
  readonly answers: readonly MemberAnswer[];
  /** The highest term that was seen anywhere, in a log or in a vote. */
  readonly highestTerm: number;
  /** Where the counters of a lease begin: random, another one at each start of the daemon. */
  readonly leaseSeed: number;
  readonly lastTurnAt: number;
  readonly membersAskedAt: number;
  readonly membersAnsweredAt: number;
}

export interface Transition {
  readonly state: DaemonState;
  readonly actions: readonly Action[];
}

/** What every cell may look at beside its state and the observation. */
export interface Situation {
  readonly daemon: DaemonState;
  readonly settings: FailoverSettings;
  readonly now: number;
}

/** What a cell decides; what it leaves out stays as it is. */
export interface Step {
  readonly watch?: Watch;
  readonly memory?: DaemonMemory;
  readonly voter?: Partial<VoterState>;
  readonly actions?: readonly Action[];
}

/** A grid: forgetting a cell is a compile error. */
export type Grid<State extends { kind: string }, Seen extends { kind: string }> = {
  readonly [S in State["kind"]]: {
    readonly [O in Seen["kind"]]: (
      state: Extract<State, { kind: S }>,
      seen: Extract<Seen, { kind: O }>,
      situation: Situation,
    ) => Step;
  };
};
