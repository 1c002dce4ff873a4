import { describe, expect, it } from "vitest";
import { assessNodeStatus, type NodeStatusFacts } from "../../../src/decide/node-status.js";
import { nodeRecord } from "../../builders/node-record.js";
import { primaryStatusFacts, standbyStatusFacts } from "../../builders/node-status-facts.js";

const n3 = nodeRecord({ id: 3, nodeName: "n3", slotName: "repmgr_slot_3" });
const n2 = nodeRecord({ id: 2, nodeName: "n2", slotName: "repmgr_slot_2" });

describe("assessNodeStatus", () => {
  it.each<[string, NodeStatusFacts, readonly string[]]>([
    ["a healthy primary", primaryStatusFacts(), []],
    ["a healthy standby", standbyStatusFacts(), []],
    [
      "a standby that was promoted by hand",
      standbyStatusFacts({ inRecovery: false }),
      ["role_mismatch: node is registered as standby but running as primary"],
    ],
    [
      "a primary that became a standby",
      primaryStatusFacts({ inRecovery: true }),
      ["role_mismatch: node is registered as primary but running as standby"],
    ],
    [
      "a witness in recovery",
      standbyStatusFacts({ record: nodeRecord({ id: 4, type: "witness" }) }),
      ["role_mismatch: node is registered as witness but running as standby"],
    ],
    [
      "archive_status that nobody may read",
      primaryStatusFacts({ pendingArchiving: { kind: "unreadable", path: "/x", reason: "no" } }),
      ["archive_status_unreadable: unable to check archive_status directory"],
    ],
    [
      "a standby without WAL sender and slot",
      primaryStatusFacts({ downstreams: [n2, n3] }),
      [
        "downstream_not_attached: 1 of 2 downstream nodes not attached",
        "slot_missing: replication slots missing for following 1 node(s)",
      ],
    ],
    [
      "a standby that uses no slot",
      primaryStatusFacts({ downstreams: [{ ...n3, slotName: null }], walSenders: ["n3"] }),
      [],
    ],
    [
      "slots that nobody uses",
      primaryStatusFacts({
        physicalSlots: ["zz", "repmgr_slot_2", "aa"].map((name) => ({ name, isActive: false })),
      }),
      ["slot_inactive: node has 3 inactive physical replication slots"],
    ],
    ["slots switched off", primaryStatusFacts({ maximumSlots: 0, physicalSlots: [] }), []],
  ])("%s", (_case, facts, expected) => {
    const { problems } = assessNodeStatus(facts);
    expect(problems.map(({ code, message }) => `${code}: ${message}`)).toEqual(expected);
  });

  it.each([
    ["off", false, "off"],
    ["on", false, "enabled"],
    ["on", true, "not-on-standby"],
    ["always", true, "enabled"],
  ] as const)("archive_mode=%s, in recovery %s: %s", (archiveMode, inRecovery, expected) => {
    expect(assessNodeStatus(primaryStatusFacts({ archiveMode, inRecovery })).archiving).toBe(expected);
  });

  describe("on a standby with sync_replication_slots", () => {
    const good = {
      slots: [{ name: "sub1", isSynchronised: true, invalidationReason: null }],
      isOn: true,
      isWorkerRunning: false,
      hasFeedback: true,
      hasPrimarySlot: true,
      hasDatabase: true,
    };
    it.each<[string, Partial<typeof good> | { readonly hasDatabase: null }, readonly string[] | null]>([
      ["nothing while the worker is only restarting", {}, null],
      ["nothing where primary_conninfo may not be read", { hasDatabase: null }, null],
      ["nothing where it is off", { isOn: false, hasDatabase: false }, null],
      [
        "the settings that keep slots from being synchronised",
        { hasFeedback: false, hasPrimarySlot: false, hasDatabase: false },
        [
          '"hot_standby_feedback" is off',
          '"primary_slot_name" is not set',
          '"primary_conninfo" names no database with dbname',
        ],
      ],
      [
        "a slot of its own time as primary",
        { slots: [{ name: "old", isSynchronised: false, invalidationReason: null }] },
        [`slot "old" is no copy of the upstream's: SELECT pg_drop_replication_slot('old')`],
      ],
    ])("names %s", (_case, changes, expected) => {
      const facts = standbyStatusFacts({ slotSynchronisation: { ...good, ...changes } });
      const found = assessNodeStatus(facts).problems.find(({ code }) => code === "slots_not_synchronised");
      expect(found?.items ?? null).toEqual(expected);
      expect(assessNodeStatus({ ...facts, inRecovery: false }).problems).not.toContainEqual(
        expect.objectContaining({ code: "slots_not_synchronised" }),
      );
    });
  });

  it("sorts inactive slots by name", () => {
    const physicalSlots = ["zz", "aa"].map((name) => ({ name, isActive: false }));
    const { inactiveSlots } = assessNodeStatus(primaryStatusFacts({ physicalSlots, downstreams: [] }));
    expect(inactiveSlots).toEqual(["aa", "zz"]);
  });
});
