import { describe, expect, it } from "vitest";
import { parseLsn } from "../../../src/model/lsn.js";
import { nodeId } from "../../../src/model/node-record.js";
import type {
  CandidateFacts,
  RemoteFacts,
  SwitchoverFacts,
  SwitchoverRules,
} from "../../../src/decide/switchover-facts.js";
import {
  judgeReception,
  planResumption,
  planSwitchover,
  provesNoPromotion,
  type ShutdownReport,
} from "../../../src/decide/switchover.js";
import { nodeRecord } from "../../builders/node-record.js";

const primary = nodeRecord({ slotName: "repmgr_slot_1" });
const own = nodeRecord({ id: 2, slotName: "repmgr_slot_2" });
const sibling = nodeRecord({ id: 3, slotName: "repmgr_slot_3" });
const ok = { kind: "answered", value: "OK" } as const;

const candidate: CandidateFacts = {
  majorVersion: 15,
  attachment: { attached: true, state: "streaming" },
  room: { maxWalSenders: 10, usedWalSenders: 0, maxSlots: 10, activeSlots: 0 },
  owners: { ofFile: 100, ofDirectory: 100 },
  lagSeconds: 0,
  replay: { isPaused: false, received: parseLsn("0/5000000"), replayed: parseLsn("0/5000000"), delayMs: 0 },
  isSuperuser: true,
  superuserProblem: null,
  refusedCommands: [],
};

const remote: Extract<RemoteFacts, { kind: "usable" }> = {
  kind: "usable",
  product: "tsrepmgr",
  hasConfigFile: true,
  dataDirectory: ok,
  superuser: null,
  configOwner: ok,
  replicationConnection: ok,
  archive: { kind: "answered", status: "OK", files: "0", threshold: "128" },
  stopCommand: "pg_ctl stop",
  refusedCommands: [],
};

const demoted = {
  majorVersion: 15,
  isInExclusiveBackup: false,
  archives: true,
  fullPageWrites: true,
  isRewindable: true,
};

const facts = (changes: Partial<SwitchoverFacts> = {}): SwitchoverFacts => ({
  own,
  primary,
  candidate,
  demoted,
  remote,
  siblings: [{ record: sibling, problem: null }],
  daemons: [],
  pausedBefore: [],
  ...changes,
});

const rules: SwitchoverRules = {
  force: false,
  forceRewind: false,
  rewindProgram: null,
  alwaysPromote: false,
  siblingsFollow: true,
  pauses: true,
  forceUnpause: false,
  superuser: null,
  lagWarningSeconds: 300,
  lagCriticalSeconds: 600,
  shutdownTimeoutMs: 60_000,
};

const plan = (changes: Partial<SwitchoverFacts> = {}, given: Partial<SwitchoverRules> = {}): string => {
  const planned = planSwitchover(facts(changes), { ...rules, ...given });
  if (planned.kind === "refused")
    return planned.problems.map(({ refusal, message }) => `${refusal}: ${message}`).join("\n");
  const warnings = planned.warnings.map(({ message }) => `warning: ${message}`);
  return [...warnings, planned.steps.map(({ kind }) => kind).join(" ")].join("\n");
};

const whole = "stop-primary promote rejoin follow drop-slots";
const room = { ...candidate.room, maxWalSenders: 1 };
const daemon = (id: number, state: "running" | "paused" | "none" | "unknown") => ({
  record: nodeRecord({ id }),
  state,
});

