import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  coversAcknowledged,
  decideSyncStep,
  describeStranger,
  makeSyncSet,
  syncSetsOf,
  type SyncFacts,
} from "../../../src/decide/sync-set.js";
import { parseLsn } from "../../../src/model/lsn.js";
import { nodeId, type NodeId } from "../../../src/model/node-record.js";
import {
  BLOCKED_NAMES,
  parseSyncState,
  renderSyncState,
  type SyncNode,
  type WalSender,
} from "../../../src/model/sync-state.js";

const since = parseLsn("0/3000000");
const behind = parseLsn("0/2000000");
const ids = (...list: number[]): NodeId[] => list.map(nodeId);

const node = (id: number, over: Partial<SyncNode> = {}): SyncNode => ({
  nodeId: nodeId(id),
  nodeName: `n${id}`,
  slotName: null,
  address: null,
  ...over,
});
const sender = (id: number, over: Partial<WalSender> = {}): WalSender => ({
  name: `n${id}`,
  state: "streaming",
  flushLsn: since,
  slotName: null,
  address: null,
  ...over,
});

/** Node 1 leads; `state` is the row, `nodes` the registered ones, `flushed` those that have everything. */
function factsOf({
  state,
  names,
  nodes,
  flushed = [],
  lagging = [],
  ...rest
}: {
  readonly state: string | null;
  readonly names: string;
  readonly nodes: readonly number[];
  readonly flushed?: readonly number[];
  readonly lagging?: readonly number[];
} & Partial<Pick<SyncFacts, "since" | "unsound">>): SyncFacts {
  return {
    self: nodeId(1),
    state: state === null ? null : parseSyncState(state),
    names,
    nodes: nodes.map((id) => node(id)),
    senders: [...flushed.map((id) => sender(id)), ...lagging.map((id) => sender(id, { flushLsn: behind }))],
    lsn: since,
    since,
    unsound: new Set(),
    ...rest,
  };
}

const three = "version=5 members=1,2,3 q=1";
const all = 'ANY 1 ("n2","n3")';
const toFour = `${three} pending=1,2,3,4 pending_q=2`;
const four = "version=7 members=1,2,3,4 q=2";
const toThree = `${four} pending=1,2,3 pending_q=1`;

describe("decideSyncStep", () => {
  it.each([
    ["begins with itself alone", { state: null, names: "", nodes: [1, 2, 3] }, "version=1 members=1 q=0"],
    [
      "adds a standby that streams",
      { state: "version=1 members=1 q=0", names: "", nodes: [1, 2], flushed: [2] },
      "version=2 members=1 q=0 pending=1,2 pending_q=1",
    ],
    [
      "adds one at a time",
      { state: "version=1 members=1 q=0", names: "", nodes: [1, 2, 3], flushed: [2, 3] },
      "version=2 members=1 q=0 pending=1,2 pending_q=1",
    ],
    [
      "does not add who does not stream",
      { state: "version=1 members=1 q=0", names: "", nodes: [1, 2] },
      "wait",
    ],
    [
      "adds the next when the one before it does not stream from here",
      { state: "version=3 members=1,2 q=1", names: 'ANY 1 ("n2")', nodes: [1, 2, 3, 4], flushed: [2, 4] },
      "version=4 members=1,2 q=1 pending=1,2,4 pending_q=1",
    ],
    [
      "begins no change before the last is kept",
      { state: three, names: all, nodes: [1, 2, 3, 4], lagging: [2, 3, 4] },
      "wait",
    ],
    [
      "waits until the old set has the pending row",
      { state: toFour, names: all, nodes: [1, 2, 3, 4], lagging: [2, 3], flushed: [4] },
      "wait",
    ],
    [
      "waits for the pending row while nothing is known to be flushed",
      { state: toFour, names: all, nodes: [1, 2, 3, 4], flushed: [2, 3, 4], since: null },
      "wait",
    ],
    [
      "then sets the names of the new one",
      { state: toFour, names: all, nodes: [1, 2, 3, 4], flushed: [2] },
      'ANY 2 ("n2","n3","n4")',
    ],
    [
      "waits until the new set has it",
      { state: toFour, names: 'ANY 2 ("n2","n3","n4")', nodes: [1, 2, 3, 4], flushed: [4] },
      "wait",
    ],
    [
      "and ends the change",
      { state: toFour, names: 'ANY 2 ("n2","n3","n4")', nodes: [1, 2, 3, 4], flushed: [3, 4] },
      "version=6 members=1,2,3,4 q=2",
    ],
    [
      "removes who is not registered any more",
      { state: four, names: 'ANY 2 ("n2","n3","n4")', nodes: [1, 2, 3], flushed: [2, 3] },
      "version=8 members=1,2,3,4 q=2 pending=1,2,3 pending_q=1",
    ],
    [
      "does not count the leaver",
      { state: toThree, names: 'ANY 2 ("n2","n3","n4")', nodes: [1, 2, 3], flushed: [2, 4] },
      "wait",
    ],
    [
      "sets the names without the leaver",
      { state: toThree, names: 'ANY 2 ("n2","n3","n4")', nodes: [1, 2, 3], flushed: [2, 3] },
      'ANY 1 ("n2","n3")',
    ],
    [
      "waits when most nodes cannot know that they are unregistered",
      { state: toThree, names: all, nodes: [1] },
      "wait",
    ],
    [
      "lets go of the other one of two",
      { state: "version=4 members=1,2 q=1 pending=1 pending_q=0", names: 'ANY 1 ("n2")', nodes: [1] },
      "",
    ],
    [
      "waits until most nodes know of the one that is removed",
      {
        state: "version=4 members=1,2 q=1 pending=1 pending_q=0",
        names: 'ANY 1 ("n2")',
        nodes: [1, 3, 5],
        lagging: [3, 5],
      },
      "wait",
    ],
    ["is settled", { state: three, names: all, nodes: [1, 2, 3] }, "settled"],
    ["keeps the names of standbys that are down", { state: three, names: all, nodes: [1, 2, 3] }, "settled"],
    ["puts back what somebody changed", { state: three, names: "", nodes: [1, 2, 3] }, all],
    [
      "leaves a promoted server blocked until the set has its first row",
      { state: three, names: BLOCKED_NAMES, nodes: [1, 2, 3], lagging: [2, 3] },
      "wait",
    ],
    [
      "and lets it acknowledge then",
      { state: three, names: BLOCKED_NAMES, nodes: [1, 2, 3], flushed: [3] },
      all,
    ],
    [
      "with a change pending both sets must have it",
      { state: toFour, names: BLOCKED_NAMES, nodes: [1, 2, 3, 4], flushed: [3] },
      "wait",
    ],
    [
      "leaves out a name that a stranger uses",
      { state: three, names: all, nodes: [1, 2, 3], unsound: new Set([nodeId(2)]) },
      'ANY 1 ("n3")',
    ],
    [
      "blocks when no name can be believed",
      { state: three, names: all, nodes: [1, 2, 3], unsound: new Set([nodeId(2), nodeId(3)]) },
      BLOCKED_NAMES,
    ],
  ] as const)("%s", (_title, facts, expected) => {
    const step = decideSyncStep(factsOf(facts));
    const said =
      step.kind === "write-state"
        ? renderSyncState(step.state)
        : step.kind === "set-names"
          ? step.names
          : step.kind;
    expect(said).toBe(expected);
  });

  it("does not count whom a stranger stands for", () => {
    const facts = factsOf({ state: three, names: BLOCKED_NAMES, nodes: [1, 2, 3], flushed: [2] });
    const doubled = { ...facts, senders: [...facts.senders, sender(2)] };
    expect(decideSyncStep(doubled).kind).toBe("wait");
  });
});

