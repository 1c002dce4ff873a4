import { describe, expect, it } from "vitest";
import {
  checkArchiveReady,
  checkDownstream,
  checkMissingSlots,
  checkReplicationLag,
  checkRole,
  checkSlots,
  checkUpstream,
} from "../../../src/decide/node-checks.js";
import type { CheckFinding, CheckStatus } from "../../../src/decide/node-check-findings.js";
import type { NodeStatusFacts } from "../../../src/decide/node-status.js";
import type { NodeType } from "../../../src/model/node-record.js";
import { nodeRecord } from "../../builders/node-record.js";
import { primaryStatusFacts, standbyStatusFacts } from "../../builders/node-status-facts.js";

const thresholds = {
  archiveReadyWarning: 16,
  archiveReadyCritical: 128,
  lagWarningSeconds: 300,
  lagCriticalSeconds: 600,
};
const witnessFacts = primaryStatusFacts({
  record: nodeRecord({ id: 3, nodeName: "n3", type: "witness" }),
});
const said = ({ status, details }: CheckFinding): readonly [CheckStatus, string] => [status, details];

describe("checkRole", () => {
  const registered = (type: NodeType, inRecovery: boolean): NodeStatusFacts =>
    primaryStatusFacts({ record: nodeRecord({ type }), inRecovery });

  it.each<[NodeType, boolean, NodeType | null, CheckStatus, string]>([
    ["primary", false, null, "OK", "node is primary"],
    ["standby", true, null, "OK", "node is standby"],
    ["witness", false, null, "OK", "node is witness"],
    ["primary", true, null, "CRITICAL", "node is registered as primary but running as standby"],
    ["witness", true, null, "CRITICAL", "node is registered as witness but running as standby"],
    ["standby", false, null, "CRITICAL", "node is registered as standby but running as primary"],
    ["primary", false, "primary", "OK", "node is primary"],
    ["standby", true, "standby", "OK", "node is standby"],
    ["witness", false, "witness", "OK", "node is witness"],
    ["standby", true, "primary", "CRITICAL", "node is standby, expected primary"],
    ["primary", false, "standby", "CRITICAL", "node is primary, expected standby"],
    ["witness", false, "primary", "CRITICAL", "node is witness, expected primary"],
    // A server that contradicts its record is nobody's primary, whatever is asked for.
    ["standby", false, "primary", "CRITICAL", "node is registered as standby but running as primary"],
    ["primary", true, "standby", "CRITICAL", "node is registered as primary but running as standby"],
  ])("registered %s, in recovery %s, expected %s: %s", (type, inRecovery, expected, status, details) => {
    expect(said(checkRole(registered(type, inRecovery), expected))).toEqual([status, details]);
  });
});

describe("checkReplicationLag", () => {
  it.each<[number | null, CheckStatus, string]>([
    [null, "OK", "0 seconds"],
    [0, "OK", "0 seconds"],
    [300, "OK", "300 seconds"],
    [301, "WARNING", "301 seconds, warning threshold: 300)"],
    [599, "WARNING", "599 seconds, warning threshold: 300)"],
    [600, "CRITICAL", "600 seconds, critical threshold: 600)"],
  ])("of a standby by %s seconds is %s", (lagSeconds, status, details) => {
    expect(said(checkReplicationLag(standbyStatusFacts({ lagSeconds }), thresholds))).toEqual([
      status,
      details,
    ]);
  });

  it("does not apply to a primary or a witness", () => {
    expect(said(checkReplicationLag(primaryStatusFacts(), thresholds))).toEqual([
      "OK",
      "N/A - node is primary",
    ]);
    expect(said(checkReplicationLag(witnessFacts, thresholds))).toEqual(["OK", "N/A - node is witness"]);
  });
});

