import { describe, expect, it } from "vitest";
import { judgeExclusion } from "../../../src/decide/exclusions.js";
import { decide, startState } from "../../../src/decide/transitions.js";
import type { DaemonState } from "../../../src/decide/watch-types.js";
import type { Member } from "../../../src/model/member-report.js";
import { nodeId } from "../../../src/model/node-record.js";
import type { SyncExclusion } from "../../../src/model/sync-exclusion.js";
import { quickSettings } from "../../scenario/failover/scenario.js";
import { serverReport } from "./grid-samples.js";

const [one, two, three] = [nodeId(1), nodeId(2), nodeId(3)];
const NOW = 100_000;
const serverSample = serverReport(false);
const settings = { ...quickSettings, sync_mode: "preferred" as const };

const member = (id: number, type: Member["type"]): Member => ({
  nodeId: nodeId(id),
  type,
  upstreamNodeId: type === "primary" ? null : one,
  active: true,
  priority: 100,
  location: "default",
});
const membership = {
  version: 1,
  members: [member(1, "primary"), member(2, "standby"), member(3, "witness")],
};

/** Node 1 leads in term 5 and asks for permission to go on without node 2. */
const wish: SyncExclusion = { epoch: 4, node: two, holder: one, term: 5 };
const lifted: SyncExclusion = { epoch: 3, node: null, holder: one, term: 5 };

function witnessWith(memory: Partial<DaemonState["memory"]>): DaemonState {
  const state = startState(three, { memory: null, leaseSeed: 1, settings, now: NOW });
  return {
    ...state,
    voter: { ...state.voter, holdUntil: NOW },
    memory: { ...state.memory, exclusion: lifted, ...memory },
    membership,
  };
}

describe("judgeExclusion", () => {
  const judge = (memory: Partial<DaemonState["memory"]>, over: Partial<SyncExclusion> = {}) =>
    judgeExclusion({ ...wish, ...over }, { daemon: witnessWith(memory), now: NOW });

  it.each([
    ["nothing speaks against it", {}, {}],
    ["the vote was for the primary that asks", { vote: { term: 5, candidate: one } }, {}],
    ["it voted for the standby in an earlier term", { vote: { term: 4, candidate: two } }, {}],
    ["it is taken back", { exclusion: { ...wish, epoch: 3 } }, { node: null }],
    [
      "the standby that was left out leads now",
      { exclusion: { ...wish, epoch: 3 } },
      { node: one, holder: two, term: 6 },
    ],
  ])("permits it when %s", (_title, memory, over) => {
    expect(judge(memory, over)).toBeNull();
  });

  it.each([
    ["it voted for the standby", { vote: { term: 6, candidate: two } }, {}, "term-used"],
    ["the term is another one's", { vote: { term: 5, candidate: two } }, {}, "term-used"],
    ["a later primary has asked", { exclusion: { ...lifted, holder: two, term: 6 } }, {}, "term-used"],
    ["the epoch was used", { exclusion: { ...lifted, epoch: 4 } }, {}, "epoch-used"],
    ["the primary means itself", {}, { node: one }, "not-members"],
    ["the one that asks is no data node", {}, { holder: three }, "not-members"],
    ["it names nobody", {}, { node: nodeId(7) }, "not-members"],
  ])("refuses it when %s", (_title, memory, over, reason) => {
    expect(judge(memory, over)).toBe(reason);
  });

  it("refuses it while its votes are forgotten and may count", () => {
    const daemon = witnessWith({});
    const held = { ...daemon, voter: { ...daemon.voter, holdUntil: NOW + 1 } };
    expect(judgeExclusion(wish, { daemon: held, now: NOW })).toBe("votes-forgotten");
  });
});

describe("a witness that is asked", () => {
  const look = (
    state: DaemonState,
    { exclusions = [], exclusion = null }: { exclusions?: SyncExclusion[]; exclusion?: SyncExclusion | null },
  ) =>
    decide(
      state,
      {
        kind: "local-seen",
        server: { ...serverSample, exclusion },
        membership,
        sessions: { requests: [], leases: [], exclusions },
      },
      { settings, now: NOW },
    );

  it("writes it to the state file, then to its database", () => {
    const { state, actions } = look(witnessWith({}), { exclusions: [wish], exclusion: lifted });
    expect(state.memory.exclusion).toEqual(wish);
    expect(actions.map(({ kind }) => kind).slice(0, 2)).toEqual(["write-memory", "record-exclusion"]);
  });

  it("takes of two that were left for one epoch the one that forbids more", () => {
    const { state } = look(witnessWith({}), { exclusions: [{ ...wish, node: null }, wish] });
    expect(state.memory.exclusion).toEqual(wish);
  });

  it("knows by its database what a state file that was lost had", () => {
    const { state } = look(witnessWith({ exclusion: null }), { exclusion: wish });
    expect(state.memory.exclusion).toEqual(wish);
  });

  it("writes again what its database lacks", () => {
    const { actions } = look(witnessWith({ exclusion: wish }), { exclusion: lifted });
    expect(actions).toContainEqual({ kind: "record-exclusion", exclusion: wish });
  });

  it("does not vote for the standby that is left out, and again when that is over", () => {
    const request = {
      term: 9,
      candidate: two,
      termRow: 5,
      lsn: serverSample.lsn,
      membershipVersion: 1,
      isAbandoned: false,
    };
    const ask = (exclusion: SyncExclusion) =>
      decide(
        witnessWith({ exclusion }),
        {
          kind: "local-seen",
          server: { ...serverSample, exclusion },
          membership,
          sessions: { requests: [request], leases: [], exclusions: [] },
        },
        { settings, now: NOW },
      ).state.memory.vote;
    expect(ask(wish)).toBeNull();
    expect(ask({ ...wish, node: null })).toEqual({ term: 9, candidate: two });
  });
});
