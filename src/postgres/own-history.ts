import { join } from "node:path";
import { parseTimelineHistory, type TimelineHistory } from "../model/timeline.js";
import { readFileIfThere } from "../system/directories.js";

/** The history of a timeline from the data directory of this host; null when it cannot be read. */
export async function readOwnHistory(
  dataDirectory: string,
  timeline: number,
): Promise<TimelineHistory | null> {
  const name = `${timeline.toString(16).toUpperCase().padStart(8, "0")}.history`;
  const text = await readFileIfThere(join(dataDirectory, "pg_wal", name), "utf8").catch(() => null);
  return text === null ? null : parseTimelineHistory(text);
}