describe("planSwitchover", () => {
  it.each<[string, Partial<SwitchoverFacts>, Partial<SwitchoverRules>, string]>([
    ["all is well", {}, {}, whole],
    [
      "siblings stay",
      {},
      { siblingsFollow: false },
      'warning: 1 sibling nodes found, but option "--siblings-follow" not specified\nstop-primary promote rejoin drop-slots',
    ],
    [
      "a daemon runs",
      { daemons: [daemon(1, "running"), daemon(2, "paused")] },
      {},
      `pause-daemons ${whole} unpause-daemons`,
    ],
    ["daemons are to be left alone", { daemons: [daemon(1, "running")] }, { pauses: false }, whole],
    [
      "an earlier run has paused a daemon",
      { daemons: [daemon(1, "paused")], pausedBefore: [nodeId(1)] },
      {},
      `${whole} unpause-daemons`,
    ],
    ["a user has paused a daemon", { daemons: [daemon(1, "paused")] }, {}, whole],
    [
      "the primary is in an exclusive backup",
      { demoted: { ...demoted, isInExclusiveBackup: true } },
      {},
      "switchover: unable to perform a switchover while primary server is in exclusive backup mode",
    ],
    [
      "the lag is critical",
      { candidate: { ...candidate, lagSeconds: 600 } },
      {},
      "switchover: replication lag on this node is critical",
    ],
    [
      "the lag is critical, with -F",
      { candidate: { ...candidate, lagSeconds: 600 } },
      { force: true },
      `warning: replication lag on this node is critical\n${whole}`,
    ],
    [
      "the lag is high",
      { candidate: { ...candidate, lagSeconds: 300 } },
      {},
      `warning: replication lag on this node exceeds the warning threshold\n${whole}`,
    ],
    [
      "walsenders are short",
      { candidate: { ...candidate, room } },
      {},
      'prerequisite: insufficient free walsenders on node "node2" (ID: 2)',
    ],
    [
      "walsenders are short, with -F",
      { candidate: { ...candidate, room } },
      { force: true },
      `warning: insufficient free walsenders on node "node2" (ID: 2)\n${whole}`,
    ],
    [
      "slots are short",
      { candidate: { ...candidate, room: { ...candidate.room, maxSlots: 1 } } },
      {},
      'prerequisite: insufficient free replication slots on node "node2" (ID: 2)',
    ],
    [
      "a pg_rewind cannot work",
      { demoted: { ...demoted, isRewindable: false } },
      { forceRewind: true },
      "prerequisite: --force-rewind specified but pg_rewind cannot be used",
    ],
    [
      "the host is out of reach, and nothing else is known of it",
      { remote: { kind: "unusable", problem: { message: "no way" } } },
      {},
      "prerequisite: no way",
    ],
    [
      "archiving is critical",
      {
        remote: { ...remote, archive: { kind: "answered", status: "CRITICAL", files: "9", threshold: "1" } },
      },
      {},
      "switchover: number of pending archive files on demotion candidate is critical",
    ],
    [
      "archiving cannot be asked, with -F",
      { remote: { ...remote, archive: { kind: "failed", reason: "DB_CONNECTION" } } },
      { force: true },
      "switchover: unable to check the number of files waiting to be archived on the demotion candidate",
    ],
    [
      "a sibling is out of reach, with -F",
      { siblings: [{ record: sibling, problem: { message: "no way" } }] },
      { force: true },
      "warning: 1 of 1 sibling nodes cannot be told to follow\nstop-primary promote rejoin drop-slots",
    ],
    [
      "a node does not answer for its daemon",
      { daemons: [daemon(3, "unknown")] },
      {},
      "switchover: unable to connect to 1 of 1 nodes to pause their daemons",
    ],
    [
      "much is wrong: all of it, in the reference's order",
      {
        own: { ...own, upstreamNodeId: nodeId(3) },
        candidate: {
          ...candidate,
          majorVersion: 14,
          lagSeconds: null,
          attachment: { attached: false, state: null },
          refusedCommands: [{ command: "sudo pg_ctlcluster 15 main promote", reason: "a password" }],
        },
        remote: {
          ...remote,
          configOwner: { kind: "answered", value: "CRITICAL" },
          refusedCommands: [{ command: "sudo pg_ctlcluster 15 main stop", reason: "a password" }],
        },
      },
      {},
      [
        'prerequisite: the service commands of node "node2" (ID: 2) are not allowed',
        'prerequisite: local node "node2" (ID: 2) is not a downstream of current primary "node1" (ID: 1)',
        'prerequisite: local node "node2" (ID: 2) is not attached to demotion candidate "node1" (ID: 1)',
        'prerequisite: nodes "node2" (ID: 2) and "node1" (ID: 1) have different major versions',
        'prerequisite: ownership error in the replication configuration of node "node1" (ID: 1)',
        'prerequisite: the service commands of node "node1" (ID: 1) are not allowed',
        "switchover: unable to check replication lag on local node",
      ].join("\n"),
    ],
  ])("when %s", (_case, changes, given, expected) => {
    expect(plan(changes, given)).toBe(expected);
  });
});

