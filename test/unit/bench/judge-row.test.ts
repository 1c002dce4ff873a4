import { describe, expect, it } from "vitest";
import { judgeRow, type Measurement } from "../../../bench/judge-row.js";
import type { Limit, Row } from "../../../bench/rows.js";

const row = (limit: Limit): Row => ({ title: "clone", measurement: "clone", unit: "ms", limit });

const measured = (ours: readonly number[], reference?: readonly number[]): Measurement => ({
  kind: "measured",
  samples: { ours, ...(reference === undefined ? {} : { reference }) },
});

describe("judgeRow", () => {
  it.each([
    { title: "at the limit", ours: [120], factor: 1.2, extra: 0, kind: "met" },
    { title: "over it", ours: [121], factor: 1.2, extra: 0, kind: "missed" },
    { title: "over it by less than the extra", ours: [130], factor: 1.2, extra: 10, kind: "met" },
    { title: "over it by more than the extra", ours: [131], factor: 1.2, extra: 10, kind: "missed" },
    { title: "over it in one run of three", ours: [500, 110, 111], factor: 1.2, extra: 0, kind: "met" },
    { title: "under it in one run of three", ours: [1, 130, 131], factor: 1.2, extra: 0, kind: "missed" },
  ])("judges a median $title as $kind", ({ ours, factor, extra, kind }) => {
    const verdict = judgeRow(row({ base: "reference", factor, extra }), measured(ours, [90, 100, 1000]));
    expect(verdict.kind).toBe(kind);
  });

  it("tells the ratio of the medians and the greatest value that is no miss", () => {
    const verdict = judgeRow(row({ base: "reference", factor: 0.5, extra: 10 }), measured([30], [100]));
    expect(verdict).toMatchObject({ kind: "met", ratio: 0.3, atMost: 60 });
  });

  it.each([
    { peak: 90, kind: "met" },
    { peak: 90.1, kind: "missed" },
  ])("compares with a fixed value where there is no other program: $peak is $kind", ({ peak, kind }) => {
    const verdict = judgeRow(row({ base: null, factor: 0, extra: 90 }), measured([peak]));
    expect(verdict).toMatchObject({ kind, base: null, ratio: null });
  });

  it("skips what was not measured, with the reason", () => {
    const limit: Limit = { base: "reference", factor: 1, extra: 0 };
    expect(judgeRow(row(limit), { kind: "skipped", reason: "not installed" })).toEqual({
      kind: "skipped",
      reason: "not installed",
    });
    expect(judgeRow(row(limit), measured([1]))).toMatchObject({ kind: "skipped" });
  });
});
