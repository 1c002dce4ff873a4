import { describe, expect, it } from "vitest";
import { judgeVote } from "../../../src/decide/attach-vote.js";

describe("judgeVote", () => {
  it.each([
    { what: "no vote", votedTerm: 0, votedAgoMs: null, termRow: null, sync: true, refused: false },
    { what: "the voted term", votedTerm: 4, votedAgoMs: 100, termRow: 4, sync: true, refused: false },
    { what: "a later term", votedTerm: 4, votedAgoMs: 100, termRow: 5, sync: true, refused: false },
    {
      what: "an earlier term, just now",
      votedTerm: 4,
      votedAgoMs: 100,
      termRow: 3,
      sync: false,
      refused: true,
    },
    {
      what: "an earlier term, long ago",
      votedTerm: 4,
      votedAgoMs: 20_000,
      termRow: 3,
      sync: false,
      refused: false,
    },
    {
      what: "an earlier term, some time",
      votedTerm: 4,
      votedAgoMs: null,
      termRow: 3,
      sync: false,
      refused: false,
    },
    {
      what: "an earlier term, by a clock set back",
      votedTerm: 4,
      votedAgoMs: -1,
      termRow: 3,
      sync: false,
      refused: false,
    },
    {
      what: "an earlier term, long ago",
      votedTerm: 4,
      votedAgoMs: 20_000,
      termRow: 3,
      sync: true,
      refused: true,
    },
    { what: "no term", votedTerm: 4, votedAgoMs: 100, termRow: null, sync: false, refused: true },
  ])("of a primary with $what, synchronous $sync: refused $refused", ({ sync, refused, ...facts }) => {
    const problem = judgeVote(facts, { isSynchronous: sync, holdMs: 12_000 }, "follow");
    expect(problem !== null).toBe(refused);
    if (refused && !sync) expect(problem?.hint).toContain("try again in 12 seconds");
  });
});
