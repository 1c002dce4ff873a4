import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Lsn } from "../model/lsn.js";
import { readFilePiece } from "../system/directories.js";
import { DatabaseError } from "../errors/database-error.js";
import type { Database } from "./database.js";
import { locateInWal, readSegmentSize } from "./wal-segments.js";

/** Where a timeline began, and how far both servers have written it at least. */
export interface WalBeginning {
  readonly timeline: number;
  readonly from: Lsn;
  readonly to: Lsn;
}

/** More than enough: the first record of a timeline has the time of the promotion in it. */
const COMPARED_BYTES = 8192;

/**
 * Whether the WAL of a timeline begins with the same bytes in this data directory and on the target; null where that
 * cannot be read: the files are gone, or the role may not read files of the server.
 */
export async function beginsAlike(
  dataDirectory: string,
  target: Database,
  { timeline, from, to }: WalBeginning,
): Promise<boolean | null> {
  try {
    const segmentBytes = await readSegmentSize(target);
    if (segmentBytes === 0) return null;
    const { path, offset } = locateInWal({ timeline, lsn: from, segmentBytes });
    const length = [COMPARED_BYTES, Number(to - from), segmentBytes - offset].reduce((a, b) =>
      Math.min(a, b),
    );
    if (length <= 0) return null;
    const here = await readFilePiece(join(dataDirectory, path), offset, length);
    const [there] = await target.query<{ sum: string | null }>(
      "SELECT pg_catalog.md5(pg_catalog.pg_read_binary_file($1, $2, $3, true)) AS sum",
      [path, offset.toString(), length.toString()],
    );
    if (here === null || typeof there?.sum !== "string") return null;
    return createHash("md5").update(here).digest("hex") === there.sum;
  } catch (error) {
    if (error instanceof DatabaseError) return null;
    throw error;
  }
}