describe("describeStranger", () => {
  it.each([
    ["one sender", node(2), [sender(2)], null],
    ["none", node(2), [], null],
    ["two senders", node(2), [sender(2), sender(2)], /^2 WAL senders/],
    ["two in other letters", node(2), [sender(2), sender(2, { name: "N2" })], /^2 WAL senders/],
    ["the node's slot", node(2, { slotName: "s2" }), [sender(2, { slotName: "s2" })], null],
    ["no slot", node(2, { slotName: "s2" }), [sender(2)], /does not use its replication slot "s2"/],
    ["its address", node(2, { address: "10.0.0.2" }), [sender(2, { address: "10.0.0.2" })], null],
    [
      "another address",
      node(2, { address: "10.0.0.2" }),
      [sender(2, { address: "10.0.0.9" })],
      /10\.0\.0\.9/,
    ],
    ["a socket", node(2, { address: "10.0.0.2" }), [sender(2)], null],
  ] as const)("with %s", (_title, one, senders, expected) => {
    const said = describeStranger(one, senders);
    if (expected === null) expect(said).toBeNull();
    else expect(said).toMatch(expected);
  });
});

describe("coversAcknowledged", () => {
  it.each([
    [[1, 2, 3], [2, 3], true],
    [[1, 2, 3], [3], false],
    [[1, 2], [2], true],
    [[1, 2, 3, 4], [3, 4], true],
    [[1, 2, 3, 4, 5], [4, 5], false],
    [[1, 2, 3], [4, 5, 3], false],
  ])("of %j by %j is %s", (members, holders, expected) => {
    expect(coversAcknowledged([makeSyncSet(ids(...members))], new Set(ids(...holders)))).toBe(expected);
  });

  it("asks for the old set and for the new one while a change is pending", () => {
    const sets = syncSetsOf(parseSyncState(`${three} pending=1,2,3,4 pending_q=2`), ids(1, 2, 3, 4));
    expect(coversAcknowledged(sets, new Set(ids(3, 4)))).toBe(false);
    expect(coversAcknowledged(sets, new Set(ids(2, 3)))).toBe(true);
  });

  it("meets every group that can have acknowledged a commit", () => {
    const subset = fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { maxLength: 7 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), subset, subset, (size, acknowledging, granting) => {
        const set = makeSyncSet(Array.from({ length: size }, (_, index) => nodeId(index + 1)));
        const others = acknowledging.filter((id) => id > 1 && id <= size);
        fc.pre(others.length >= set.quorum);
        const holders = new Set(ids(...granting));
        fc.pre(coversAcknowledged([set], holders));
        expect([1, ...others].some((id) => holders.has(nodeId(id)))).toBe(true);
      }),
    );
  });
});

describe("renderSyncState", () => {
  it.each([three, toFour, "version=1 members=1 q=0"])("writes what parseSyncState reads: %s", (text) => {
    const state = parseSyncState(text);
    expect(state === null ? null : renderSyncState(state)).toBe(text);
  });

  it.each(["", "version=1", "version=1 members= q=1", `${three} pending=1`])("%j is none", (text) => {
    expect(parseSyncState(text)).toBeNull();
  });
});
