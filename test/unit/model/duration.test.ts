import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  durationUnits,
  formatDuration,
  formatDurationIn,
  parseDuration,
} from "../../../src/model/duration.js";

describe("parseDuration", () => {
  it.each([
    ["7", 7000],
    ["0", 0],
    ["+5", 5000],
    ["200ms", 200],
    ["5s", 5000],
    ["2min", 120_000],
    ["5 min", 300_000],
    ["1h", 3_600_000],
    ["1d", 86_400_000],
  ])("reads %j as %d ms when a bare number counts seconds", (text, ms) => {
    expect(parseDuration(text, "s")).toBe(ms);
  });

  it("counts a bare number in the unit that it is told", () => {
    expect(parseDuration("7", "ms")).toBe(7);
  });

  it.each(["", "s", "-1", "1.5s", "5m", "5 parsecs", "10S", "1h30min", "0x10"])("refuses %j", (text) => {
    expect(parseDuration(text, "s")).toBeNull();
  });
});

describe("formatDuration", () => {
  it("writes what parseDuration reads back", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 40 }), fc.constantFrom(...durationUnits), (ms, unit) => {
        expect(parseDuration(formatDuration(ms), unit)).toBe(ms);
        expect(parseDuration(formatDurationIn(ms, unit), unit)).toBe(ms);
      }),
    );
  });

  it("takes the largest unit that is exact", () => {
    expect([0, 90_000, 120_000, 86_400_000, 1].map(formatDuration)).toEqual([
      "0s",
      "90s",
      "2min",
      "1d",
      "1ms",
    ]);
  });
});
