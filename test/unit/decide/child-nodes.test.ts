import { describe, expect, it } from "vitest";
import {
  compareChildren,
  countChildren,
  type ChildNode,
  type ChildRules,
  type ChildState,
} from "../../../src/decide/child-nodes.js";
import { nodeId } from "../../../src/model/node-record.js";

const child = (id: number, isAttached: boolean, type: ChildNode["type"] = "standby"): ChildNode => ({
  nodeId: nodeId(id),
  type,
  isAttached,
});
const known = (
  ...states: readonly (readonly [number, ChildState])[]
): Map<ReturnType<typeof nodeId>, ChildState> => new Map(states.map(([id, state]) => [nodeId(id), state]));
const attached = { kind: "attached" } as const;
const unknown = { kind: "unknown" } as const;
const away = (since: number): ChildState => ({ kind: "detached", since });

describe("compareChildren", () => {
  it.each([
    ["nothing at the first look", null, true, []],
    ["nothing while it is there", attached, true, []],
    ["that it left", attached, false, [["child_node_disconnect", null]]],
    ["nothing while it is away", away(1000), false, []],
    ["that it is back, and after how long", away(1000), true, [["child_node_reconnect", 4000]]],
    ["that one never seen before came", unknown, true, [["child_node_new_connect", null]]],
    ["nothing of one that was never there", unknown, false, []],
  ] as const)("tells %s", (_what, before, isAttached, expected) => {
    const states = before === null ? null : known([2, before]);
    const { changes } = compareChildren(states, [child(2, isAttached)], 5000);
    expect(changes.map(({ event, awayMs }) => [event, awayMs])).toEqual(expected);
  });

  it("tells of a node that was registered later once it is attached", () => {
    const { states, changes } = compareChildren(known([2, attached]), [child(2, true), child(3, false)], 0);
    expect(changes).toEqual([]);
    expect(compareChildren(states, [child(3, true)], 0).changes).toHaveLength(1);
  });
});

describe("countChildren", () => {
  const rules: ChildRules = {
    child_nodes_connected_min_count: -1,
    child_nodes_disconnect_min_count: -1,
    child_nodes_disconnect_timeout: 30_000,
    child_nodes_connected_include_witness: false,
  };
  const two = [child(2, true), child(3, false)];
  const none = [child(2, false), child(3, false)];
  const twoStates = known([2, attached], [3, away(0)]);
  it.each([
    ["one is enough by default", {}, two, twoStates, 40_000, false],
    ["all left long ago", {}, none, known([2, away(0)], [3, away(1)]), 40_000, true],
    ["one of them left a moment ago", {}, none, known([2, away(0)], [3, away(39_000)]), 40_000, false],
    ["none was ever seen", {}, none, known([2, unknown], [3, unknown]), 40_000, false],
    ["two have to be there", { child_nodes_connected_min_count: 2 }, two, twoStates, 40_000, true],
    ["one may not leave", { child_nodes_disconnect_min_count: 1 }, two, twoStates, 40_000, true],
    ["two may not leave", { child_nodes_disconnect_min_count: 2 }, two, twoStates, 40_000, false],
    [
      "a witness does not count",
      {},
      [child(2, false), child(4, true, "witness")],
      known([2, away(0)], [4, attached]),
      40_000,
      true,
    ],
    [
      "a witness counts where it is wished",
      { child_nodes_connected_include_witness: true },
      [child(2, false), child(4, true, "witness")],
      known([2, away(0)], [4, attached]),
      40_000,
      false,
    ],
  ] as const)("%s", (_what, settings, children, states, now, expected) => {
    expect(countChildren(children, states, { rules: { ...rules, ...settings }, now }).isTimeOver).toBe(
      expected,
    );
  });
});
