import { parseLsn, type Lsn } from "./lsn.js";

/** A timeline that ended, and where its successor in this history branched off. */
export interface TimelineEnd {
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
