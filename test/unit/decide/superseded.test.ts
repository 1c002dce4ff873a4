import { describe, expect, it } from "vitest";
import { judgeSuperseded, type SupersededFacts } from "../../../src/decide/superseded.js";
import type { Lsn } from "../../../src/model/lsn.js";
import type { Member, MemberAnswer, ServerReport } from "../../../src/model/member-report.js";
import { nodeId } from "../../../src/model/node-record.js";

const [own, other, third] = [nodeId(1), nodeId(2), nodeId(3)];

const server: ServerReport = {
  systemIdentifier: "7",
  inRecovery: false,
  timeline: 1,
  history: [],
  termRow: 1,
  lsn: 500n as Lsn,
  promotion: null,
  promotions: [],
  isRecordedPrimary: true,
  isDrained: true,
  isDetached: false,
};
const record = { term: 2, node: other, timeline: 2, forkLsn: 400n as Lsn };
const successor: ServerReport = {
  ...server,
  timeline: 2,
  history: [{ timeline: 1, end: 400n as Lsn }],
  termRow: 2,
  promotion: record,
  promotions: [record],
};
const standby: ServerReport = { ...successor, inRecovery: true, isRecordedPrimary: false };
const answer = (id: typeof own, report: ServerReport): MemberAnswer => ({
  kind: "answered",
  nodeId: id,
  server: report,
  beacon: null,
});
const members: readonly Member[] = [own, other, third].map((id) => ({
  nodeId: id,
  type: id === own ? "primary" : "standby",
  upstreamNodeId: id === own ? null : own,
  active: true,
  priority: 100,
  location: "default",
}));

const judge = (answers: readonly MemberAnswer[], changes: Partial<SupersededFacts> = {}): string =>
  judgeSuperseded({ self: own, server, isUnfinished: false, members, answers, ...changes }).kind;

describe("judgeSuperseded", () => {
  it.each<readonly [string, MemberAnswer, string]>([
    ["a recorded promotion of a later term", answer(other, successor), "superseded"],
    ["nobody", { kind: "unreachable", nodeId: other }, "undisputed"],
    ["a standby", answer(other, standby), "undisputed"],
    ["another cluster's server", answer(other, { ...successor, systemIdentifier: "8" }), "undisputed"],
    ["a node that is not registered", answer(nodeId(9), successor), "undisputed"],
    [
      "a later timeline without a record",
      answer(other, { ...successor, termRow: 1, promotion: null }),
      "equal-term",
    ],
    [
      "a server that its own records call a standby",
      answer(other, { ...successor, isRecordedPrimary: false }),
      "suspicion",
    ],
    [
      "a timeline that has not grown out of the own",
      answer(other, { ...successor, history: [] }),
      "suspicion",
    ],
  ])("makes of %s: %s", (_what, seen, expected) => {
    expect(judge([seen])).toBe(expected);
  });

  it("believes a majority that has a later term in its log, though its primary is dead", () => {
    expect(judge([answer(other, standby), answer(third, standby)])).toBe("superseded");
    expect(judge([answer(other, standby)])).toBe("undisputed");
  });

  it("does not take its own promotion, of which it hears before it sees the record, for a later one", () => {
    const mine = { ...record, node: own };
    const follower = { ...standby, promotion: mine, promotions: [mine] };
    const answers = [answer(other, follower), answer(third, follower)];
    expect(judge(answers, { server: { ...server, timeline: mine.timeline } })).toBe("undisputed");
    expect(judge(answers, { server: { ...server, timeline: 1 } }), "restored from a backup").toBe(
      "superseded",
    );
  });

  it("takes a recorded promotion that is not built on the own for the later one, twins too", () => {
    const mine = { ...record, node: own };
    const twin = {
      ...successor,
      termRow: 3,
      promotion: { ...record, term: 3 },
      promotions: [{ ...record, term: 3 }],
    };
    const promoted = { ...successor, promotion: mine, promotions: [mine] };
    expect(judge([answer(other, twin)], { server: promoted })).toBe("superseded");
  });

  it("lets an unfinished promotion give way to an equal term", () => {
    expect(judge([answer(other, server)], { isUnfinished: true })).toBe("superseded");
  });
});
