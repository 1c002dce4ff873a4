import { describe, expect, it } from "vitest";
import { disarmExcluded, judgeSyncHealth } from "../../../src/decide/sync-health.js";
import { parseLsn } from "../../../src/model/lsn.js";
import { nodeId } from "../../../src/model/node-record.js";
import { BLOCKED_NAMES, parseSyncState, type SyncLook } from "../../../src/model/sync-state.js";

const lsn = parseLsn("0/3000000");
const names = 'ANY 1 ("n2","n3")';

/** Three nodes in order; `streaming` are the names of the WAL senders. */
function lookOf({
  streaming = ["n2", "n3"],
  state = "version=5 members=1,2,3 q=1",
  ...rest
}: Partial<Pick<SyncLook, "names">> & { streaming?: readonly string[]; state?: string } = {}): SyncLook {
  return {
    state: parseSyncState(state),
    names,
    nodes: [1, 2, 3].map((id) => ({ nodeId: nodeId(id), nodeName: `n${id}`, slotName: null, address: null })),
    senders: streaming.map((name) => ({
      name,
      state: "streaming",
      flushLsn: lsn,
      slotName: null,
      address: null,
    })),
    lsn,
    ...rest,
  };
}

const membersOf = (count: number, hasWitness = false) => [
  ...Array.from({ length: count }, (_, index) => ({
    nodeId: nodeId(index + 1),
    nodeName: `n${index + 1}`,
    type: index === 0 ? ("primary" as const) : ("standby" as const),
  })),
  ...(hasWitness ? [{ nodeId: nodeId(9), nodeName: "w", type: "witness" as const }] : []),
];
const around = { members: membersOf(3), witness: null, timeoutMs: 10_000 };

const judge = (look: SyncLook, hasDaemon = true) =>
  judgeSyncHealth({
    ...around,
    mode: "quorum",
    primary: { nodeId: nodeId(1), nodeName: "n1", hasDaemon, look },
  });

describe("judgeSyncHealth", () => {
  it("is kept by the standbys of the set", () => {
    expect(judge(lookOf())).toEqual({
      mode: "quorum",
      isKept: true,
      quorum: 1,
      standbys: ["n2", "n3"],
      names,
      reasons: [],
      notes: [],
      excluded: null,
    });
  });

  it.each([
    ["nothing on record", lookOf({ state: "" }), /not on record/],
    ["a name that a stranger uses", lookOf({ streaming: ["n2", "n2"] }), /^2 WAL senders use the name "n2"$/],
    ["other names", lookOf({ names: "" }), /^synchronous_standby_names is '', by the set/],
    [
      "a new primary that is blocked",
      lookOf({ names: BLOCKED_NAMES }),
      /^all commits wait: the standbys do not/,
    ],
    ["no standby", lookOf({ streaming: [] }), /^all commits wait: 0 of at least 1/],
  ])("is not kept with %s", (_title, look, reason) => {
    const { isKept, reasons } = judge(look);
    expect(isKept).toBe(false);
    expect(reasons).toEqual([expect.stringMatching(reason)]);
  });

  it("is not kept without the daemon of the primary", () => {
    expect(judge(lookOf(), false).reasons).toEqual(['no daemon on the primary "n1" manages the set']);
  });

  it("is not kept without a primary", () => {
    expect(judgeSyncHealth({ ...around, mode: "quorum", primary: null })).toMatchObject({
      isKept: false,
      reasons: ["no primary answers"],
    });
  });

  describe("of a cluster that may go on without its standby", () => {
    const members = membersOf(2, true);
    const record = {
      epoch: 3,
      node: nodeId(2),
      holder: nodeId(1),
      term: 5,
      since: "2026-11-21T12:00:00.000Z",
    };
    const look = (over: Parameters<typeof lookOf>[0]) => {
      const known = lookOf(over);
      return { ...known, nodes: known.nodes.slice(0, 2) };
    };
    const judgeTwo = (over: Parameters<typeof lookOf>[0], word: { record: typeof record | null } | null) =>
      judgeSyncHealth({
        ...around,
        members,
        mode: "preferred",
        witness: word,
        primary: { nodeId: nodeId(1), nodeName: "n1", hasDaemon: true, look: look(over) },
      });
    const strict = { state: "version=3 members=1,2 q=1", names: 'ANY 1 ("n2")' };
    const out = { state: "version=5 members=1 q=0 epoch=3 excluded=2", names: "", streaming: [] };

    it("says for whom commits wait, and for how long", () => {
      expect(judgeTwo({ ...strict, streaming: [] }, { record: null })).toMatchObject({
        isKept: false,
        notes: [/^waiting for "n2": commits go on without it after 10 seconds/].map((text): unknown =>
          expect.stringMatching(text),
        ),
        excluded: null,
      });
    });

    it("is kept while the standby is excluded, and says since when", () => {
      expect(judgeTwo(out, { record })).toMatchObject({
        isKept: true,
        quorum: 0,
        reasons: [],
        notes: [
          '"n2" is excluded since 2026-11-21T12:00:00.000Z, epoch 3: commits go on without it, and it is not promoted',
        ],
        excluded: { nodeId: nodeId(2), nodeName: "n2", epoch: 3, since: record.since },
      });
    });

    it("says that the witness is missing", () => {
      expect(judgeTwo(strict, null).notes).toEqual([
        "the witness does not answer: commits cannot go on without a standby now",
      ]);
    });

    it("names without a primary who is not promoted, and who has everything", () => {
      const health = judgeSyncHealth({
        ...around,
        members,
        mode: "preferred",
        witness: { record },
        primary: null,
      });
      expect(health.reasons).toEqual([
        "no primary answers",
        '"n2" is excluded since 2026-11-21T12:00:00.000Z, epoch 3: it may lack acknowledged rows and is not promoted',
        '"n1" has every acknowledged row: start its server',
      ]);
      const verdict = disarmExcluded(
        { isArmed: true, reasons: [], notes: [] },
        { synchronous: health, primary: null },
      );
      expect(verdict).toMatchObject({
        isArmed: false,
        reasons: [/^"n2" is not promoted/].map((text): unknown => expect.stringMatching(text)),
      });
    });

    it("is not offered without a witness", () => {
      const [first, second] = members;
      if (first === undefined || second === undefined) throw new Error("two members are needed");
      const health = judgeSyncHealth({
        ...around,
        members: [first, second],
        mode: "preferred",
        primary: { nodeId: nodeId(1), nodeName: "n1", hasDaemon: true, look: look(strict) },
      });
      expect(health.reasons).toEqual([expect.stringContaining("needs two data nodes and one witness")]);
    });
  });

  it("notes a change that is under way, and who is not counted yet", () => {
    const state = "version=2 members=1,2 q=1 pending=1,2,3 pending_q=1";
    expect(judge(lookOf({ state }))).toMatchObject({
      isKept: true,
      notes: ["a change to nodes 1, 2, 3 is under way", '"n3" is registered and not counted yet'],
    });
  });
});
