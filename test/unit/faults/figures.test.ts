import { describe, expect, it } from "vitest";
import {
  computeFigures,
  findSharedMoments,
  measureOverlap,
  type Acknowledgement,
} from "../../faults/figures.js";

/** Rows of a node, one every 20 ms, each acknowledged after 5 ms. */
const rowsOf = (node: string, fromMs: number, toMs: number): readonly Acknowledgement[] =>
  Array.from({ length: (toMs - fromMs) / 20 + 1 }, (_, index) => {
    const sentMs = fromMs + 20 * index;
    return { row: sentMs, node, sentMs, atMs: sentMs + 5 };
  });

/** Sent at the moment of a freeze, acknowledged when the server thawed. */
const late: Acknowledgement = { row: 1001, node: "n1", sentMs: 1001, atMs: 31_000 };

describe("measureOverlap", () => {
  it.each([
    { title: "one after the other", rows: [...rowsOf("n1", 0, 1000), ...rowsOf("n2", 1020, 2000)], ms: 0 },
    { title: "for 400 ms both", rows: [...rowsOf("n1", 0, 1000), ...rowsOf("n2", 600, 2000)], ms: 400 },
    {
      title: "one row of the first while the second is at it",
      rows: [...rowsOf("n1", 0, 1000), ...rowsOf("n2", 3000, 9000), ...rowsOf("n1", 6010, 6010)],
      ms: 1,
    },
    {
      title: "a row of before, acknowledged late",
      rows: [...rowsOf("n1", 0, 1000), ...rowsOf("n2", 3000, 40_000), late],
      ms: 0,
    },
  ])("measures $title: $ms ms", ({ rows, ms }) => {
    expect(measureOverlap(rows, 0)).toBe(ms);
  });

  it("leaves out what was before", () => {
    const rows = [...rowsOf("n1", 0, 1000), ...rowsOf("n2", 600, 2000)];
    expect(measureOverlap(rows, 800)).toBe(200);
    expect(measureOverlap(rows, 1010)).toBe(0);
  });
});

describe("findSharedMoments", () => {
  it("finds rows of two servers that were sent less than so far apart", () => {
    const rows = [...rowsOf("n1", 0, 1000), ...rowsOf("n2", 1150, 2000)];
    expect(findSharedMoments(rows, 150)).toEqual([]);
    expect(findSharedMoments(rows, 151).map((pair) => pair.map(({ node }) => node))).toEqual([["n1", "n2"]]);
    expect(findSharedMoments([...rowsOf("n1", 0, 1000), ...rowsOf("n2", 3000, 40_000), late], 150)).toEqual(
      [],
    );
  });
});

describe("computeFigures", () => {
  it("counts the longest pause, and the rows that are missing by the server that acknowledged them", () => {
    const acknowledgements = [...rowsOf("n1", 0, 1000), ...rowsOf("n2", 3000, 3400)];
    const kept = new Set(acknowledgements.map(({ row }) => row).filter((row) => row < 980 || row > 3000));
    expect(computeFigures({ acknowledgements, endMs: 5000, kept })).toEqual({
      acknowledged: 72,
      outageMs: 2000,
      missing: { n1: 2, n2: 1 },
      overlapMs: 0,
    });
  });
});
