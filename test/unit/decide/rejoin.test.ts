import { describe, expect, it } from "vitest";
import { judgeDivergence } from "../../../src/decide/divergence.js";
import {
  judgeLocalState,
  judgeUnfinishedRewind,
  type LocalStateFacts,
} from "../../../src/decide/rejoin-state.js";
import {
  planRejoin,
  planRejoinCompletion,
  type RejoinFacts,
  type RejoinRules,
} from "../../../src/decide/rejoin.js";
import { parseLsn } from "../../../src/model/lsn.js";
import { nodeId } from "../../../src/model/node-record.js";
import { parseTimelineHistory } from "../../../src/model/timeline.js";
import { nodeRecord } from "../../builders/node-record.js";

const at = (timeline: number, lsn: string, id = 1) => ({
  nodeId: nodeId(id),
  systemIdentifier: "7000",
  timeline,
  lsn: parseLsn(lsn),
});
const forkedAt = (lsn: string) => parseTimelineHistory(`1\t${lsn}\tx\n`);

describe("judgeDivergence", () => {
  it.each<[string, Parameters<typeof judgeDivergence>[0], object]>([
    [
      "an old primary that stopped before the fork",
      {
        local: at(1, "0/5000000"),
        localHistory: [],
        target: at(2, "0/6000000", 2),
        targetHistory: forkedAt("0/5000100"),
        sharesTimeline: null,
      },
      { kind: "can-attach" },
    ],
    [
      "an old primary that went on",
      {
        local: at(1, "0/5000200"),
        localHistory: [],
        target: at(2, "0/6000000", 2),
        targetHistory: forkedAt("0/5000100"),
        sharesTimeline: null,
      },
      { kind: "diverged", fork: parseLsn("0/5000100") },
    ],
    [
      "a standby that was promoted by mistake",
      {
        local: at(2, "0/5000200"),
        localHistory: forkedAt("0/5000100"),
        target: at(1, "0/6000000", 2),
        targetHistory: [],
        sharesTimeline: null,
      },
      { kind: "diverged", fork: parseLsn("0/5000100") },
    ],
    [
      "two standbys promoted apart to timelines of one number",
      {
        local: at(2, "0/5000200"),
        localHistory: forkedAt("0/5000100"),
        target: at(2, "0/6000000", 2),
        targetHistory: forkedAt("0/5000000"),
        sharesTimeline: null,
      },
      { kind: "impossible" },
    ],
    [
      "two standbys promoted apart at one position",
      {
        local: at(2, "0/5000200"),
        localHistory: forkedAt("0/5000100"),
        target: at(2, "0/6000000", 2),
        targetHistory: forkedAt("0/5000100"),
        sharesTimeline: false,
      },
      { kind: "impossible" },
    ],
    [
      "one promoted apart from an ancestor of the target at one position",
      {
        local: at(2, "0/5000200"),
        localHistory: forkedAt("0/5000100"),
        target: at(3, "0/6000000", 2),
        targetHistory: parseTimelineHistory("1\t0/5000100\tx\n2\t0/5800000\tx\n"),
        sharesTimeline: false,
      },
      { kind: "impossible" },
    ],
    [
      "one that was promoted twice, apart from the target the first time",
      {
        local: at(3, "0/5000300"),
        localHistory: parseTimelineHistory("1\t0/5000100\tx\n2\t0/5000200\tx\n"),
        target: at(2, "0/6000000", 2),
        targetHistory: forkedAt("0/5000100"),
        sharesTimeline: false,
      },
      { kind: "impossible" },
    ],
  ])("judges %s", (_case, facts, expected) => {
    expect(judgeDivergence(facts)).toMatchObject(expected);
  });
});

describe("judgeUnfinishedRewind", () => {
  const record = { timeline: 1, checkpointLsn: parseLsn("0/5000000") };
  it.each([
    ["nothing happened yet", { state: "shut down", timeline: 1, hasBackupLabel: false }, "interrupted"],
    ["pg_rewind ended", { state: "in archive recovery", timeline: 2, hasBackupLabel: true }, "completed"],
    ["the directory was cloned again", { state: "in production", timeline: 2, hasBackupLabel: false }, null],
    [
      "pg_control is the target's",
      { state: "in production", timeline: 2, hasBackupLabel: false, mayHaveForeignControl: true },
      "interrupted",
    ],
  ] as const)("tells when %s", (_case, facts, expected) => {
    expect(judgeUnfinishedRewind(record, { mayHaveForeignControl: false, ...facts })).toBe(expected);
  });
});

describe("judgeLocalState", () => {
  const facts: LocalStateFacts = {
    isServerUp: false,
    isStandby: false,
    isLockFileUnclear: false,
    state: "shut down",
    majorVersion: 15,
    unfinishedRewind: null,
    otherRunPid: null,
    dataDirectory: "/data",
  };
  it.each<[string, Partial<LocalStateFacts>, boolean, string]>([
    ["stopped", {}, false, "ready"],
    ["stopped as a standby", { state: "shut down in recovery" }, false, "ready"],
    ["running", { isServerUp: true }, true, "refused"],
    ["hidden behind an empty postmaster.pid", { isLockFileUnclear: true }, true, "refused"],
    ["running as a standby", { isServerUp: true, isStandby: true }, false, "running-standby"],
    [
      "running half rewound",
      { isServerUp: true, isStandby: true, unfinishedRewind: "interrupted" },
      true,
      "refused",
    ],
    ["crashed", { state: "in production" }, false, "refused"],
    ["crashed, with permission to rewind", { state: "in production" }, true, "ready"],
    ["crashed before version 13", { state: "in production", majorVersion: 12 }, true, "refused"],
    ["shutting down", { state: "shutting down" }, false, "refused"],
    ["half rewound", { unfinishedRewind: "interrupted" }, false, "refused"],
    ["half rewound, with permission", { unfinishedRewind: "interrupted" }, true, "ready"],
    ["in the hands of another run", { unfinishedRewind: "interrupted", otherRunPid: 42 }, true, "refused"],
  ])("judges a server that is %s", (_case, change, forceRewind, expected) => {
    const verdict = judgeLocalState({ ...facts, ...change }, { programName: "tsrepmgr", forceRewind });
    expect(verdict.kind).toBe(expected);
  });
});

