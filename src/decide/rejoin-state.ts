import type { Lsn } from "../model/lsn.js";
import type { Problem } from "../model/problem.js";

/** What an earlier run wrote down before it started pg_rewind. */
export interface RewindRecord {
  /** pg_control then. */
  readonly timeline: number;
  readonly checkpointLsn: Lsn;
}

/** `interrupted`: files may be half rewound; `completed`: pg_rewind came to its end, and nothing after it. */
export type UnfinishedRewind = "interrupted" | "completed";

interface StoppedServer {
  readonly state: string;
  readonly timeline: number;
  readonly hasBackupLabel: boolean;
  /** The rewind was begun by a pg_rewind that may copy the target's pg_control first, and nobody has ended it. */
  readonly mayHaveForeignControl: boolean;
}

/**
 * What became of the rewind that `record` announced. pg_rewind writes backup_label and then pg_control as its last
 * acts; a later timeline without them means that the directory was copied again since. Null: it is none of ours any more.
 */
export function judgeUnfinishedRewind(
  record: RewindRecord,
  { state, timeline, hasBackupLabel, mayHaveForeignControl }: StoppedServer,
): UnfinishedRewind | null {
  if (hasBackupLabel && state === "in archive recovery") return "completed";
  return timeline > record.timeline && !mayHaveForeignControl ? null : "interrupted";
}

export interface LocalStateFacts {
  readonly isServerUp: boolean;
  /** postmaster.pid is there, but empty or unreadable: PostgreSQL refuses to start as well. */
  readonly isLockFileUnclear: boolean;
  /** It has been configured as a standby, by whomever. */
  readonly isStandby: boolean;
  readonly state: string;
  readonly majorVersion: number;
  readonly unfinishedRewind: UnfinishedRewind | null;
  /** The program that is at work on this directory now. */
  readonly otherRunPid: number | null;
  readonly dataDirectory: string;
}

export type LocalStateVerdict =
  | { readonly kind: "refused"; readonly problem: Problem }
  /** An earlier run may have started it: the problem stands unless it is a standby of the target. */
  | { readonly kind: "running-standby"; readonly problem: Problem }
  | { readonly kind: "ready"; readonly isClean: boolean; readonly warning: Problem | null };

/** pg_control of a standby that did not come to shut down. */
const CRASHED_STANDBY = "in archive recovery";

/** Since this version pg_rewind recovers a crashed server by itself. */
const RECOVERS_SINCE = 13;

/** Whether the stopped server may be touched at all, before anybody is asked (reference: repmgr-cli 6.1.1). */
export function judgeLocalState(
  facts: LocalStateFacts,
  { programName, forceRewind }: { readonly programName: string; readonly forceRewind: boolean },
): LocalStateVerdict {
  const { state, unfinishedRewind } = facts;
  const refuse = (problem: Problem): LocalStateVerdict => ({ kind: "refused", problem });
  if (facts.isLockFileUnclear) {
    return refuse({
      message: "postmaster.pid in the data directory is empty or cannot be read",
      detail: `nobody can tell whether a server runs on "${facts.dataDirectory}"`,
      hint: "make sure that none does, remove the file and repeat",
    });
  }
  if (facts.isServerUp) {
    const problem = {
      message: `database is still running in state "${state}"`,
      hint: `"${programName} node rejoin" cannot be executed on a running node`,
    };
    return { kind: facts.isStandby && unfinishedRewind === null ? "running-standby" : "refused", problem };
  }
  if (facts.otherRunPid !== null) {
    return refuse({
      message: `another "${programName} node rejoin" is at work on this node (PID ${facts.otherRunPid})`,
    });
  }
  if (unfinishedRewind !== null) return judgeEarlierRewind(facts, forceRewind);
  if (state === "shut down" || state === "shut down in recovery")
    return { kind: "ready", isClean: true, warning: null };
  const message = `database is not shut down cleanly: its state is "${state}"`;
  if (!forceRewind) {
    return refuse({
      message,
      detail: "what it wrote last is known only after crash recovery",
      hint:
        state === CRASHED_STANDBY
          ? "it was a standby: start it, and it streams again; or use --force-rewind to attach it to another primary"
          : facts.majorVersion >= RECOVERS_SINCE
            ? "use --force-rewind, which recovers it first; or start it and stop it again"
            : "start the server and stop it again, then repeat",
    });
  }
  if (facts.majorVersion < RECOVERS_SINCE) {
    return refuse({
      message,
      detail: `pg_rewind of PostgreSQL ${facts.majorVersion} needs a clean shutdown`,
      hint: "start the server and stop it again, then repeat",
    });
  }
  const detail =
    state === CRASHED_STANDBY
      ? "it was a standby, which recovers when it starts"
      : "it is recovered before anything else, as a standby that nobody can reach";
  return { kind: "ready", isClean: false, warning: { message, detail } };
}

function judgeEarlierRewind(
  { unfinishedRewind, dataDirectory }: LocalStateFacts,
  forceRewind: boolean,
): LocalStateVerdict {
  const isComplete = unfinishedRewind === "completed";
  const problem = {
    message: "an earlier rewind did not finish",
    detail: isComplete
      ? "pg_rewind came to its end, but the node was not configured as a standby after it"
      : `data directory "${dataDirectory}" may be rewound in part: its server must not be started, and its mode keeps it from that`,
  };
  if (forceRewind) return { kind: "ready", isClean: true, warning: { ...problem, hint: "going on with it" } };
  const hint = "use --force-rewind to finish it";
  return { kind: "refused", problem: { ...problem, hint } };
}
