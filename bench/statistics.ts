export interface Summary {
  readonly median: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly sampleSize: number;
}

/** Throws RangeError without samples. */
export function summarize(samples: readonly number[]): Summary {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const lower = sorted[Math.ceil(middle) - 1];
  const upper = sorted[Math.floor(middle)];
  const minimum = sorted[0];
  const maximum = sorted.at(-1);
  if (lower === undefined || upper === undefined || minimum === undefined || maximum === undefined) {
    throw new RangeError("no samples to summarize");
  }
  return { median: (lower + upper) / 2, minimum, maximum, sampleSize: sorted.length };
}
