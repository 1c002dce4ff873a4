import { describe, expect, it } from "vitest";
import type { NodeFacts } from "../../../src/decide/cluster-health-facts.js";
import { judgeUpstream } from "../../../src/decide/cluster-health-upstream.js";
import { nodeId } from "../../../src/model/node-record.js";
import type { AttachedStandby, NodeAnswer, OwnRecord } from "../../../src/model/server-state.js";
import {
  nodeRecord,
  ownRecord,
  primaryAnswer,
  rejected,
  silent,
  standbyAnswer,
  standbyRecord,
  streaming,
  unreachable,
} from "../../builders/cluster-facts.js";

const primary = (answer: NodeAnswer = primaryAnswer({ attachedStandbys: streaming("n2") })): NodeFacts => ({
  record: nodeRecord(),
  answer,
});
const other: NodeFacts = { record: standbyRecord(3, 1), answer: standbyAnswer(1) };

function judge(
  node: NodeFacts,
  upstream: NodeFacts | null,
): { cell: string; attached: boolean | null; problems: string[] } {
  const nodes = [...(upstream === null ? [] : [upstream]), node, other];
  const { upstream: state, problems } = judgeUpstream(node, { nodes });
  return {
    cell: `${state.marker}${state.marker === "" ? "" : " "}${state.name}`,
    attached: state.isAttached,
    problems: problems.map(({ code }) => code),
  };
}

describe("judgeUpstream", () => {
  const missing: OwnRecord = { kind: "missing" };
  const unreadable: OwnRecord = { kind: "unreadable", reason: 'relation "repmgr.nodes" does not exist' };

  it.each<[string, NodeAnswer, number | null, string, string[]]>([
    ["is unreachable", unreachable(), 1, "? n1", []],
    ["rejects us", rejected(), 1, "? n1", []],
    ["answers no query", silent(), 1, "? n1", []],
    ["has not received its record yet", standbyAnswer(1, { ownRecord: missing }), 1, "? n1", []],
    ["has no record and should have no upstream", standbyAnswer(1, { ownRecord: missing }), null, "? ", []],
    ["has no node table", standbyAnswer(1, { ownRecord: unreadable }), 1, "? n1", ["own_record_unreadable"]],
    [
      "has no node table and no upstream",
      standbyAnswer(1, { ownRecord: unreadable }),
      null,
      "",
      ["own_record_unreadable"],
    ],
    ["reports no upstream", standbyAnswer(null), 1, "! ", ["different_upstream"]],
    ["reports another upstream", standbyAnswer(3), 1, "! n3", ["different_upstream"]],
    ["should have no upstream and reports none", standbyAnswer(null), null, "", []],
    ["should have no upstream and reports one", standbyAnswer(1), null, "", []],
  ])("judges a standby that %s", (_, answer, upstreamId, cell, problems) => {
    expect(judge({ record: standbyRecord(2, upstreamId), answer }, primary())).toMatchObject({
      cell,
      problems,
    });
  });

  const attachedAs = (...states: readonly (string | null)[]): NodeFacts => {
    const attachedStandbys = states.map((state): AttachedStandby => ({ applicationName: "n2", state }));
    return primary(primaryAnswer({ attachedStandbys: [...attachedStandbys, ...streaming("n3")] }));
  };

  it.each<[string, NodeFacts | null, string, boolean | null, string[]]>([
    ["streams to it", attachedAs("streaming"), "n1", true, []],
    ["has it attached in a state that we may not see", attachedAs(null), "n1", true, []],
    ["sends it what it missed", attachedAs("catchup"), "? n1", true, ["not_streaming"]],
    ["does not know it", attachedAs(), "! n1", false, ["not_attached"]],
    ["has two of its name", attachedAs("streaming", "streaming"), "? n1", null, ["attachment_unknown"]],
    ["is unreachable", primary(unreachable()), "? n1", null, ["upstream_unreachable", "attachment_unknown"]],
    ["rejects us", primary(rejected()), "? n1", null, ["upstream_unreachable", "attachment_unknown"]],
    ["answers no query", primary(silent()), "? n1", null, ["attachment_unknown"]],
    ["has no record", null, "? n1", null, ["upstream_unreachable", "attachment_unknown"]],
  ])("judges a standby whose upstream %s", (_, upstream, cell, attached, problems) => {
    expect(judge({ record: standbyRecord(2, 1), answer: standbyAnswer(1) }, upstream)).toEqual({
      cell,
      attached,
      problems,
    });
  });

  it.each<[string, OwnRecord, NodeFacts | null, string, string[]]>([
    ["reports the same upstream", ownRecord(1), primary(), "n1", []],
    ["reports no upstream", ownRecord(null), primary(), "! ", ["different_upstream"]],
    ["reports another upstream", ownRecord(3), primary(), "! n3", ["different_upstream"]],
    ["has an upstream without a record", ownRecord(1), null, "? n1", ["upstream_unreachable"]],
    ["has an upstream that is down", ownRecord(1), primary(unreachable()), "? n1", ["upstream_unreachable"]],
  ])("judges a witness that %s", (_, own, upstream, cell, problems) => {
    const record = nodeRecord({ nodeId: nodeId(2), upstreamNodeId: nodeId(1), type: "witness" });
    expect(judge({ record, answer: primaryAnswer({ ownRecord: own }) }, upstream)).toMatchObject({
      cell,
      problems,
    });
  });

  it("misses the upstream of a witness that has none in any record", () => {
    const record = nodeRecord({ nodeId: nodeId(2), type: "witness" });
    expect(judge({ record, answer: primaryAnswer() }, primary())).toMatchObject({
      cell: "! ",
      problems: ["different_upstream"],
    });
  });

  it.each<[string, NodeAnswer, string]>([
    ["running", primaryAnswer(), ""],
    ["unreachable", unreachable(), "? "],
    ["without a record of itself", primaryAnswer({ ownRecord: missing }), "? "],
  ])("judges a primary that is %s", (_, answer, cell) => {
    expect(judge(primary(answer), null)).toEqual({ cell, attached: null, problems: [] });
  });

  it("says which state, which upstream and what was expected", () => {
    const standby = { record: standbyRecord(2, 1), answer: standbyAnswer(1) };
    const lost = { record: standbyRecord(2, 1), answer: standbyAnswer(null) };
    const cases = [
      judgeUpstream(standby, { nodes: [attachedAs("catchup"), standby] }),
      judgeUpstream(standby, { nodes: [attachedAs(), standby] }),
      judgeUpstream(lost, { nodes: [primary(), lost] }),
    ];
    expect(cases.flatMap(({ problems }) => problems.map(({ message }) => message))).toEqual([
      'node "n2" (ID: 2) is attached to its upstream node "n1" (ID: 1) in state "catchup"',
      'node "n2" (ID: 2) is not attached to its upstream node "n1" (ID: 1)',
      'node "n2" (ID: 2) reports a different upstream (reported: "", expected "n1")',
    ]);
  });
});
