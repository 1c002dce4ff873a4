import type { Lsn } from "../../../src/model/lsn.js";
import type { NodeId } from "../../../src/model/node-record.js";
import type { TimelineHistory } from "../../../src/model/timeline.js";
import type { SyncState } from "../../../src/model/sync-state.js";
import type { PromotionRecord } from "../../../src/model/vote.js";

/** What one promotion began. Two of them can carry the same timeline number: PostgreSQL only counts. */
interface Branch {
  readonly timeline: number;
  readonly parent: Branch | null;
  /** Where it left its parent. */
  readonly forkAt: number;
  readonly rows: { readonly at: number; readonly row: LogRow }[];
  readonly history: TimelineHistory;
}

/** Metadata that travels in the WAL. */
export type LogRow =
  | { readonly kind: "promotion"; readonly record: PromotionRecord; readonly former: NodeId | null }
  | { readonly kind: "joined"; readonly node: NodeId }
  | { readonly kind: "sync-state"; readonly state: SyncState };

/** A server's WAL: everything of its branch, and of the branches before, up to `end`. */
export interface ModelLog {
  readonly branch: Branch;
  readonly end: number;
}

export function firstLog(): ModelLog {
  return { branch: { timeline: 1, parent: null, forkAt: 0, rows: [], history: [] }, end: 100 };
}

export function fork(log: ModelLog): ModelLog {
  const { branch, end } = log;
  const history = [...branch.history, { timeline: branch.timeline, end: BigInt(end) as Lsn }];
  return {
    branch: { timeline: branch.timeline + 1, parent: branch, forkAt: end, rows: [], history },
    end: end + 1,
  };
}

export function write(log: ModelLog, row?: LogRow): ModelLog {
  const end = log.end + 1;
  if (row !== undefined) log.branch.rows.push({ at: end, row });
  return { branch: log.branch, end };
}

/** The rows of a log, oldest first. */
export function rowsOf({ branch, end }: ModelLog): readonly LogRow[] {
  const before = branch.parent === null ? [] : rowsOf({ branch: branch.parent, end: branch.forkAt });
  if (branch.rows.length === 0) return before;
  return [...before, ...branch.rows.filter(({ at }) => at <= end).map(({ row }) => row)];
}

export function holds(log: ModelLog, entry: ModelLog): boolean {
  for (let at: ModelLog | null = log; at !== null; at = parentOf(at)) {
    if (at.branch === entry.branch) return entry.end <= at.end;
  }
  return false;
}

const parentOf = ({ branch }: ModelLog): ModelLog | null =>
  branch.parent === null ? null : { branch: branch.parent, end: branch.forkAt };

/** What a server that streams from `source` gets; by timeline numbers alone PostgreSQL lets a twin pass. */
export function streamFrom(own: ModelLog, source: ModelLog): "streams" | "cannot" | "corrupts" {
  if (holds(source, own)) return "streams";
  for (let at: ModelLog | null = source; at !== null; at = parentOf(at)) {
    if (at.branch.timeline === own.branch.timeline && at.branch !== own.branch)
      return own.end <= at.end ? "corrupts" : "cannot";
  }
  return "cannot";
}
