import { describe, expect, it } from "vitest";
import { followLag, measureLag, noLag } from "../../../src/decide/sync-lag.js";
import { judgePreferred } from "../../../src/decide/sync-offer.js";
import { decidePreferredStep, type PreferredFacts } from "../../../src/decide/sync-preferred.js";
import type { Lsn } from "../../../src/model/lsn.js";
import { nodeId } from "../../../src/model/node-record.js";
import type { SyncExclusion } from "../../../src/model/sync-exclusion.js";
import {
  BLOCKED_NAMES,
  parseSyncState,
  renderSyncState,
  type SyncStep,
} from "../../../src/model/sync-state.js";

const [one, two] = [nodeId(1), nodeId(2)];
const since = 3000n as Lsn;

/** Node 1 leads in term 5. */
const recorded = (epoch: number, over: Partial<SyncExclusion> = {}): SyncExclusion => ({
  epoch,
  node: two,
  holder: one,
  term: 5,
  ...over,
});

interface Case {
  readonly state: string;
  readonly names: string;
  /** Default: the witness has nothing on record. */
  readonly record?: SyncExclusion | "silent";
  /** For how long the standby has not had everything; null: it does not stream. */
  readonly lagMs?: number | null;
  readonly mayExclude?: boolean;
}

function factsOf({ state, names, record, lagMs = 0, mayExclude = true }: Case): PreferredFacts {
  const node = (id: number) => ({ nodeId: nodeId(id), nodeName: `n${id}`, slotName: null, address: null });
  const flushLsn = lagMs === 0 ? since : (1000n as Lsn);
  const sender = { name: "n2", state: "streaming", flushLsn, slotName: null, address: null };
  return {
    self: one,
    term: 5,
    state: parseSyncState(state),
    names,
    nodes: [node(1), node(2)],
    senders: lagMs === null ? [] : [sender],
    lsn: since,
    since,
    unsound: new Set(),
    mayExclude,
    witness: record === "silent" ? null : { record: record ?? null },
    lagMs: new Map([[two, lagMs ?? Infinity]]),
    timeoutMs: 10_000,
  };
}

const describeStep = (step: SyncStep): string => {
  switch (step.kind) {
    case "write-state":
      return renderSyncState(step.state);
    case "set-names":
      return `names '${step.names}'`;
    case "ask-witness":
      return `ask epoch ${step.wish.epoch} for ${step.wish.node ?? "nobody"} in term ${step.wish.term}`;
    default:
      return step.kind;
  }
};

const STRICT = "version=3 members=1,2 q=1";
const NAMED = 'ANY 1 ("n2")';
const LEAVING = "version=4 members=1,2 q=1 pending=1 pending_q=0 epoch=1 excluded=2";
const OUT = "version=5 members=1 q=0 epoch=1 excluded=2";
const RETURNING = "version=6 members=1 q=0 pending=1,2 pending_q=1 epoch=1 excluded=2";
const BACK = "version=7 members=1,2 q=1 epoch=1 excluded=0";