describe("checkArchiveReady", () => {
  it.each<[number, CheckStatus, string]>([
    [0, "OK", "0 pending archive ready files"],
    [16, "OK", "16 pending archive ready files"],
    [17, "WARNING", "17 pending archive ready files (threshold: 16)"],
    [128, "WARNING", "128 pending archive ready files (threshold: 16)"],
    [129, "CRITICAL", "129 pending archive ready files, critical threshold: 128"],
  ])("with %i files is %s", (files, status, details) => {
    const facts = primaryStatusFacts({ pendingArchiving: { kind: "counted", files } });
    expect(said(checkArchiveReady(facts, thresholds))).toEqual([status, details]);
  });

  it("knows nothing of a directory that nobody may read", () => {
    const facts = primaryStatusFacts({ pendingArchiving: { kind: "unreadable", path: "/x", reason: "no" } });
    expect(said(checkArchiveReady(facts, thresholds))).toEqual([
      "UNKNOWN",
      "unable to check archive_status directory",
    ]);
  });
});

describe("checkUpstream", () => {
  const attached = 'node "n2" (ID: 2) is attached to expected upstream node "n1" (ID: 1)';
  const detached = 'node "n2" (ID: 2) is not attached to expected upstream node "n1" (ID: 1)';

  it.each<[string, [string, string | null][], CheckStatus, string]>([
    ["streaming", [["n2", "streaming"]], "OK", attached],
    ["attached in a state that may not be read", [["n2", null]], "OK", attached],
    ["catching up", [["n2", "catchup"]], "CRITICAL", detached],
    ["not there", [["n9", "streaming"]], "CRITICAL", detached],
  ])("of a standby that is %s", (_state, attachments, status, details) => {
    expect(said(checkUpstream(standbyStatusFacts(), new Map(attachments)))).toEqual([status, details]);
  });

  it.each<[string, NodeStatusFacts, CheckStatus, string]>([
    ["a primary", primaryStatusFacts(), "OK", "N/A - node is primary"],
    ["a witness", witnessFacts, "OK", "N/A - node is a witness"],
    [
      "a standby without an upstream record",
      standbyStatusFacts({ upstream: null }),
      "CRITICAL",
      'node "n2" (ID: 2) is a standby but no upstream record found',
    ],
  ])("of %s", (_node, facts, status, details) => {
    expect(said(checkUpstream(facts, null))).toEqual([status, details]);
  });
});

describe("checkDownstream", () => {
  const facts = primaryStatusFacts({
    downstreams: [nodeRecord({ id: 2, nodeName: "n2" }), nodeRecord({ id: 3, nodeName: "n3" })],
  });

  it.each<[[string, string | null][], CheckStatus, string]>([
    [
      [
        ["n2", "streaming"],
        ["n3", null],
      ],
      "OK",
      "2 of 2 downstream nodes attached",
    ],
    [[["n2", "streaming"]], "CRITICAL", "1 of 2 downstream nodes not attached; missing: n3 (ID: 3)"],
    [
      [["n2", "catchup"]],
      "CRITICAL",
      "2 of 2 downstream nodes not attached; missing: n2 (ID: 2), n3 (ID: 3)",
    ],
  ])("with %j", (attachments, status, details) => {
    expect(said(checkDownstream(facts, new Map(attachments)))).toEqual([status, details]);
  });

  it("has nothing to say of a leaf or a witness", () => {
    expect(said(checkDownstream(standbyStatusFacts(), new Map()))).toEqual([
      "OK",
      "this node has no downstream nodes",
    ]);
    expect(said(checkDownstream(witnessFacts, new Map()))).toEqual(["OK", "N/A - node is a witness"]);
  });
});

describe("checkSlots", () => {
  it.each<[boolean[], CheckStatus, string]>([
    [[], "OK", "node has no physical replication slots"],
    [[true, true], "OK", "2 of 2 physical replication slots are active"],
    [[true, false], "CRITICAL", "1 of 2 physical replication slots are inactive"],
  ])("that are active: %j", (active, status, details) => {
    const physicalSlots = active.map((isActive, index) => ({ name: `slot${index}`, isActive }));
    expect(said(checkSlots(primaryStatusFacts({ physicalSlots })))).toEqual([status, details]);
  });
});

describe("checkMissingSlots", () => {
  it("names the slots that standbys of this node have not got", () => {
    expect(said(checkMissingSlots(primaryStatusFacts({ physicalSlots: [] })))).toEqual([
      "CRITICAL",
      "1 physical replication slots are missing: repmgr_slot_2",
    ]);
    expect(said(checkMissingSlots(primaryStatusFacts()))).toEqual([
      "OK",
      "node has no missing physical replication slots",
    ]);
  });
});
