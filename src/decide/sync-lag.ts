import type { Lsn } from "../model/lsn.js";
import type { NodeId } from "../model/node-record.js";
import { findSender, type SyncFacts } from "./sync-set.js";

/** How far the standbys have come with what the log held at earlier looks. */
export interface LagRecord {
  /** Where the log ended, oldest first; times by the own monotonic clock, in milliseconds. */
  readonly marks: readonly { readonly at: number; readonly lsn: Lsn }[];
  readonly reached: ReadonlyMap<NodeId, Lsn>;
}

export const noLag: LagRecord = { marks: [], reached: new Map() };

export function followLag(
  { marks, reached }: LagRecord,
  facts: Pick<SyncFacts, "nodes" | "senders" | "unsound" | "lsn">,
  { now, keepMs }: { readonly now: number; readonly keepMs: number },
): LagRecord {
  const flushed = facts.nodes.flatMap((node): [NodeId, Lsn][] => {
    const lsn = findSender(facts, node)?.flushLsn ?? null;
    return lsn === null ? [] : [[node.nodeId, lsn]];
  });
  const young = marks.filter(({ at }) => now - at <= keepMs);
  // One that is too old still says that somebody is late; without it the bound would move on with the time.
  const kept = young.length < marks.length ? marks.slice(marks.length - young.length - 1) : young;
  return { marks: [...kept, { at: now, lsn: facts.lsn }], reached: new Map([...reached, ...flushed]) };
}

/**
 * For how long each node has not had all that was there, in milliseconds. What is counted is the age of the oldest mark
 * that it has not reached, so that the time in which nobody looked is not held against it.
 */
export function measureLag(
  { marks, reached }: LagRecord,
  nodes: readonly NodeId[],
  now: number,
): Map<NodeId, number> {
  return new Map(
    nodes.map((id) => {
      const lsn = reached.get(id);
      const missed = marks.find((mark) => lsn === undefined || mark.lsn > lsn);
      return [id, missed === undefined ? 0 : now - missed.at];
    }),
  );
}