describe("decidePreferredStep", () => {
  it.each<[string, Case, string]>([
    ["waits for a standby within the bound", { state: STRICT, names: NAMED, lagMs: 9000 }, "settled"],
    [
      "asks for permission after it",
      { state: STRICT, names: NAMED, lagMs: null },
      "ask epoch 1 for 2 in term 5",
    ],
    [
      "waits while the witness is silent",
      { state: STRICT, names: NAMED, lagMs: null, record: "silent" },
      "wait",
    ],
    [
      "never asks without the offer",
      { state: STRICT, names: NAMED, lagMs: null, mayExclude: false },
      "settled",
    ],
    ["writes the row first", { state: STRICT, names: NAMED, lagMs: null, record: recorded(1) }, LEAVING],
    ["then the names", { state: LEAVING, names: NAMED, lagMs: null, record: recorded(1) }, "names ''"],
    ["then the last row", { state: LEAVING, names: "", lagMs: null, record: recorded(1) }, OUT],
    ["goes on alone", { state: OUT, names: "", lagMs: null, record: recorded(1) }, "settled"],
    [
      "goes on alone without the witness too",
      { state: OUT, names: "", lagMs: null, record: "silent" },
      "settled",
    ],
    [
      "goes on alone after a promotion",
      { state: OUT, names: BLOCKED_NAMES, lagMs: null, record: recorded(1) },
      "names ''",
    ],
    [
      "does not count a standby at the edge",
      { state: OUT, names: "", lagMs: 6000, record: recorded(1) },
      "settled",
    ],
    ["counts one that has caught up", { state: OUT, names: "", record: recorded(1) }, RETURNING],
    [
      "waits for it before it has everything",
      { state: RETURNING, names: "", lagMs: 1000, record: recorded(1) },
      `names '${NAMED}'`,
    ],
    ["until it has everything", { state: RETURNING, names: NAMED, lagMs: 1000, record: recorded(1) }, "wait"],
    ["and then ends the change", { state: RETURNING, names: NAMED, record: recorded(1) }, BACK],
    [
      "takes back a change to one that is away again",
      { state: RETURNING, names: NAMED, lagMs: null, record: recorded(1) },
      "version=7 members=1 q=0 epoch=1 excluded=2",
    ],
    [
      "keeps the record until the last row is there",
      { state: BACK, names: NAMED, lagMs: 1000, record: recorded(1) },
      "settled",
    ],
    [
      "has the record lifted",
      { state: BACK, names: NAMED, record: recorded(1) },
      "ask epoch 2 for nobody in term 5",
    ],
    ["is done when it is", { state: BACK, names: NAMED, record: recorded(2, { node: null }) }, "settled"],
    [
      "asks anew although the last record stands",
      { state: BACK, names: NAMED, lagMs: null, record: recorded(1) },
      "ask epoch 2 for 2 in term 5",
    ],
    [
      "notes a permission of which no use was made, before it has it lifted",
      { state: STRICT, names: NAMED, record: recorded(1) },
      "version=4 members=1,2 q=1 epoch=1 excluded=0",
    ],
    ["blocks when the record is lost", { state: OUT, names: "", lagMs: null }, `names '${BLOCKED_NAMES}'`],
    [
      "asks again when it is lost",
      { state: OUT, names: BLOCKED_NAMES, lagMs: null },
      "ask epoch 2 for 2 in term 5",
    ],
    [
      "goes on by the new record",
      { state: OUT, names: BLOCKED_NAMES, lagMs: null, record: recorded(2) },
      "version=6 members=1 q=0 epoch=2 excluded=2",
    ],
  ])("%s", (_title, facts, expected) => {
    expect(describeStep(decidePreferredStep(factsOf(facts)))).toBe(expected);
  });

  it("makes a former standby, left out and promoted with the other's vote, a member before it goes on alone", () => {
    const facts = {
      ...factsOf({ state: OUT, names: BLOCKED_NAMES, record: recorded(1, { holder: two }) }),
      term: 6,
    };
    const [self, other] = [two, one];
    const led = {
      ...facts,
      self,
      senders: [{ name: "n1", state: "streaming", flushLsn: since, slotName: null, address: null }],
      lagMs: new Map([[other, 0]]),
    };
    expect(describeStep(decidePreferredStep(led))).toBe("names 'ANY 1 (\"n1\")'");
  });
});

describe("measureLag", () => {
  const look = (lsn: bigint, flushed: bigint | null) => ({
    nodes: [{ nodeId: two, nodeName: "n2", slotName: null, address: null }],
    senders:
      flushed === null
        ? []
        : [{ name: "n2", state: "streaming", flushLsn: flushed as Lsn, slotName: null, address: null }],
    unsound: new Set<typeof two>(),
    lsn: lsn as Lsn,
  });
  const lagAfter = (...looks: readonly (readonly [at: number, lsn: bigint, flushed: bigint | null])[]) => {
    const record = looks.reduce(
      (lag, [now, lsn, flushed]) => followLag(lag, look(lsn, flushed), { now, keepMs: 20_000 }),
      noLag,
    );
    return measureLag(record, [two], looks.at(-1)?.[0] ?? 0).get(two);
  };

  it.each([
    ["is nothing for one that has all", 0, lagAfter([0, 10n, 10n], [1000, 20n, 20n])],
    [
      "is nothing for one that has what was there at the last look",
      0,
      lagAfter([0, 10n, 10n], [1000, 20n, 15n]),
    ],
    [
      "counts from the first row that it lacks",
      4000,
      lagAfter([0, 10n, 10n], [1000, 20n, 10n], [5000, 90n, 10n]),
    ],
    ["goes on without a connection", 4000, lagAfter([0, 10n, 10n], [1000, 20n, null], [5000, 90n, null])],
    ["is nothing while nothing is written", 0, lagAfter([0, 10n, 10n], [60_000, 10n, null])],
    ["counts from the start for one that was never seen", 5000, lagAfter([0, 10n, null], [5000, 10n, null])],
    ["does not count a time in which nobody looked", 0, lagAfter([0, 10n, 10n], [60_000, 90n, 80n])],
    [
      "is not forgotten with old marks",
      30_000,
      lagAfter([0, 10n, null], [30_000, 20n, null], [60_000, 30n, null]),
    ],
  ])("%s", (_title, expected, lag) => {
    expect(lag).toBe(expected);
  });
});

describe("judgePreferred", () => {
  const of = (...types: ("primary" | "standby" | "witness")[]) =>
    judgePreferred(types.map((type) => ({ type })));

  it("offers it to two data nodes and a witness", () => {
    expect(of("primary", "standby", "witness")).toBeNull();
  });

  it.each([
    ["without a witness", of("primary", "standby"), "registered are 2 data nodes and 0 witnesses"],
    ["with one data node", of("primary", "witness"), "registered are one data node and one witness"],
    [
      "with three",
      of("primary", "standby", "standby", "witness"),
      "registered are 3 data nodes and one witness",
    ],
  ])("does not %s", (_title, problem, detail) => {
    expect(problem).toMatchObject({
      detail,
      message: '"sync_mode" "preferred" needs two data nodes and one witness',
    });
  });
});
