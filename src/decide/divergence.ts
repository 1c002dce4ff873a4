import { formatLsn, type Lsn } from "../model/lsn.js";
import { findCommonTimeline, type TimelineHistory } from "../model/timeline.js";
import { judgeAttach, type AttachFacts, type AttachVerdict, type ServerPosition } from "./attach.js";

export interface DivergenceFacts extends AttachFacts {
  /** The ancestors of the local timeline; null when its history file is missing. */
  readonly localHistory: TimelineHistory | null;
}

/**
 * What `judgeAttach` says, with the local history beside the target's: a node that was promoted itself has left the
 * target's line where it was promoted, whatever the numbers of the timelines.
 */
export function judgeDivergence(facts: DivergenceFacts): AttachVerdict {
  const { local, target, targetHistory, localHistory } = facts;
  const simple = judgeAttach(facts, "rejoin");
  if (localHistory === null || local.systemIdentifier !== target.systemIdentifier) return simple;
  if (facts.sharesTimeline === false) return simple;
  const common = findCommonTimeline(
    { timeline: local.timeline, history: localHistory },
    { timeline: target.timeline, history: targetHistory },
  );
  if (common === null || common.timeline === local.timeline) return simple;
  const fork = common.end ?? (0n as Lsn);
  if (local.timeline !== target.timeline)
    return { kind: "diverged", fork, problem: describeDivergence(facts, fork) };
  return {
    kind: "impossible",
    problem: {
      message: `this node and rejoin target node ${target.nodeId} were promoted apart from each other`,
      detail: `both call their timeline ${local.timeline}, and pg_rewind takes it for the same one\n${describeHistories(facts)}`,
    },
  };
}

export function describeDivergence(facts: DivergenceFacts, fork: Lsn) {
  const { local, target } = facts;
  const how =
    target.timeline > local.timeline
      ? `rejoin target server's timeline ${target.timeline} forked off current database system timeline ${local.timeline} before current recovery point ${formatLsn(local.lsn)}`
      : `this node's timeline ${local.timeline} left that of the rejoin target at ${formatLsn(fork)}`;
  return {
    message: `this node cannot attach to rejoin target node ${target.nodeId}`,
    detail: `${how}\n${describeHistories(facts)}`,
    hint: "use --force-rewind to execute pg_rewind; what the target never had is discarded",
  };
}

/** Both lines from their beginning: the fork is where they differ. */
export function describeHistories({ local, localHistory, target, targetHistory }: DivergenceFacts): string {
  return [
    `history of this node: ${describeLine(local, localHistory ?? [])}`,
    `history of node ${target.nodeId}: ${describeLine(target, targetHistory)}`,
  ].join("\n");
}

function describeLine({ timeline, lsn }: ServerPosition, history: TimelineHistory): string {
  const ended = history.map((entry) => `timeline ${entry.timeline} up to ${formatLsn(entry.end)}`);
  return [...ended, `timeline ${timeline}, now at ${formatLsn(lsn)}`].join("; ");
}
