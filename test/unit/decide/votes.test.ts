import { describe, expect, it } from "vitest";
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
