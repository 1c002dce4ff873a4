import type { Row, Side } from "./rows.js";
import { summarize, type Summary } from "./statistics.js";

/** The samples of each side in the order in which they were taken, or why there are none. */
export type Measurement =
  | { readonly kind: "measured"; readonly samples: Readonly<Partial<Record<Side, readonly number[]>>> }
  | { readonly kind: "skipped"; readonly reason: string };

export type Verdict =
  | { readonly kind: "skipped"; readonly reason: string }
  | {
      readonly kind: "met" | "missed";
      readonly ours: Summary;
      /** Null for a limit that does not depend on another program. */
      readonly base: Summary | null;
      /** Of the medians. */
      readonly ratio: number | null;
      /** The greatest median of ours that is not a miss. */
      readonly atMost: number;
    };

/** Compares medians: a single slow run on a busy machine decides nothing. */
export function judgeRow({ limit }: Row, measurement: Measurement): Verdict {
  if (measurement.kind === "skipped") return measurement;
  const { samples } = measurement;
  const ours = summarize(samples.ours ?? []);
  if (limit.base === null) {
    return {
      kind: ours.median <= limit.extra ? "met" : "missed",
      ours,
      base: null,
      ratio: null,
      atMost: limit.extra,
    };
  }
  const baseSamples = samples[limit.base];
  if (baseSamples === undefined) return { kind: "skipped", reason: `${limit.base} was not measured` };
  const base = summarize(baseSamples);
  const atMost = limit.factor * base.median + limit.extra;
  return {
    kind: ours.median <= atMost ? "met" : "missed",
    ours,
    base,
    ratio: ours.median / base.median,
    atMost,
  };
}
