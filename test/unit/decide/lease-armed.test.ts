import { describe, expect, it } from "vitest";
import { judgeLeaseArmed, type LeaseFacts } from "../../../src/decide/lease-armed.js";
import { nodeId } from "../../../src/model/node-record.js";

const member = (id: number): LeaseFacts["members"][number] => ({
  nodeId: nodeId(id),
  type: id === 1 ? "primary" : "standby",
  upstreamNodeId: id === 1 ? null : nodeId(1),
  active: true,
  priority: 100,
  location: "default",
});
const lease = { guard: "session", goodForMs: 4000 } as const;
const primary = { name: 'node "n1" (ID: 1)', isPaused: false, lease };
const facts: LeaseFacts = { members: [1, 2, 3].map(member), timeoutMs: 5000, primary };

describe("judgeLeaseArmed", () => {
  it.each<[string, Partial<LeaseFacts>, readonly string[]]>([
    ["a guard that was kicked in time", {}, []],
    ["a process as guard", { primary: { ...primary, lease: { ...lease, guard: "process" } } }, []],
    ["no primary", { primary: null }, ["no primary answers"]],
    [
      "two nodes",
      { members: [1, 2].map(member) },
      ["two nodes have no majority without each other; a witness would help"],
    ],
    ["a pause", { primary: { ...primary, isPaused: true } }, ['paused: node "n1" (ID: 1)']],
    [
      "no daemon",
      { primary: { ...primary, lease: null } },
      ['no daemon renews the lease of node "n1" (ID: 1)'],
    ],
    [
      "a daemon that is frozen",
      { primary: { ...primary, lease: { ...lease, goodForMs: -1 } } },
      ['the lease of node "n1" (ID: 1) has run out: its daemon is dead or frozen'],
    ],
    [
      "no guard",
      { primary: { ...primary, lease: { ...lease, guard: "none" } } },
      ['nothing stops node "n1" (ID: 1) while its daemon is dead or frozen: see "primary_fence_guard"'],
    ],
  ])("of %s", (_, changed, reasons) => {
    expect(judgeLeaseArmed({ ...facts, ...changed })).toEqual({ isArmed: reasons.length === 0, reasons });
  });

  it("says nothing where there is no lease", () => {
    expect(judgeLeaseArmed({ ...facts, timeoutMs: null })).toBeNull();
  });
});
