import { describe, expect, it } from "vitest";
import { judgeAttachment } from "../../../src/decide/lineage.js";
import type { Lsn } from "../../../src/model/lsn.js";
import type { ServerReport } from "../../../src/model/member-report.js";
import { nodeId } from "../../../src/model/node-record.js";

const fork = { timeline: 1, end: 400n as Lsn };
/** Promoted, and taken back before that was on record. */
const own: ServerReport = {
  systemIdentifier: "7",
  inRecovery: true,
  timeline: 2,
  history: [fork],
  termRow: 1,
  lsn: 401n as Lsn,
  promotion: null,
  promotions: [],
  isRecordedPrimary: false,
  isDrained: true,
  isDetached: true,
};
const record = { term: 9, node: nodeId(2), timeline: 3, forkLsn: 402n as Lsn };
const primary: ServerReport = {
  ...own,
  inRecovery: false,
  timeline: 3,
  history: [fork, { timeline: 2, end: 402n as Lsn }],
  termRow: 9,
  lsn: 900n as Lsn,
  promotion: record,
  promotions: [record],
  isRecordedPrimary: true,
};
const takenBack = { timeline: 2, term: 0, reason: "superseded" } as const;

describe("judgeAttachment", () => {
  it("follows a primary that grew out of the own timeline, received from another", () => {
    expect(judgeAttachment(own, primary, null)).toBe("follow");
  });

  it("does not take another's timeline for the one of a promotion of its own that was taken back", () => {
    expect(judgeAttachment(own, primary, takenBack)).toBe("rejoin");
  });

  it("follows as before where the promotion that was taken back has left no timeline", () => {
    expect(judgeAttachment({ ...own, timeline: 1, history: [], lsn: 399n as Lsn }, primary, takenBack)).toBe(
      "follow",
    );
  });
});
