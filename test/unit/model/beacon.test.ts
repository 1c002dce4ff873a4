import { describe, expect, it } from "vitest";
import {
  parseBeacon,
  parseLease,
  parsePauseRequest,
  parseVoteBeacon,
  parseVoteRequest,
  renderBeacon,
  renderLease,
  renderPauseRequest,
  renderVoteBeacon,
  renderVoteRequest,
  type DaemonBeacon,
} from "../../../src/model/beacon.js";
import { parseLsn } from "../../../src/model/lsn.js";
import { nodeId } from "../../../src/model/node-record.js";

const beacon: DaemonBeacon = {
  nodeId: nodeId(2),
  upstreamNodeId: nodeId(1),
  upstreamSeenMs: 120,
  term: 7,
  isPaused: true,
  activity: "E",
  followingNodeId: nodeId(3),
  pid: 4711,
  heldForMs: 900,
  shortcoming: "forgetful",
};
const request = {
  term: 8,
  candidate: nodeId(2),
  termRow: 7,
  lsn: parseLsn("16/B374D848"),
  membersVersion: 4,
  counter: 3,
  isAbandoned: true,
};
const vote = {
  votedTerm: 8,
  votedFor: nodeId(2),
  boot: "m5x",
  primarySeenMs: 40,
  leaseEcho: { holder: nodeId(1), term: 7, counter: 77 },
};

describe("the messages in application_name", () => {
  it("are read as they were written", () => {
    expect(parseBeacon(renderBeacon(beacon))).toEqual(beacon);
    expect(parseVoteBeacon(renderVoteBeacon(vote))).toEqual(vote);
    expect(parseVoteRequest(renderVoteRequest(request))).toEqual(request);
    expect(parsePauseRequest(renderPauseRequest({ isPaused: false }))).toEqual({ isPaused: false });
    expect(parseLease(renderLease(vote.leaseEcho))).toEqual(vote.leaseEcho);
  });

  it("say of what is not known that it is not", () => {
    const unknown = {
      ...beacon,
      upstreamNodeId: null,
      upstreamSeenMs: null,
      term: null,
      followingNodeId: null,
      heldForMs: null,
      shortcoming: null,
    };
    expect(parseBeacon(renderBeacon(unknown))).toEqual(unknown);
    expect(renderBeacon(unknown)).toBe("tsr1 n=2 c=4711 p=1 r=E");
  });

  it("fit the 63 bytes of PostgreSQL, and leave out what matters least", () => {
    const id = nodeId(2 ** 31 - 1);
    const long = {
      ...beacon,
      nodeId: id,
      upstreamNodeId: id,
      term: 2 ** 31 - 1,
      followingNodeId: id,
      pid: 4194304,
    };
    const name = renderBeacon(long);
    expect(name.length).toBeLessThanOrEqual(63);
    expect(parseBeacon(name)).toMatchObject({ nodeId: id, pid: 4194304, isPaused: true, upstreamNodeId: id });
    const wide = {
      ...request,
      candidate: id,
      lsn: parseLsn("FFFFFFFF/FFFFFFFF"),
      term: 99_999,
      termRow: 99_998,
    };
    expect(renderVoteRequest(wide).length).toBeLessThanOrEqual(63);
    expect(parseVoteRequest(renderVoteRequest(wide))).toMatchObject({ candidate: id, lsn: wide.lsn });
  });

  it.each([
    "",
    "psql",
    "tsr1 ",
    "tsr1 n=x c=1",
    "tsr1 n=2",
    "tsr1v v=8",
    "tsr1v v=a:b",
    "tsr1q t=1 c=2 r=3 l=zz",
    "tsr1p p=2",
  ])("are not found in %j", (name) => {
    expect([
      parseBeacon(name),
      parseVoteBeacon(name),
      parseVoteRequest(name),
      parsePauseRequest(name),
    ]).toEqual([null, null, null, null]);
  });
});
