import { describe, expect, it } from "vitest";
import { haveSamePromotion, isAhead, judgeAttach, type AttachFacts } from "../../../src/decide/attach.js";
import { parseLsn } from "../../../src/model/lsn.js";
import { nodeId } from "../../../src/model/node-record.js";
import { parseTimelineHistory } from "../../../src/model/timeline.js";

const position = (
  id: number,
  timeline: number,
  lsn: string,
  systemIdentifier = "7000",
): AttachFacts["local"] => ({
  nodeId: nodeId(id),
  timeline,
  lsn: parseLsn(lsn),
  systemIdentifier,
});

const historyOf3 = parseTimelineHistory("1\t0/3000000\tno recovery target specified\n\n2\t0/5000000\tx\n");

describe("judgeAttach", () => {
  it.each<[string, AttachFacts["local"], AttachFacts["target"], string]>([
    ["behind on the same timeline", position(1, 3, "0/6000000"), position(2, 3, "0/6000028"), "can-attach"],
    ["level on the same timeline", position(1, 3, "0/6000000"), position(2, 3, "0/6000000"), "can-attach"],
    ["a page header further", position(1, 3, "0/6002018"), position(2, 3, "0/6002000"), "can-attach"],
    [
      "the header of a segment further",
      position(1, 3, "0/7000028"),
      position(2, 3, "0/7000000"),
      "can-attach",
    ],
    ["16 bytes of a record further", position(1, 3, "0/7002028"), position(2, 3, "0/7002000"), "impossible"],
    ["a page header beyond the fork", position(1, 2, "0/5000018"), position(2, 3, "0/6000000"), "can-attach"],
    [
      "ahead by a page and its header",
      position(1, 3, "0/6004018"),
      position(2, 3, "0/6002000"),
      "impossible",
    ],
    ["ahead on the same timeline", position(1, 3, "0/6000030"), position(2, 3, "0/6000000"), "impossible"],
    ["on the parent, up to the fork", position(1, 2, "0/5000000"), position(2, 3, "0/6000000"), "can-attach"],
    ["on the parent, beyond the fork", position(1, 2, "0/5000001"), position(2, 3, "0/6000000"), "diverged"],
    [
      "on the grandparent, before its fork",
      position(1, 1, "0/2FFFFFF"),
      position(2, 3, "0/6000000"),
      "can-attach",
    ],
    [
      "on the grandparent, beyond its fork",
      position(1, 1, "0/4000000"),
      position(2, 3, "0/6000000"),
      "diverged",
    ],
    [
      "on a later timeline than the target",
      position(1, 4, "0/2000000"),
      position(2, 3, "0/6000000"),
      "impossible",
    ],
    ["of another cluster", position(1, 3, "0/1", "8000"), position(2, 3, "0/2"), "impossible"],
  ])("judges a node %s", (_case, local, target, expected) => {
    expect(
      judgeAttach({ local, target, targetHistory: historyOf3, sharesTimeline: null }, "follow").kind,
    ).toBe(expected);
  });

  it("refuses a timeline that the target's history does not know", () => {
    const history = parseTimelineHistory("1\t0/3000000\tx\n");
    const verdict = judgeAttach(
      {
        local: position(1, 2, "0/3000000"),
        target: position(2, 3, "0/6000000"),
        targetHistory: history,
        sharesTimeline: null,
      },
      "rejoin",
    );
    expect(verdict.kind === "impossible" && verdict.problem.detail).toContain("its history is: 1, 3");
  });

  it.each([
    ["rejoin", "use --force-rewind"],
    ["follow", '"node rejoin --force-rewind"'],
  ] as const)("names the way out of a divergence for %s", (purpose, hint) => {
    const verdict = judgeAttach(
      {
        local: position(1, 2, "0/5000001"),
        target: position(2, 3, "0/6000000"),
        targetHistory: historyOf3,
        sharesTimeline: null,
      },
      purpose,
    );
    expect(verdict.kind === "diverged" && verdict.problem.hint).toContain(hint);
  });
});

describe("isAhead", () => {
  it.each([
    ["more of the same timeline", position(1, 3, "0/6002030"), true],
    ["a page header more", position(1, 3, "0/6002018"), false],
    ["more of another timeline", position(1, 2, "0/7000000"), false],
    ["more in another cluster", position(1, 3, "0/7000000", "8000"), false],
  ])("judges a node with %s", (_case, local, expected) => {
    expect(isAhead({ local, target: position(2, 3, "0/6002000") })).toBe(expected);
  });
});

describe("haveSamePromotion", () => {
  const by = (node: number, timeline = 2) => ({
    term: 2,
    node: nodeId(node),
    timeline,
    forkLsn: parseLsn("0/5"),
  });
  it.each([
    ["the same one", [by(2)], [by(2)], true],
    ["another node's", [by(2)], [by(3)], false],
    ["one of another timeline", [by(2)], [by(3, 3)], null],
    ["none", [], [by(3)], null],
  ])("makes of %s: %#", (_what, local, target, expected) => {
    expect(haveSamePromotion(2, local, target)).toBe(expected);
  });
});

describe("parseTimelineHistory", () => {
  it("reads PostgreSQL's form, with comments and empty lines", () => {
    expect(parseTimelineHistory("# made by hand\n1 0/3000000 reason with blanks\n")).toEqual([
      { timeline: 1, end: parseLsn("0/3000000") },
    ]);
    expect(parseTimelineHistory("")).toEqual([]);
  });

  it("refuses anything else", () => {
    expect(() => parseTimelineHistory("one 0/3000000")).toThrow(RangeError);
  });
});
