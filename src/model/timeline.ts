import { parseLsn, type Lsn } from "./lsn.js";

/** A timeline that ended, and where its successor in this history branched off. */
interface TimelineEnd {
  readonly timeline: number;
  readonly end: Lsn;
}

/** The ancestors of a timeline, oldest first, as PostgreSQL keeps them in `0000000N.history`. */
export type TimelineHistory = readonly TimelineEnd[];

/** Reads the content of a history file. Throws RangeError on a line that is none of PostgreSQL's. */
export function parseTimelineHistory(text: string): TimelineHistory {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, timeline, end] = /^(\d+)\s+([0-9A-Fa-f]+\/[0-9A-Fa-f]+)(?:\s|$)/.exec(line) ?? [];
      if (timeline === undefined || end === undefined)
        throw new RangeError(`not a timeline history: "${line}"`);
      return { timeline: Number(timeline), end: parseLsn(end) };
    });
}

/** Where a history left `timeline`; null when that timeline is not one of its ancestors. */
export function findForkPoint(history: TimelineHistory, timeline: number): Lsn | null {
  return history.find((entry) => entry.timeline === timeline)?.end ?? null;
}

/** The last timeline that two servers share. */
export interface CommonTimeline {
  readonly timeline: number;
  /** Where the first of them left it; null when both are still on it. */
  readonly end: Lsn | null;
}

interface Line {
  readonly timeline: number;
  readonly history: TimelineHistory;
}

/**
 * Compares two histories from their beginning, as pg_rewind does: two servers that were promoted apart can be on a
 * timeline of the same number. Null when they share none.
 */
export function findCommonTimeline(one: Line, other: Line): CommonTimeline | null {
  const [a, b] = [one, other].map(({ timeline, history }) => [...history, { timeline, end: null }]);
  let common: CommonTimeline | null = null;
  for (const [index, { timeline, end }] of (a ?? []).entries()) {
    const counterpart = b?.[index];
    if (counterpart?.timeline !== timeline) break;
    common = { timeline, end: earlier(end, counterpart.end) };
    if (end !== counterpart.end) break;
  }
  return common;
}

/**
 * Where the last timeline began that two histories have in common; null when that is the first one, on which nobody was
 * promoted. Two promotions from one parent get the same number and the same history, so only what follows tells.
 */
export function findSharedBeginning(one: Line, other: Line): { timeline: number; from: Lsn } | null {
  const common = findCommonTimeline(one, other);
  if (common === null) return null;
  const line = [...one.history, { timeline: one.timeline }];
  const before = one.history[line.findIndex(({ timeline }) => timeline === common.timeline) - 1];
  return before === undefined ? null : { timeline: common.timeline, from: before.end };
}

function earlier(a: Lsn | null, b: Lsn | null): Lsn | null {
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
}
