/** A row whose commit a server acknowledged; the times are those of the load. */
export interface Acknowledgement {
  readonly row: number;
  readonly node: string;
  /** When it was sent to the server, which had not yet seen it. */
  readonly sentMs: number;
  /** When its acknowledgement was there. */
  readonly atMs: number;
}

export interface Figures {
  readonly acknowledged: number;
  /** The longest time without an acknowledgement by any server, up to the end. */
  readonly outageMs: number;
  /** Acknowledged rows that the final primary lacks, by the server that acknowledged them. */
  readonly missing: Readonly<Record<string, number>>;
  /** How long two servers took rows that they acknowledged; at least 1 when one did while another one was at it. */
  readonly overlapMs: number;
}

interface Facts {
  readonly acknowledgements: readonly Acknowledgement[];
  readonly endMs: number;
  /** Rows of the final primary. */
  readonly kept: ReadonlySet<number>;
}

/** A server that has been silent for so long has begun anew. */
const SILENCE_MS = 1000;

export function computeFigures({ acknowledgements, endMs, kept }: Facts): Figures {
  const sorted = acknowledgements.toSorted((one, other) => one.atMs - other.atMs);
  const missing: Record<string, number> = {};
  for (const { row, node } of sorted) if (!kept.has(row)) missing[node] = (missing[node] ?? 0) + 1;
  return {
    acknowledged: sorted.length,
    outageMs: findLongestSilence([...sorted.map(({ atMs }) => atMs), endMs]),
    missing,
    overlapMs: measureOverlap(acknowledgements, 0),
  };
}

/** The longest pause between two of these moments, which are in order. */
export function findLongestSilence(times: readonly number[]): number {
  let longest = 0;
  let last = times[0] ?? 0;
  for (const time of times) {
    longest = Math.max(longest, time - last);
    last = time;
  }
  return Math.round(longest);
}

interface Span {
  readonly node: string;
  readonly fromMs: number;
  toMs: number;
}

/**
 * How long after `sinceMs` two servers were sent rows that they acknowledged. A row counts when it was sent: a commit
 * that was under way when the primary was frozen is answered when that thaws, and only whether it is kept tells more.
 */
export function measureOverlap(acknowledgements: readonly Acknowledgement[], sinceMs: number): number {
  const spans: Span[] = [];
  for (const { node, sentMs } of sortBySending(acknowledgements)) {
    if (sentMs < sinceMs) continue;
    const last = spans.findLast((span) => span.node === node);
    if (last !== undefined && sentMs - last.toMs <= SILENCE_MS) last.toMs = sentMs;
    else spans.push({ node, fromMs: sentMs, toMs: sentMs });
  }
  let overlapMs = 0;
  spans.forEach((one, index) => {
    for (const other of spans.slice(index + 1)) {
      if (other.node === one.node) continue;
      const [fromMs, toMs] = [Math.max(one.fromMs, other.fromMs), Math.min(one.toMs, other.toMs)];
      if (fromMs <= toMs) overlapMs += Math.max(1, toMs - fromMs);
    }
  });
  return Math.round(overlapMs);
}

/** Acknowledged neighbours in time that were sent to two servers, less than so many milliseconds apart. */
export function findSharedMoments(
  acknowledgements: readonly Acknowledgement[],
  withinMs: number,
): readonly (readonly [Acknowledgement, Acknowledgement])[] {
  const sorted = sortBySending(acknowledgements);
  return sorted.flatMap((one, index) => {
    const next = sorted[index + 1];
    return next !== undefined && next.node !== one.node && next.sentMs - one.sentMs < withinMs
      ? [[one, next] as const]
      : [];
  });
}

const sortBySending = (acknowledgements: readonly Acknowledgement[]): readonly Acknowledgement[] =>
  acknowledgements.toSorted((one, other) => one.sentMs - other.sentMs);
