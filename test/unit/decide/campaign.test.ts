import { describe, expect, it } from "vitest";
import { startCampaign } from "../../../src/decide/campaign.js";
import { answerRequests } from "../../../src/decide/vote-collection.js";
import type { Situation } from "../../../src/decide/watch-types.js";
import { nodeId } from "../../../src/model/node-record.js";
import { situations } from "./grid-samples.js";

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
