import { describe, expect, it } from "vitest";
import {
  decideStart,
  isFinal,
  judgeStart,
  type StartFacts,
  type StartRules,
} from "../../../src/decide/guard.js";
import type { Lsn } from "../../../src/model/lsn.js";
import type { Beacon, Member, MemberAnswer, ServerReport } from "../../../src/model/member-report.js";
import { nodeId, type NodeId } from "../../../src/model/node-record.js";

const [own, other, third] = [nodeId(1), nodeId(2), nodeId(3)];
const record = { term: 2, node: other, timeline: 2, forkLsn: 400n as Lsn };
const standby: ServerReport = {
  systemIdentifier: "7",
  inRecovery: true,
  timeline: 1,
  history: [],
  termRow: 1,
  lsn: 400n as Lsn,
  promotion: null,
  promotions: [],
  isRecordedPrimary: false,
  isDrained: true,
  isDetached: false,
};
const follower: ServerReport = {
  ...standby,
  timeline: 2,
  termRow: 2,
  promotion: record,
  promotions: [record],
};
const successor: ServerReport = {
  ...follower,
  inRecovery: false,
  history: [{ timeline: 1, end: 400n as Lsn }],
  isRecordedPrimary: true,
};
const byHand: ServerReport = { ...successor, termRow: 1, promotion: null, promotions: [] };
const rogue: ServerReport = { ...byHand, isRecordedPrimary: false };
const voted: Beacon = {
  nodeId: other,
  upstreamNodeId: own,
  primarySeenAgoMs: null,
  isPaused: false,
  activity: "watching",
  vote: { term: 5, candidate: third },
  leaseEcho: null,
  heldForMs: 0,
};
const answer = (id: NodeId, server: ServerReport, beacon: Beacon | null = null): MemberAnswer => ({
  kind: "answered",
  nodeId: id,
  server,
  beacon,
});
const silent = (id: NodeId): MemberAnswer => ({ kind: "unreachable", nodeId: id });
const membersOf = (count: number, type: Member["type"] = "primary"): readonly Member[] =>
  [own, other, third].slice(0, count).map((id) => ({
    nodeId: id,
    type: id === own ? type : "standby",
    upstreamNodeId: id === own ? null : own,
    active: true,
    priority: 100,
    location: "default",
  }));
const factsOf = (changes: Partial<StartFacts> = {}): StartFacts => ({
  self: own,
  server: { systemIdentifier: "7", timeline: 1, history: [], isStandby: false },
  known: { termRow: 1, promotions: [], isRecordedPrimary: true },
  members: membersOf(3),
  answers: [],
  ...changes,
});
const server = factsOf().server;

