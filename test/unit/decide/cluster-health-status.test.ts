import { describe, expect, it } from "vitest";
import { judgeStatus } from "../../../src/decide/cluster-health-status.js";
import { parseLsn } from "../../../src/model/lsn.js";
import type { NodeType } from "../../../src/model/node-record.js";
import type { NodeAnswer } from "../../../src/model/server-state.js";
import {
  nodeRecord,
  primaryAnswer,
  rejected,
  silent,
  standbyAnswer,
  unreachable,
} from "../../builders/cluster-facts.js";

const judge = (type: NodeType, active: boolean, answer: NodeAnswer): ReturnType<typeof judgeStatus> =>
  judgeStatus({ record: nodeRecord({ type, active }), answer });

const cellOf = ({ status }: ReturnType<typeof judgeStatus>): string => `${status.marker} ${status.label}`;

describe("judgeStatus", () => {
  const outOfRecovery = primaryAnswer();
  const inRecovery = standbyAnswer(1);
  it.each<[NodeType, string, NodeAnswer, string, string, string | null]>([
    ["primary", "active", outOfRecovery, "* running", "running", null],
    ["primary", "active", inRecovery, "! running as standby", "running_as_standby", "running_as_standby"],
    ["primary", "active", silent(), "! unknown", "unknown", "unknown_replication_state"],
    ["primary", "inactive", outOfRecovery, "! running", "running", "inactive_but_running"],
    ["primary", "inactive", inRecovery, "! running as standby", "running_as_standby", "running_as_standby"],
    ["primary", "inactive", silent(), "! running", "running", "inactive_but_running"],
    ["primary", "active", rejected(), "? running", "rejected", null],
    ["primary", "inactive", rejected(), "! running", "rejected", "inactive_but_running"],
    ["primary", "active", unreachable(), "? unreachable", "unreachable", "unreachable"],
    ["primary", "inactive", unreachable(), "- failed", "failed", null],
    ["standby", "active", inRecovery, "  running", "running", null],
    ["standby", "active", outOfRecovery, "! running as primary", "running_as_primary", "running_as_primary"],
    ["standby", "active", silent(), "! unknown", "unknown", "unknown_replication_state"],
    ["standby", "inactive", inRecovery, "! running", "running", "inactive_but_running"],
    [
      "standby",
      "inactive",
      outOfRecovery,
      "! running as primary",
      "running_as_primary",
      "running_as_primary",
    ],
    ["standby", "inactive", silent(), "! running", "running", "inactive_but_running"],
    ["standby", "active", rejected(), "? running", "rejected", null],
    ["standby", "inactive", rejected(), "! running", "rejected", "inactive_but_running"],
    ["standby", "active", unreachable(), "? unreachable", "unreachable", "unreachable"],
    ["standby", "inactive", unreachable(), "- failed", "failed", null],
    ["witness", "active", outOfRecovery, "* running", "running", null],
    ["witness", "active", inRecovery, "* running", "running", null],
    ["witness", "active", silent(), "* running", "running", "query_failed"],
    ["witness", "inactive", outOfRecovery, "! running", "running", "inactive_but_running"],
    ["witness", "inactive", silent(), "! running", "running", "inactive_but_running"],
    ["witness", "active", rejected(), "? rejected", "rejected", null],
    ["witness", "inactive", rejected(), "! failed", "rejected", "inactive_but_running"],
    ["witness", "active", unreachable(), "? unreachable", "unreachable", "unreachable"],
    ["witness", "inactive", unreachable(), "- failed", "failed", null],
    ["bdr", "active", outOfRecovery, "? unknown node type", "unknown", "unknown_node_type"],
  ])("shows a %s, %s, answer %o as «%s»", (type, activity, answer, cell, code, problem) => {
    const finding = judge(type, activity === "active", answer);
    expect(cellOf(finding)).toBe(cell);
    expect(finding.status.code).toBe(code);
    expect(finding.problems.at(-1)?.code ?? null).toBe(problem);
  });

  it.each([
    ["primary", primaryAnswer(), "warning"],
    ["witness", primaryAnswer(), "error"],
    ["standby", rejected(), "error"],
  ] as const)("grades an inactive record of a running %s as the reference does", (type, answer, severity) => {
    expect(judge(type, false, answer).problems[0]?.severity).toBe(severity);
  });

  it.each([
    [
      "inactive standby that writes",
      "standby",
      primaryAnswer(),
      "is running as primary but the repmgr node record is inactive",
    ],
    [
      "inactive primary that follows",
      "primary",
      standbyAnswer(1),
      "is registered as an inactive primary but running as standby",
    ],
  ] as const)("names both faults of an %s", (_, type, answer, words) => {
    expect(judge(type, false, answer).problems.map(({ message }) => message)).toEqual([
      `node "n1" (ID: 1) ${words}`,
    ]);
  });

  it.each([
    [true, "0/3000000", "0/2000000", ["replay_paused"]],
    [true, "0/3000000", "0/3000000", []],
    [true, null, "0/3000000", []],
    [false, "0/3000000", "0/2000000", []],
  ])(
    "warns of replay that is paused (%s) with WAL pending (received %s, replayed %s)",
    (paused, received, replayed, codes) => {
      const answer = standbyAnswer(1, {
        isReplayPaused: paused,
        receivedLsn: received === null ? null : parseLsn(received),
        replayedLsn: parseLsn(replayed),
      });
      expect(judge("standby", true, answer).problems.map(({ code }) => code)).toEqual(codes);
    },
  );
});
