import { join } from "node:path";
import {
  beginningOfRecord,
  findContinuation,
  isContinuedOn,
  isPageOf,
  type WalPosition,
} from "../model/wal-record.js";
import { overwriteFilePiece, readFilePiece } from "../system/directories.js";
import { locateInWal } from "./wal-segments.js";

const PAGE_BYTES = 8192;
const PAGE_HEADER_BYTES = 24;

/**
 * Whether the log breaks off at this position within a record that goes on in the next segment, of which not even the
 * first page is there. A standby that has come so far asks for that segment next; a primary that left the timeline at
 * this position has another record there, and the standby never streams from it ("requested starting point is not in
 * this server's history", "invalid contrecord length"). Where the log breaks off behind that page, PostgreSQL itself goes
 * back to where the record began.
 */
export async function isRecordIncomplete(dataDirectory: string, position: WalPosition): Promise<boolean> {
  const begun = await readBeginning(dataDirectory, position);
  if (begun === null) return false;
  const continuation = findContinuation(begun.lsn, begun.bytes, position.segmentBytes);
  if (continuation === null) return false;
  const next = locateInWal({ ...position, lsn: continuation.page });
  const header = await readFilePiece(join(dataDirectory, next.path), 0, PAGE_HEADER_BYTES);
  return header === null || !isContinuedOn(header, continuation);
}

/**
 * Puts zeros where that record begins, so that the log ends before it: PostgreSQL then asks for the segment in which it
 * began. Only for a server that is down. Does nothing when the record is complete; throws the file system's error.
 */
export async function eraseIncompleteRecord(dataDirectory: string, position: WalPosition): Promise<void> {
  if (!(await isRecordIncomplete(dataDirectory, position))) return;
  const begun = await readBeginning(dataDirectory, position);
  if (begun === null) return;
  const { path, offset } = locateInWal({ ...position, lsn: begun.lsn });
  await overwriteFilePiece(join(dataDirectory, path), offset, Buffer.alloc(begun.bytes.length));
}

/** From where the record begins to the end of its page; null when the log has not come to this page. */
async function readBeginning(dataDirectory: string, position: WalPosition) {
  const lsn = beginningOfRecord(position.lsn, position.segmentBytes);
  const { path, offset } = locateInWal({ ...position, lsn });
  const within = offset % PAGE_BYTES;
  const page = await readFilePiece(join(dataDirectory, path), offset - within, PAGE_BYTES);
  return page === null || !isPageOf(page, lsn) ? null : { lsn, bytes: page.subarray(within) };
}
