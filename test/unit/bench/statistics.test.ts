import { describe, expect, it } from "vitest";
import { summarize } from "../../../bench/statistics.js";

describe("summarize", () => {
  it.each([
    { samples: [7], median: 7, minimum: 7, maximum: 7 },
    { samples: [10, 2, 30], median: 10, minimum: 2, maximum: 30 },
    { samples: [4, 1, 3, 2], median: 2.5, minimum: 1, maximum: 4 },
  ])("finds the middle and the ends of $samples", ({ samples, ...expected }) => {
    expect(summarize(samples)).toEqual({ ...expected, sampleSize: samples.length });
  });

  it("refuses to summarize nothing", () => {
    expect(() => summarize([])).toThrow(RangeError);
  });
});
