import { endOfRecord, formatLsn, type Lsn } from "../model/lsn.js";
import type { NodeId } from "../model/node-record.js";
import type { Problem } from "../model/problem.js";
import type { PromotionRecord } from "../model/vote.js";
import { findForkPoint, type TimelineHistory } from "../model/timeline.js";

/** How far a server has come, and in which cluster. */
export interface ServerPosition {
  readonly nodeId: NodeId;
  readonly systemIdentifier: string;
  readonly timeline: number;
  readonly lsn: Lsn;
}

export interface AttachFacts {
  readonly local: ServerPosition;
  readonly target: ServerPosition;
  /** The ancestors of the target's timeline; empty on timeline 1. */
  readonly targetHistory: TimelineHistory;
  /**
   * False: the last timeline that both have in common by its number begins with other records here than there. Null:
   * nobody was promoted, or it cannot be told.
   */
  readonly sharesTimeline: boolean | null;
}

export type AttachPurpose = "follow" | "rejoin";

export type AttachVerdict =
  | { readonly kind: "can-attach"; readonly finding: Problem }
  /** The local server holds WAL that the target never had; from `fork` on it would be thrown away. */
  | { readonly kind: "diverged"; readonly fork: Lsn; readonly problem: Problem }
  | { readonly kind: "impossible"; readonly problem: Problem };

/** Whether the local server can stream from the target as it is (reference: repmgr-cli 6.1.3). */
export function judgeAttach(facts: AttachFacts, purpose: AttachPurpose): AttachVerdict {
  const { local, target } = facts;
  if (local.systemIdentifier !== target.systemIdentifier)
    return { kind: "impossible", problem: otherCluster(facts, purpose) };
  if (facts.sharesTimeline === false) return { kind: "impossible", problem: promotedApart(facts, purpose) };
  if (target.timeline === local.timeline) return judgeSameTimeline(facts, purpose);
  const fork = target.timeline > local.timeline ? findForkPoint(facts.targetHistory, local.timeline) : null;
  if (fork === null) return { kind: "impossible", problem: unrelatedTimeline(facts, purpose) };
  return judgeFork(facts, fork, purpose);
}

function otherCluster({ local, target }: AttachFacts, purpose: AttachPurpose): Problem {
  return {
    message: `this node and the ${purpose} target are not part of the same replication cluster`,
    detail: `local system identifier is ${local.systemIdentifier}, ${purpose} target's is ${target.systemIdentifier}`,
    hint: 'check the connection parameters; only "standby clone --force" makes this node a member of that cluster',
  };
}

/** What the records of the promotions tell where the logs themselves cannot be compared; null: nothing. */
export function haveSamePromotion(
  timeline: number,
  local: readonly PromotionRecord[],
  target: readonly PromotionRecord[],
): boolean | null {
  const [here, there] = [local, target].map((list) => list.findLast((one) => one.timeline === timeline));
  if (here === undefined || there === undefined) return null;
  return here.term === there.term && here.node === there.node;
}

/** PostgreSQL would stream from one to the other without a word, and pg_rewind sees no difference. */
function promotedApart({ local, target }: AttachFacts, purpose: AttachPurpose): Problem {
  return {
    message: `this node and ${purpose} target node ${target.nodeId} were promoted apart from each other`,
    detail: `the timeline of one number is another one on each; this node is on timeline ${local.timeline}, the target on ${target.timeline}`,
    hint: 'only "standby clone --force" on this node, stopped, makes it a standby of the target; what it holds is lost then',
  };
}

/** Whether the local server has more of the timeline that both are on. */
export function isAhead({ local, target }: Pick<AttachFacts, "local" | "target">): boolean {
  return (
    local.systemIdentifier === target.systemIdentifier &&
    local.timeline === target.timeline &&
    endOfRecord(local.lsn) > target.lsn
  );
}

function judgeSameTimeline({ local, target }: AttachFacts, purpose: AttachPurpose): AttachVerdict {
  const detail = `local node lsn is ${formatLsn(local.lsn)}, ${purpose} target lsn is ${formatLsn(target.lsn)}`;
  if (!isAhead({ local, target })) {
    return {
      kind: "can-attach",
      finding: { message: "timelines are same, this server is not ahead", detail },
    };
  }
  return {
    kind: "impossible",
    problem: {
      message: `this node is ahead of the ${purpose} target`,
      detail: `timeline is ${local.timeline}, ${detail}`,
      hint: "wait until the target has caught up, or follow a node that is further",
    },
  };
}

function judgeFork(facts: AttachFacts, fork: Lsn, purpose: AttachPurpose): AttachVerdict {
  const { local, target } = facts;
  const points = `local node's recovery point: ${formatLsn(local.lsn)}; ${purpose} target node's fork point: ${formatLsn(fork)}`;
  if (endOfRecord(local.lsn) <= fork) {
    const message = `local node ${local.nodeId} can attach to ${purpose} target node ${target.nodeId}`;
    return { kind: "can-attach", finding: { message, detail: points } };
  }
  return {
    kind: "diverged",
    fork,
    problem: {
      message: `this node cannot attach to ${purpose} target node ${target.nodeId}`,
      detail: `the target left timeline ${local.timeline} before this node's last record: ${points}`,
      hint:
        purpose === "rejoin"
          ? "use --force-rewind to discard what the target never had"
          : 'stop this node and execute "node rejoin --force-rewind"',
    },
  };
}

function unrelatedTimeline({ local, target, targetHistory }: AttachFacts, purpose: AttachPurpose): Problem {
  const ancestors = [...targetHistory.map(({ timeline }) => timeline), target.timeline].join(", ");
  return {
    message: `timeline ${local.timeline} of this node is not in the history of the ${purpose} target`,
    detail: `${purpose} target node ${target.nodeId} is on timeline ${target.timeline}; its history is: ${ancestors}`,
    hint:
      target.timeline < local.timeline
        ? "the target is older than this node: is it the right one?"
        : 'execute "standby clone --force" on this node, stopped, to copy the target again',
  };
}
