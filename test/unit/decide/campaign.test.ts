import { describe, expect, it } from "vitest";
import { startCampaign } from "../../../src/decide/campaign.js";
import { answerRequests } from "../../../src/decide/vote-collection.js";
import type { DegradedReason, Situation } from "../../../src/decide/watch-types.js";
import type { Lsn } from "../../../src/model/lsn.js";
import { nodeId } from "../../../src/model/node-record.js";
import { serverReport, situations } from "./grid-samples.js";

const three = nodeId(3);

/** Node 2, which has just given its vote for term 7 to node 3. */
function voterOfThree(): Situation {
  const [situation] = situations("standby", { kind: "degraded" });
  if (situation === undefined) throw new Error("there is no situation");
  const { daemon, settings, now } = situation;
  const memory = { ...daemon.memory, vote: { term: 7, candidate: three } };
  const voter = { ...daemon.voter, holdUntil: now + settings.vote_hold };
  return { settings, now, daemon: { ...daemon, memory, voter, highestTerm: 7 } };
}

describe("startCampaign of a node that has given its vote", () => {
  it.each([
    {
      word: "has given up that term",
      said: { candidate: three, term: 7, isAbandoned: true },
      mayStand: true,
    },
    {
      word: "has given up an earlier term",
      said: { candidate: three, term: 6, isAbandoned: true },
      mayStand: false,
    },
    { word: "still asks", said: { candidate: three, term: 7, isAbandoned: false }, mayStand: false },
    { word: "is another one", said: { candidate: nodeId(1), term: 8, isAbandoned: true }, mayStand: false },
  ])("stands before the end of the hold: $mayStand, when the candidate $word", ({ mayStand, said }) => {
    const situation = voterOfThree();
    const server = situation.daemon.local;
    if (server === null) throw new Error("the server is down");
    const request = { ...said, termRow: server.termRow, lsn: server.lsn, membershipVersion: 1 };
    const { voter } = answerRequests(situation, {
      server,
      sessions: { requests: [request], leases: [], exclusions: [] },
    });
    const daemon = { ...situation.daemon, voter: { ...situation.daemon.voter, ...voter } };
    const started = startCampaign({ ...situation, daemon }, { isValidated: false, isReconnecting: false });
    expect(started.kind).toBe(mayStand ? "started" : "refused");
  });
});

describe("answerRequests to a candidate that lacks a little of the log", () => {
  const upstream = { nodeId: nodeId(1), isPrimary: true };

  function grantsVote(own: {
    readonly priority?: number;
    readonly failover?: "manual";
    readonly waitsFor?: { readonly reason: DegradedReason; readonly round: number };
  }): boolean {
    const { reason, round } = own.waitsFor ?? { reason: "votes-refused", round: 9 };
    const [situation] = situations("standby", { kind: "degraded", upstream, retryAt: 0, reason, round });
    if (situation === undefined) throw new Error("there is no situation");
    const { daemon, settings } = situation;
    const server = serverReport(true);
    const members = daemon.membership.members.map((member) =>
      member.nodeId === daemon.nodeId ? { ...member, priority: own.priority ?? 100 } : member,
    );
    const request = {
      ...{ candidate: three, term: 7, isAbandoned: false, membershipVersion: 1 },
      ...{ termRow: server.termRow, lsn: (server.lsn - 1n) as Lsn },
    };
    const { memory } = answerRequests(
      {
        ...situation,
        settings: { ...settings, failover: own.failover ?? "automatic" },
        daemon: { ...daemon, membership: { ...daemon.membership, members } },
      },
      { server, sessions: { requests: [request], leases: [], exclusions: [] } },
    );
    return memory !== undefined;
  }

  it.each([
    { title: "may be promoted itself", own: {}, expected: false },
    { title: "has priority 0", own: { priority: 0 }, expected: true },
    { title: 'has "failover=manual"', own: { failover: "manual" as const }, expected: true },
    {
      title: "has just begun to wait for its replay",
      own: { waitsFor: { reason: "replay-pending" as const, round: 2 } },
      expected: false,
    },
    {
      title: "has waited for its replay in vain",
      own: { waitsFor: { reason: "replay-pending" as const, round: 3 } },
      expected: true,
    },
  ])("gives the vote: $expected, when this node $title", ({ own, expected }) => {
    expect(grantsVote(own)).toBe(expected);
  });
});
