import { join } from "node:path";
import type { WalPosition } from "../model/wal-record.js";
import type { Database } from "./database.js";

/** The file that has the position in it, and where. */
export function locateInWal({ timeline, lsn, segmentBytes }: WalPosition): {
  /** Below the data directory. */
  readonly path: string;
  readonly offset: number;
} {
  const size = BigInt(segmentBytes);
  const perFile = 0x100000000n / size;
  const segment = lsn / size;
  const hex = (value: bigint): string => value.toString(16).toUpperCase().padStart(8, "0");
  const name = `${hex(BigInt(timeline))}${hex(segment / perFile)}${hex(segment % perFile)}`;
  return { path: join("pg_wal", name), offset: Number(lsn % size) };
}

/** In bytes. Throws DatabaseError. */
export async function readSegmentSize(database: Database): Promise<number> {
  const [row] = await database.query<{ size: number }>(
    "SELECT pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_segment_size'))::integer AS size",
  );
  return row?.size ?? 0;
}
