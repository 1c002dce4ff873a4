import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Lsn } from "../model/lsn.js";
import { readFilePiece } from "../system/directories.js";
import { DatabaseError } from "../errors/database-error.js";
import type { Database } from "./database.js";

/** Where a timeline began, and how far both servers have written it at least. */
export interface WalBeginning {
  readonly timeline: number;
  readonly from: Lsn;
  readonly to: Lsn;
}

/** More than enough: the first record of a timeline has the time of the promotion in it. */
const COMPARED_BYTES = 8192n;

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
    const [row] = await target.query<{ size: string }>(
      "SELECT pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_segment_size'))::text AS size",
    );
    const segmentSize = BigInt(row?.size ?? "0");
    if (segmentSize === 0n) return null;
    const offset = from % segmentSize;
    const length = [COMPARED_BYTES, to - from, segmentSize - offset].reduce((a, b) => (b < a ? b : a));
    if (length <= 0n) return null;
    const path = `pg_wal/${nameOfSegment(timeline, from / segmentSize, segmentSize)}`;
    const here = await readFilePiece(join(dataDirectory, path), Number(offset), Number(length));
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

function nameOfSegment(timeline: number, segment: bigint, segmentSize: bigint): string {
  const perFile = 0x100000000n / segmentSize;
  const hex = (value: bigint): string => value.toString(16).toUpperCase().padStart(8, "0");
  return `${hex(BigInt(timeline))}${hex(segment / perFile)}${hex(segment % perFile)}`;
}
