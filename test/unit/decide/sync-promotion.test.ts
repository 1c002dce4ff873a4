import { describe, expect, it } from "vitest";
import { judgeHandPromotion, type HandPromotionFacts } from "../../../src/decide/sync-promotion.js";
import { parseLsn } from "../../../src/model/lsn.js";
import { nodeId } from "../../../src/model/node-record.js";
import { parseSyncState } from "../../../src/model/sync-state.js";
import type { LogPosition } from "../../../src/model/vote.js";

const at = (lsn: string, termRow = 2): LogPosition => ({ lsn: parseLsn(lsn), termRow });

/** Node 2 wants to be promoted; `grants` are the positions of those that have detached for it, `refusals` of others. */
function judge(
  grants: Readonly<Record<number, LogPosition>>,
  {
    refusals = {},
    state = "version=5 members=1,2,3 q=1",
    nodes = [1, 2, 3],
    witness = null,
  }: {
    readonly refusals?: Readonly<Record<number, LogPosition>>;
    readonly state?: string;
    readonly nodes?: readonly number[];
    readonly witness?: HandPromotionFacts["witness"];
  } = {},
) {
  const list = (positions: Readonly<Record<number, LogPosition>>, hasGranted: boolean) =>
    Object.entries(positions).map(([id, position]) => ({ nodeId: nodeId(Number(id)), position, hasGranted }));
  return judgeHandPromotion({
    witness,
    own: { nodeId: nodeId(2), position: at("0/3000000") },
    state: parseSyncState(state),
    dataNodes: nodes.map((id) => ({ nodeId: nodeId(id), nodeName: `n${id}` })),
    others: [...list(grants, true), ...list(refusals, false)],
  });
}

describe("judgeHandPromotion", () => {
  it.each([
    ["the other standby has less", { 3: at("0/2000000") }, {}],
    ["the other standby has as much", { 3: at("0/3000000") }, {}],
    ["the other standby has a longer log of an earlier term", { 3: at("0/9000000", 1) }, {}],
    ["it is the only standby", {}, { nodes: [1, 2], state: "version=3 members=1,2 q=1" }],
  ])("allows it when %s", (_title, grants, cluster) => {
    expect(judge(grants, cluster)).toBeNull();
  });

  const twoNodes = { nodes: [1, 2], state: "version=3 members=1,2 q=1" };
  const witness = { nodeName: "w", isAnswering: true, excluded: nodeId(2) };

  it.each([
    [
      "the primary may have gone on without it",
      witness,
      /the primary went on without it, as the witness "w"/,
    ],
    ["nobody knows whether it has", { ...witness, isAnswering: false, excluded: null }, /does not answer$/],
  ])("refuses the only standby when %s", (_title, word, detail) => {
    expect(judge({}, { ...twoNodes, witness: word })).toMatchObject({
      message: "this standby may lack acknowledged rows",
      detail: expect.stringMatching(detail) as string,
    });
  });

  it.each([
    ["another one was left out", {}, { ...witness, excluded: nodeId(1) }],
    ["it was left out, and the other one has detached with no more", { 1: at("0/3000000") }, witness],
  ])("allows it when %s", (_title, grants, word) => {
    expect(judge(grants, { ...twoNodes, witness: word })).toBeNull();
  });

  it.each([
    ["has detached", { 3: at("0/3000001") }, {}],
    ["does not vote for who has less", {}, { refusals: { 3: at("0/3000001") } }],
  ])("names the node that has more and %s", (_title, grants, cluster) => {
    expect(judge(grants, cluster)).toMatchObject({
      message: "this standby does not have every acknowledged row",
      hint: 'execute "standby promote" on node "n3"',
    });
  });

  it.each([
    ["nobody has detached", {}, {}, '"n1", "n3"'],
    ["the other standby, which has as much, has not", {}, { refusals: { 3: at("0/3000000") } }, '"n1", "n3"'],
    ["no set is on record", { 3: at("0/2000000") }, { state: "" }, '"n1"'],
    [
      "a change is under way, for the new set too",
      { 3: at("0/2000000") },
      { state: "version=6 members=1,2,3 q=1 pending=1,2,3,4,5,6 pending_q=3", nodes: [1, 2, 3, 4, 5, 6] },
      '"n1", "n4", "n5", "n6"',
    ],
  ])("refuses it when %s", (_title, grants, cluster, missing) => {
    expect(judge(grants, cluster)).toMatchObject({
      message: "it is unknown whether this standby has every acknowledged row",
      detail: `not detached for this promotion: ${missing}`,
    });
  });
});
