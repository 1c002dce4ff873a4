/** A position in the write-ahead log, in bytes from its beginning. */
export type Lsn = bigint & { readonly __brand: "Lsn" };

/** Reads PostgreSQL's `X/X` form; throws RangeError on anything else. */
export function parseLsn(text: string): Lsn {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text);
  if (match === null) throw new RangeError(`not an LSN: "${text}"`);
  return ((BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`)) as Lsn;
}

/** A WAL page and its header; the first one of a segment, which has at least this size, has a longer header. */
const PAGE = { bytes: 8192n, header: 24n };
const SMALLEST_SEGMENT = { bytes: 1n << 20n, header: 40n };

/**
 * Where the last record ends before this position. Where that is the end of a page, PostgreSQL says so as the beginning
 * of the next one, or behind its header when it is asked where it inserts, as pg_rewind does.
 */
export function endOfRecord(lsn: Lsn): Lsn {
  const header = [PAGE, SMALLEST_SEGMENT].find(({ bytes, header }) => lsn % bytes === header)?.header ?? 0n;
  return (lsn - header) as Lsn;
}

/** Writes an LSN the way PostgreSQL does, `0/3000D78`. */
export function formatLsn(lsn: Lsn): string {
  const high = (lsn >> 32n).toString(16).toUpperCase();
  const low = (lsn & 0xffffffffn).toString(16).toUpperCase();
  return `${high}/${low}`;
}
