import { describe, expect, it } from "vitest";
import type { FailoverSettings } from "../../../src/decide/failover-settings.js";
import { startState } from "../../../src/decide/transitions.js";
import { judgeRequest, type Ballot } from "../../../src/decide/votes.js";
import type { Lsn } from "../../../src/model/lsn.js";
import { nodeId } from "../../../src/model/node-record.js";
import { clusterOf, quickSettings } from "../../scenario/failover/scenario.js";

const [primary, self, candidate] = [nodeId(1), nodeId(2), nodeId(3)];
const NOW = 100_000;
const memory = { vote: null, wasPrimary: null, promotingTerm: null, exclusion: null, isPaused: false };
const { voter } = startState(self, { memory, leaseSeed: 1, settings: quickSettings, now: 0 });

/** A primary has answered a moment ago; term 3 is the last promotion in the candidate's log. */
function ballot(primaryTermRow: number | null): Ballot {
  return {
    self,
    request: {
      term: 7,
      candidate,
      termRow: 3,
      lsn: 900n as Lsn,
      membershipVersion: 1,
      isAbandoned: false,
    },
    memory,
    voter: { ...voter, primarySeen: { nodeId: primary, at: NOW - 100 } },
    server: {
      systemIdentifier: "7",
      inRecovery: true,
      timeline: 1,
      history: [],
      termRow: 1,
      lsn: 100n as Lsn,
      promotion: null,
      promotions: [],
      isRecordedPrimary: false,
      isDrained: true,
      isDetached: false,
    },
    membership: {
      version: 1,
      members: clusterOf(3).map((member) => ({ ...member, active: true, location: "default" })),
    },
    primaryTermRow,
    isReconnecting: false,
    isNoCandidate: false,
    now: NOW,
  };
}

describe("judgeRequest, while a primary answers", () => {
  it.each([
    ["of the term in the candidate's log", 3],
    ["of a later term", 4],
    ["of unknown term", null],
  ])("refuses: %s", (_case, termRow) => {
    expect(judgeRequest(ballot(termRow), quickSettings)).toEqual({ kind: "refuse", reason: "primary-seen" });
  });

  it("grants when that primary has had its successor, which the candidate's log shows", () => {
    expect(judgeRequest(ballot(2), quickSettings)).toEqual({ kind: "grant" });
  });
});

describe("judgeRequest, of a candidate that lacks a part of the log", () => {
  const segment = 16 * 1024 * 1024;

  function judge(
    own: { readonly isNoCandidate: boolean; readonly lead: number; readonly termRow?: number },
    settings: Partial<FailoverSettings> = {},
  ): string {
    const { request, server, ...rest } = ballot(2);
    const lsn = (request.lsn + BigInt(own.lead)) as Lsn;
    const decision = judgeRequest(
      {
        ...rest,
        isNoCandidate: own.isNoCandidate,
        request,
        server: { ...server, termRow: own.termRow ?? request.termRow, lsn },
      },
      { ...quickSettings, ...settings },
    );
    return decision.kind === "refuse" ? decision.reason : decision.kind;
  }

  it("refuses while this node may be promoted itself", () => {
    expect(judge({ isNoCandidate: false, lead: 1 })).toBe("candidate-behind");
  });

  it("grants, if it is no candidate, what a dying primary may have had in flight, and no more", () => {
    const own = { isNoCandidate: true };
    expect(judge({ ...own, lead: 1 })).toBe("grant");
    expect(judge({ ...own, lead: segment })).toBe("grant");
    expect(judge({ ...own, lead: segment + 1 })).toBe("candidate-behind");
    expect(judge({ ...own, lead: 1, termRow: 4 })).toBe("candidate-behind");
    expect(judge({ ...own, lead: 1 }, { sync_mode: "quorum" })).toBe("candidate-behind");
  });
});

describe("startState", () => {
  it.each([
    { title: "no state file", found: null },
    // It may have been begun after another one was lost.
    { title: "a state file without a vote", found: memory },
    { title: "a vote", found: { ...memory, vote: { term: 6, candidate: primary } } },
  ])("gives no vote before the hold is over, with $title", ({ found }) => {
    const { vote_hold: holdMs } = quickSettings;
    const state = startState(self, { memory: found, leaseSeed: 1, settings: quickSettings, now: NOW });
    const at = (now: number) => ({ ...ballot(null), memory: state.memory, voter: state.voter, now });
    expect(judgeRequest(at(NOW + holdMs - 1), quickSettings)).toEqual({
      kind: "refuse",
      reason: "vote-held",
    });
    expect(judgeRequest(at(NOW + holdMs), quickSettings)).toEqual({ kind: "grant" });
  });
});