describe("judgeStart", () => {
  it.each<readonly [string, Partial<StartFacts>, string]>([
    ["a standby", { server: { ...server, isStandby: true } }, "standby"],
    ["a witness", { members: membersOf(3, "witness") }, "witness"],
    ["the only node", { members: membersOf(1) }, "alone"],
    ["a primary that knows nobody", { members: [], known: null }, "no-members"],
    ["a primary whom nobody answers", { answers: [silent(other), silent(third)] }, "nobody-answered"],
    ["a primary whom its standby answers", { answers: [answer(other, standby)] }, "majority"],
    [
      "one of two whom the other answers",
      { members: membersOf(2), answers: [answer(other, standby)] },
      "majority",
    ],
    [
      "one of four whom one answers",
      {
        members: [...membersOf(3), { ...membersOf(2)[1], nodeId: nodeId(4) } as Member],
        answers: [answer(other, standby)],
      },
      "too-few-answers",
    ],
    ["a primary with a successor", { answers: [answer(other, successor)] }, "superseded"],
    ["a primary whose successor died, by its record", { answers: [answer(third, follower)] }, "superseded"],
    [
      "a primary of which only the successor's row is known",
      { known: null, answers: [answer(other, successor)] },
      "superseded",
    ],
    ["a primary beside one of its term", { answers: [answer(other, byHand)] }, "superseded"],
    [
      "a primary beside one of another cluster",
      { answers: [answer(other, { ...successor, systemIdentifier: "8" })] },
      "nobody-answered",
    ],
    ["a primary beside one promoted by hand", { answers: [answer(other, rogue)] }, "rival"],
    ["a primary after a vote for another", { answers: [answer(other, standby, voted)] }, "later-term"],
    [
      "a primary that was promoted last itself",
      {
        known: { termRow: 2, promotions: [{ ...record, node: own }], isRecordedPrimary: true },
        server: { ...server, timeline: 2 },
        answers: [
          answer(other, {
            ...follower,
            promotion: { ...record, node: own },
            promotions: [{ ...record, node: own }],
          }),
        ],
      },
      "majority",
    ],
    ["a node that nobody has registered", { answers: [answer(nodeId(9), successor)] }, "nobody-answered"],
  ])("finds %s: %#", (_what, changes, expected) => {
    const verdict = judgeStart(factsOf(changes));
    expect(verdict.kind === "superseded" ? verdict.kind : verdict.because).toBe(expected);
  });

  it("names the successor, and whether it was promoted apart", () => {
    const named = (facts: Partial<StartFacts>): unknown => judgeStart(factsOf(facts));
    const grown = { nodeId: other, term: 2, timeline: 2, isTwin: false };
    expect(named({ answers: [answer(other, successor)] })).toEqual({ kind: "superseded", successor: grown });
    expect(named({ answers: [answer(third, follower)] })).toEqual({ kind: "superseded", successor: grown });
    const twin = { server: { ...server, timeline: 2 }, known: null, answers: [answer(other, byHand)] };
    expect(named(twin)).toMatchObject({ successor: { nodeId: other, isTwin: true } });
  });
});

describe("isFinal", () => {
  it.each<readonly [string, Partial<StartFacts>, boolean]>([
    ["nobody was asked yet", {}, false],
    ["two were asked in vain", { answers: [silent(other), silent(third)] }, false],
    ["a majority agrees and one was not asked yet", { answers: [answer(other, standby)] }, false],
    [
      "a majority agrees and one was asked in vain",
      { answers: [answer(other, standby), silent(third)] },
      true,
    ],
    ["all answered and one is a rival", { answers: [answer(other, rogue), answer(third, standby)] }, true],
    ["one is a rival", { answers: [answer(other, rogue)] }, false],
    ["there is a successor", { answers: [answer(other, successor)] }, true],
  ])("when %s: %#", (_when, changes, expected) => {
    const facts = factsOf(changes);
    expect(isFinal(judgeStart(facts), facts)).toBe(expected);
  });
});

describe("decideStart", () => {
  const plain: StartRules = { asStandby: false, strict: false, isElected: true };
  const asStandby = { ...plain, asStandby: true };
  it.each<readonly [string, Partial<StartFacts>, StartRules, string]>([
    ["a successor", { answers: [answer(other, successor)] }, plain, "refuse"],
    ["a successor", { answers: [answer(other, successor)] }, asStandby, "start-as-standby"],
    ["nobody", {}, plain, "start"],
    ["nobody", {}, { ...plain, strict: true }, "refuse"],
    ["nobody of three", {}, asStandby, "start-as-standby"],
    ["nobody of three, without elections", {}, { ...asStandby, isElected: false }, "start"],
    ["nobody of two", { members: membersOf(2) }, asStandby, "start"],
    ["nobody of two", { members: membersOf(2) }, { ...asStandby, strict: true }, "start-as-standby"],
    ["a majority", { answers: [answer(other, standby)] }, { ...asStandby, strict: true }, "start"],
  ])("with %s and %#", (_found, changes, rules, expected) => {
    const facts = factsOf(changes);
    expect(decideStart(judgeStart(facts), facts, rules)).toBe(expected);
  });
});
