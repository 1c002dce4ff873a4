import { describe, expect, it } from "vitest";
import {
  attemptLimitMs,
  countsAsAttempt,
  glanceLimitMs,
  glancePaceMs,
  lostAnswerLimitMs,
  usualCheckMs,
} from "../../../src/decide/check-pace.js";

describe("glancePaceMs and glanceLimitMs", () => {
  it.each([
    { monitorIntervalMs: 4000, pace: 1000, limit: 1000 },
    { monitorIntervalMs: 2000, pace: 500, limit: 500 },
    { monitorIntervalMs: 1000, pace: 500, limit: 250 },
    { monitorIntervalMs: 200, pace: 100, limit: 100 },
    { monitorIntervalMs: 50, pace: 50, limit: 50 },
  ])(
    "are $pace and $limit ms with checks every $monitorIntervalMs ms",
    ({ monitorIntervalMs, pace, limit }) => {
      expect(glancePaceMs(monitorIntervalMs)).toBe(pace);
      expect(glanceLimitMs(monitorIntervalMs)).toBe(limit);
    },
  );
});

describe("attemptLimitMs", () => {
  const usual = { usualMs: 5, reconnectIntervalMs: 1000, queryTimeoutMs: 2000 };
  it.each([
    { title: "the pause", isLast: false, facts: usual, expected: 1000 },
    {
      title: "the query's limit",
      isLast: false,
      facts: { ...usual, reconnectIntervalMs: 9000 },
      expected: 2000,
    },
    { title: "not too little", isLast: false, facts: { ...usual, reconnectIntervalMs: 100 }, expected: 500 },
    { title: "less at last", isLast: true, facts: usual, expected: 200 },
    { title: "more over a long line", isLast: true, facts: { ...usual, usualMs: 200 }, expected: 1000 },
  ])("is $title: $expected ms", ({ expected, isLast, facts }) => {
    expect(attemptLimitMs({ isLast, ...facts })).toBe(expected);
  });
});

describe("lostAnswerLimitMs", () => {
  it.each([
    { usualMs: 5, expected: 100 },
    { usualMs: 100, expected: 500 },
    { usualMs: 900, expected: 1000 },
  ])("is $expected ms where checks take $usualMs ms", ({ usualMs, expected }) => {
    expect(lostAnswerLimitMs(usualMs, 1000)).toBe(expected);
  });
});

describe("usualCheckMs", () => {
  it("follows a slow check at once, and forgets it slowly", () => {
    expect(usualCheckMs(5, 200)).toBe(200);
    expect(usualCheckMs(200, 5)).toBe(180);
  });
});

describe("countsAsAttempt", () => {
  it.each([
    { checkMs: 1000, expected: true },
    { checkMs: 999, expected: true },
    { checkMs: 400, expected: false },
  ])("a silent check of $checkMs ms with a pause of 1000 ms: $expected", ({ checkMs, expected }) => {
    expect(countsAsAttempt(checkMs, 1000)).toBe(expected);
  });
});
