import type { Lsn } from "./lsn.js";

const PAGE_BYTES = 8192;
/** Every page of WAL begins with a header; that of the first page of a segment is longer. */
const PAGE_HEADER_BYTES = 24;
const SEGMENT_HEADER_BYTES = 40;
const RECORD_HEADER_BYTES = 24;
/** PostgreSQL's XLogRecordMaxSize. */
const LONGEST_RECORD_BYTES = 1020 * 1024 * 1024;
/** The continuation of a record from the page before stands first on this page. */
const FIRST_IS_CONTRECORD = 0x0001;

/** Where the first record stands that begins at or after `lsn`, which may be the beginning of a page. */
export function beginningOfRecord(lsn: Lsn, segmentBytes: number): Lsn {
  if (lsn % BigInt(PAGE_BYTES) !== 0n) return lsn;
  const header = lsn % BigInt(segmentBytes) === 0n ? SEGMENT_HEADER_BYTES : PAGE_HEADER_BYTES;
  return (lsn + BigInt(header)) as Lsn;
}

/** A place in the log of one timeline. */
export interface WalPosition {
  readonly timeline: number;
  readonly lsn: Lsn;
  /** Of a segment of the log. */
  readonly segmentBytes: number;
}

/** The part of a record that stands in the segment behind the one in which it begins. */
export interface Continuation {
  /** The first page of that segment. */
  readonly page: Lsn;
  readonly bytes: number;
}

/** Whether a page, by its header, is the one of this position: segments are used again with what is in them. */
export function isPageOf(header: Buffer, lsn: Lsn): boolean {
  return header.readBigUInt64LE(8) === lsn - (lsn % BigInt(PAGE_BYTES));
}

/**
 * What a record that begins at `lsn` has in the next segment, by the bytes that are there (up to the end of the page at
 * least); null when it ends before, or they are no header of a record: anything may stand behind the end of the log.
 */
export function findContinuation(lsn: Lsn, bytes: Buffer, segmentBytes: number): Continuation | null {
  const length = bytes.readUInt32LE(0);
  if (length < RECORD_HEADER_BYTES || length > LONGEST_RECORD_BYTES) return null;
  if (bytes.length >= RECORD_HEADER_BYTES && !isRecordHeader(lsn, bytes)) return null;
  const end = lsn - (lsn % BigInt(segmentBytes)) + BigInt(segmentBytes);
  let rest = length;
  for (let at: bigint = lsn; at < end;) {
    const room = PAGE_BYTES - Number(at % BigInt(PAGE_BYTES));
    if (rest <= room) return null;
    rest -= room;
    at += BigInt(room + PAGE_HEADER_BYTES);
  }
  return { page: end as Lsn, bytes: rest };
}

/** A header names the record before it, and has two bytes that are always zero. */
function isRecordHeader(lsn: Lsn, bytes: Buffer): boolean {
  const previous = bytes.readBigUInt64LE(8);
  const isNear = previous < lsn && lsn - previous <= 2n * BigInt(LONGEST_RECORD_BYTES);
  return isNear && bytes.readUInt16LE(18) === 0;
}

/** Whether a page, by its header, goes on with exactly this record. */
export function isContinuedOn(header: Buffer, { page, bytes }: Continuation): boolean {
  return (
    (header.readUInt16LE(2) & FIRST_IS_CONTRECORD) !== 0 &&
    isPageOf(header, page) &&
    header.readUInt32LE(16) === bytes
  );
}
