import { describe, expect, it } from "vitest";
import { chooseQuorumRule, couldPromoteUnseen, hasMajority } from "../../../src/decide/quorum.js";
import type { Member } from "../../../src/model/member-report.js";
import { nodeId } from "../../../src/model/node-record.js";

/** `ppW`: each letter a node, in capitals for a witness; ids from 1. */
function membersOf(letters: string): readonly Member[] {
  return Array.from(letters).map((letter, index) => ({
    nodeId: nodeId(index + 1),
    type: letter === "W" ? "witness" : index === 0 ? "primary" : "standby",
    upstreamNodeId: index === 0 ? null : nodeId(1),
    active: index % 2 === 0,
    priority: 100,
    location: "default",
  }));
}

describe("hasMajority", () => {
  it.each([
    ["dd", [2], false],
    ["ddW", [2], false],
    ["ddW", [2, 3], true],
    ["ddd", [2, 3], true],
    ["ddd", [3], false],
    ["dddW", [3, 4], true],
    ["dddW", [2, 3], false],
    ["dddd", [3, 4], false],
    ["dddd", [2, 3, 4], true],
    ["dddddW", [3, 4, 6], true],
    ["dddddW", [4, 6], false],
  ])("of %s for the votes of %j is %s, whatever is active", (letters, granting, expected) => {
    expect(hasMajority(membersOf(letters), new Set(granting.map(nodeId)))).toBe(expected);
  });

  it("does not count the node that is left out, but its weight", () => {
    const votes = new Set([1, 2].map(nodeId));
    expect(hasMajority(membersOf("ddd"), votes)).toBe(true);
    expect(hasMajority(membersOf("ddd"), votes, nodeId(1))).toBe(false);
  });
});

describe("couldPromoteUnseen", () => {
  it.each([
    ["dd", [2], "auto", false],
    ["dd", [], "auto", true],
    ["ddd", [], "auto", true],
    ["ddd", [2], "auto", false],
    ["ddd", [2], "visible", true],
    ["ddd", [2, 3], "visible", false],
    ["ddW", [2], "visible", false],
    ["ddW", [3], "auto", false],
    ["ddddd", [2], "auto", true],
    ["ddddd", [2, 3], "auto", false],
  ] as const)("of %s when node 1 hears %j, with %s, is %s", (letters, heard, quorum, expected) => {
    const answered = new Set(heard.map(nodeId));
    const settings = { failover_quorum: quorum, primary_isolation_timeout: null, sync_mode: "off" } as const;
    expect(couldPromoteUnseen(membersOf(letters), { self: nodeId(1), answered }, settings)).toBe(expected);
  });
});

describe("chooseQuorumRule", () => {
  it.each([
    ["dd", "auto", null, "off", "sight"],
    ["ddW", "auto", null, "off", "votes"],
    ["dd", "strict", null, "off", "votes"],
    ["ddd", "visible", null, "off", "sight"],
    ["ddd", "visible", 5000, "off", "votes"],
    ["dd", "auto", null, "quorum", "votes"],
  ] as const)("of %s with %s, lease %s, synchronous %s is %s", (letters, quorum, lease, sync, expected) => {
    const settings = { failover_quorum: quorum, primary_isolation_timeout: lease, sync_mode: sync };
    expect(chooseQuorumRule(membersOf(letters), settings)).toBe(expected);
  });
});