describe("planRejoin", () => {
  const target = nodeRecord({
    id: 2,
    type: "primary",
    slotName: "repmgr_slot_2",
  });
  const facts: RejoinFacts = {
    own: nodeRecord({ id: 1, type: "standby", upstreamNodeId: null, slotName: "repmgr_slot_1" }),
    target: {
      record: target,
      conninfo: new Map(),
      attachment: { attached: false, state: null },
      slot: null,
      usedSlots: 0,
      maxSlots: 10,
      slotCreator: { method: "sql", user: null },
    },
    attach: {
      local: at(1, "0/5000200"),
      localHistory: [],
      target: at(2, "0/6000000", 2),
      targetHistory: forkedAt("0/5000100"),
      sharesTimeline: null,
    },
    isClean: true,
    wasStandby: false,
    unfinishedRewind: null,
    endOfWal: parseLsn("0/5000278"),
    incompleteRecord: null,
    hasChecksums: false,
    walLogHints: true,
    localVersion: 15,
    targetServer: { majorVersion: 15, fullPageWrites: true },
    formerUpstream: null,
  };
  const rules: RejoinRules = {
    forceRewind: true,
    useReplicationSlots: true,
    parameters: new Map(),
    waits: true,
    recloneCommand: "tsrepmgr standby clone",
  };
  const level = { ...facts.attach, local: at(1, "0/5000100") };
  const kindsOf = (change: Partial<RejoinFacts>, rule: Partial<RejoinRules> = {}): unknown => {
    const plan = planRejoin({ ...facts, ...change }, { ...rules, ...rule });
    return plan.kind === "refused" ? plan.problems : plan.steps.map(({ kind }) => kind);
  };
  const attaching = [
    "create-slot",
    "write-configuration",
    "start-server",
    "record-upstream",
    "await-attachment",
  ];

  it.each<[string, Partial<RejoinFacts>, string[]]>([
    ["rewinds a node that diverged", {}, ["rewind", "restore-files", ...attaching]],
    ["starts one that did not", { attach: level }, [...attaching, "drop-local-slot"]],
    [
      "rewinds a crashed primary",
      { attach: level, isClean: false },
      ["rewind", "restore-files", ...attaching],
    ],
    [
      "starts a crashed standby as it is",
      { attach: level, isClean: false, wasStandby: true },
      [...attaching, "drop-local-slot"],
    ],
    [
      "discards a record that goes on in a segment that is not there, before there is anybody to stream from",
      {
        attach: level,
        incompleteRecord: { timeline: 1, lsn: parseLsn("0/5000100"), segmentBytes: 2 ** 20 },
      },
      ["create-slot", "discard-incomplete-record", ...attaching.slice(1), "drop-local-slot"],
    ],
    ["goes on after a complete rewind", { unfinishedRewind: "completed" }, ["restore-files", ...attaching]],
    [
      "repeats an interrupted one",
      { attach: level, unfinishedRewind: "interrupted" },
      ["rewind", "restore-files", ...attaching],
    ],
  ])("%s", (_case, change, expected) => {
    expect(kindsOf(change)).toEqual(expected);
  });

  it.each([
    ["goes on while this node streams already, whatever its record says", true, "ready"],
    ["leaves the slot to somebody else who streams through it", false, "refused"],
  ])("%s", (_case, attached, expected) => {
    const slot = { isPhysical: true, isActive: true };
    const state = attached ? "streaming" : null;
    const plan = planRejoinCompletion(
      { ...facts, target: { ...facts.target, slot, attachment: { attached, state } } },
      rules,
    );
    expect(plan.kind).toBe(expected);
  });

  it("names the WAL that is discarded", () => {
    const plan = planRejoin(facts, rules);
    expect(plan.kind === "ready" && plan.steps[0]).toEqual({
      kind: "rewind",
      discards: { timeline: 1, from: parseLsn("0/5000100"), to: parseLsn("0/5000278") },
    });
  });

  it.each<[string, Partial<RejoinFacts>, Partial<RejoinRules>, object]>([
    ["without permission", {}, { forceRewind: false }, { hint: expect.stringContaining("--force-rewind") }],
    [
      "without hints and checksums",
      { walLogHints: false },
      {},
      { isPrerequisite: true, hint: "to copy the target again: tsrepmgr standby clone" },
    ],
    [
      "without full page writes",
      { targetServer: { majorVersion: 15, fullPageWrites: false } },
      {},
      { isPrerequisite: true, message: expect.stringContaining("full_page_writes") },
    ],
    [
      "between versions",
      { targetServer: { majorVersion: 16, fullPageWrites: true } },
      {},
      { message: expect.stringContaining("different major versions") },
    ],
  ])("refuses a rewind %s", (_case, change, rule, expected) => {
    expect(kindsOf(change, rule)).toEqual([expect.objectContaining(expected)]);
  });
});
