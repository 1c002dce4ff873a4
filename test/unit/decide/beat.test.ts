import { describe, expect, it } from "vitest";
import { untilBeatMs } from "../../../src/decide/beat.js";

describe("untilBeatMs", () => {
  it.each([
    { title: "the rest of its second", everyMs: 1000, nowMs: 5300, expected: 700 },
    { title: "the same moment, for what was begun at another one", everyMs: 500, nowMs: 5300, expected: 200 },
    { title: "a whole pace on the beat", everyMs: 1000, nowMs: 6000, expected: 1000 },
    { title: "the beat after, when a timer was early", everyMs: 1000, nowMs: 5999.6, expected: 1001 },
    { title: "little when a turn took long", everyMs: 1000, nowMs: 5940, expected: 60 },
    { title: "its own pace for what is fast", everyMs: 100, nowMs: 5930, expected: 100 },
  ])("is $title: $expected ms", ({ everyMs, nowMs, expected }) => {
    expect(untilBeatMs(everyMs, nowMs)).toBe(expected);
  });
});
