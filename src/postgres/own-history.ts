import { join } from "node:path";
import type { Lsn } from "../model/lsn.js";
import { findForkPoint, parseTimelineHistory, type TimelineHistory } from "../model/timeline.js";
import { listRegularFiles, readFileIfThere } from "../system/directories.js";

/** The history of a timeline from the data directory of this host; null when it cannot be read. */
export async function readOwnHistory(
  dataDirectory: string,
  timeline: number,
): Promise<TimelineHistory | null> {
  const name = `${timeline.toString(16).toUpperCase().padStart(8, "0")}.history`;
  const text = await readFileIfThere(join(dataDirectory, "pg_wal", name), "utf8").catch(() => null);
  return text === null ? null : parseTimelineHistory(text);
}

/**
 * The timeline that a stopped server wrote last: it may have been promoted after its last checkpoint. A history alone
 * may have come from another node, so WAL of that timeline must be here too.
 */
export async function findNewestTimeline(
  dataDirectory: string,
  { timeline, lsn }: { readonly timeline: number; readonly lsn: Lsn },
): Promise<number> {
  const names = (await listRegularFiles(join(dataDirectory, "pg_wal"))) ?? [];
  const withWal = new Set(names.flatMap((name) => /^([0-9A-F]{8})[0-9A-F]{16}$/.exec(name)?.[1] ?? []));
  const later = [...withWal]
    .map((hex) => Number.parseInt(hex, 16))
    .filter((number) => number > timeline)
    .sort((a, b) => b - a);
  for (const number of later) {
    const fork = findForkPoint((await readOwnHistory(dataDirectory, number)) ?? [], timeline);
    if (fork !== null && lsn < fork) return number;
  }
  return timeline;
}
