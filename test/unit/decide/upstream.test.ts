import { describe, expect, it } from "vitest";
import { judgeUpstreamSlot, type UpstreamCandidate } from "../../../src/decide/upstream.js";
import { nodeId } from "../../../src/model/node-record.js";
import { nodeRecord } from "../../builders/node-record.js";

const target = (changes: Partial<UpstreamCandidate> = {}): UpstreamCandidate => ({
  record: nodeRecord({ id: 1 }),
  conninfo: new Map(),
  attachment: { attached: true, state: "streaming" },
  slot: { isPhysical: true, isActive: true },
  usedSlots: 1,
  maxSlots: 10,
  slotCreator: null,
  ...changes,
});
const recordBelow = (upstream: number) => nodeRecord({ id: 3, upstreamNodeId: nodeId(upstream) });

describe("judgeUpstreamSlot", () => {
  it.each([
    ["takes the slot of its recorded upstream", recordBelow(1), target(), false, []],
    [
      "refuses one through which a stranger streams",
      recordBelow(2),
      target(),
      false,
      ['slot "repmgr_slot_3" already exists as an active slot'],
    ],
    ["takes it when a killed run has configured this node for it", recordBelow(2), target(), true, []],
    [
      "refuses it when this node is configured for it but another one is attached",
      recordBelow(2),
      target({ attachment: { attached: false, state: null } }),
      true,
      ['slot "repmgr_slot_3" already exists as an active slot'],
    ],
  ])("%s", (_case, own, candidate, isConfigured, expected) => {
    const problems = judgeUpstreamSlot(
      { own, target: candidate, isConfigured, purpose: "follow" },
      "repmgr_slot_3",
    );
    expect(problems.map(({ message }) => message)).toEqual(expected);
  });
});