describe("planResumption", () => {
  const trace = {
    candidate: nodeId(2),
    formerPrimary: nodeId(1),
    paused: [nodeId(1)],
    configFiles: [],
    command: "",
  };
  it.each([
    ["primary-stopped", `${whole} unpause-daemons`],
    ["promoted", "promote rejoin follow drop-slots unpause-daemons"],
  ] as const)("goes on from %s", (progress, expected) => {
    const { siblings } = facts();
    const steps = planResumption({ own, siblings, followed: [], trace, progress }, rules);
    expect(steps.map(({ kind }) => kind).join(" ")).toBe(expected);
  });
});

describe("planResumption of a run that was cut off after a sibling had followed", () => {
  it("drops that sibling's slot as well", () => {
    const trace = {
      candidate: nodeId(2),
      formerPrimary: nodeId(1),
      paused: [],
      configFiles: [],
      command: "",
    };
    const steps = planResumption(
      { own, siblings: [], followed: [sibling], trace, progress: "promoted" },
      rules,
    );
    expect(steps.find(({ kind }) => kind === "drop-slots")).toEqual({
      kind: "drop-slots",
      names: ["repmgr_slot_2", "repmgr_slot_3"],
    });
  });
});

describe("judgeReception", () => {
  const shutdown: ShutdownReport = { kind: "SHUTDOWN", checkpointLsn: parseLsn("0/5000100") };
  const reception = {
    primary,
    reachedLsn: parseLsn("0/5000178"),
    waitedMs: 0,
    timeoutMs: 1000,
    force: false,
    alwaysPromote: false,
  };
  const behind = { reachedLsn: parseLsn("0/5000100") };
  it.each<[string, ShutdownReport, Partial<typeof reception>, string]>([
    ["the last record is here", shutdown, {}, "promote"],
    ["it only begins where this node ends", shutdown, behind, "wait-for-wal"],
    ["it did not come in time", shutdown, { ...behind, waitedMs: 1000 }, "abort"],
    [
      "it did not come, and --always-promote",
      shutdown,
      { ...behind, waitedMs: 1000, alwaysPromote: true },
      "promote behind",
    ],
    ["the primary runs", { kind: "RUNNING" }, { force: true, alwaysPromote: true }, "abort"],
    ["nobody knows", { kind: "UNKNOWN" }, { force: true, alwaysPromote: true }, "abort"],
    ["the primary crashed", { kind: "UNCLEAN_SHUTDOWN" }, { alwaysPromote: true }, "abort"],
    ["the primary crashed, and -F", { kind: "UNCLEAN_SHUTDOWN" }, { force: true }, "promote behind"],
  ])("when %s", (_case, report, changes, expected) => {
    const verdict = judgeReception(report, { ...reception, ...changes });
    const behindOrNot = verdict.kind === "promote" && verdict.isBehind ? " behind" : "";
    expect(`${verdict.kind}${behindOrNot}`).toBe(expected);
  });
});

describe("provesNoPromotion", () => {
  it.each([
    [false, "shut down in recovery", true, true],
    [false, "in archive recovery", true, true],
    [true, "in archive recovery", true, false],
    [false, "in archive recovery", false, false],
    [false, "in production", true, false],
    [false, "shut down", true, false],
    [false, null, true, false],
  ])("with running %s, state %s, standby.signal %s: %s", (isRunning, state, hasStandbySignal, expected) => {
    expect(provesNoPromotion({ isRunning, state, hasStandbySignal })).toBe(expected);
  });
});
