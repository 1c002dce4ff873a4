import { describe, expect, it } from "vitest";
import { planPrimaryUnregistration } from "../../../src/decide/unregister-primary.js";
import { planStandbyUnregistration } from "../../../src/decide/unregister-standby.js";
import { planWitnessUnregistration } from "../../../src/decide/unregister-witness.js";
import { chooseTarget, type UnregistrationDecision } from "../../../src/decide/unregister.js";
import { nodeId, type NodeRecord } from "../../../src/model/node-record.js";
import { nodeRecord } from "../../builders/node-record.js";

const primary = nodeRecord();
const standby = nodeRecord({ id: 2 });
const otherStandby = nodeRecord({ id: 3 });
const witness = nodeRecord({ id: 4, type: "witness" });
const oldPrimary = nodeRecord({ id: 5, type: "primary", upstreamNodeId: null, active: false });
const cluster = [primary, standby, otherStandby];

/** `remove: …warnings` or the messages of the refusal. */
const summary = (decision: UnregistrationDecision): string =>
  decision.kind === "ready"
    ? ["remove", ...decision.warnings.map(({ message }) => message)].join("\n")
    : decision.problems.map(({ message }) => message).join("\n");

const TWO_LEFT = "this leaves a cluster of two nodes, in which no majority is possible";

describe("chooseTarget", () => {
  const choose = (
    request: { id?: number; name?: string },
    records: readonly NodeRecord[] = cluster,
  ): string => {
    const { id, name = null } = request;
    const choice = chooseTarget(
      records,
      { nodeId: id === undefined ? null : nodeId(id), nodeName: name },
      nodeId(2),
    );
    return choice.kind === "found" ? `node ${choice.target.nodeId}` : choice.problem.message;
  };

  it.each([
    [{}, "node 2"],
    [{ id: 3 }, "node 3"],
    [{ id: 9 }, "node 9 (specified with --node-id) not found"],
    [{ name: "node3" }, "node 3"],
    [{ name: "nosuch" }, 'node "nosuch" (specified with --node-name) not found'],
  ])("finds %j or nothing", (request, expected) => {
    expect(choose(request)).toBe(expected);
  });

  it("says when the default node is not registered", () => {
    expect(choose({}, [primary])).toBe("no record found for node 2");
  });

  it("refuses a name that two nodes have", () => {
    const twin = nodeRecord({ id: 8, nodeName: "node3", active: false });
    expect(choose({ name: "node3" }, [...cluster, twin])).toBe(
      '2 nodes are registered with node_name "node3"',
    );
  });
});

describe("planPrimaryUnregistration", () => {
  type Facts = Parameters<typeof planPrimaryUnregistration>[0];
  const plan = (given: Partial<Facts>, force = false): string =>
    summary(
      planPrimaryUnregistration(
        {
          records: [...cluster, oldPrimary],
          registeredPrimaryId: primary.nodeId,
          target: oldPrimary,
          targetRole: "unreachable",
          ...given,
        },
        { force },
      ),
    );
  const activeOld = { ...oldPrimary, active: true };

  it.each<[string, Partial<Facts>, string, string]>([
    ["an inactive primary that is gone", {}, "remove", "remove"],
    [
      "an active one that is gone",
      { target: activeOld },
      'node "node5" (ID: 5) is marked as active, unable to unregister',
      "remove",
    ],
    [
      "an active one that still runs beside the registered one",
      { target: activeOld, targetRole: "primary" },
      'node "node5" (ID: 5) is marked as active, unable to unregister',
      "remove",
    ],
    [
      "one that became a standby",
      { targetRole: "standby" },
      'node "node5" (ID: 5) is running as a standby, unable to unregister',
      "remove",
    ],
    [
      "a standby",
      { target: otherStandby, targetRole: "standby" },
      'node "node3" (ID: 3) is a standby, unable to unregister',
      'node "node3" (ID: 3) is a standby, unable to unregister',
    ],
    [
      "a standby that is down",
      { target: otherStandby },
      'node "node3" (ID: 3) is not a primary, unable to unregister',
      'node "node3" (ID: 3) is not a primary, unable to unregister',
    ],
    [
      "a witness",
      { target: witness, targetRole: "primary" },
      'node "node4" (ID: 4) is a witness server, unable to unregister',
      'node "node4" (ID: 4) is a witness server, unable to unregister',
    ],
    [
      "the only node",
      { records: [primary], target: primary, targetRole: "primary" },
      'node "node1" (ID: 1) is the current primary node, unable to unregister',
      "remove\nno primary is registered in this cluster any more",
    ],
    [
      "the upstream of others",
      { target: primary, targetRole: "unreachable" },
      '2 other nodes still have this node as their upstream node\nnode "node1" (ID: 1) is marked as active, unable to unregister',
      "2 other nodes still have this node as their upstream node",
    ],
    [
      "the first primary of a cluster of three",
      {
        records: [oldPrimary, primary, standby],
        target: oldPrimary,
      },
      `remove\n${TWO_LEFT}`,
      `remove\n${TWO_LEFT}`,
    ],
    ["one of three with a witness", { records: [oldPrimary, primary, witness] }, "remove", "remove"],
  ])("%s", (_case, given, expected, forced) => {
    expect([plan(given), plan(given, true)]).toEqual([expected, forced]);
  });
});

describe("planStandbyUnregistration", () => {
  type Facts = Parameters<typeof planStandbyUnregistration>[0];
  const plan = (given: Partial<Facts>): UnregistrationDecision =>
    planStandbyUnregistration({
      records: [...cluster, nodeRecord({ id: 6 })],
      target: otherStandby,
      isAttached: false,
      slotName: null,
      ...given,
    });

  it.each<[string, Partial<Facts>, string]>([
    ["a standby", {}, "remove"],
    ["a primary", { target: primary }, "node 1 is not a standby server"],
    ["a witness", { target: witness }, "node 4 is not a standby server"],
    [
      "the upstream of another",
      { records: [...cluster, nodeRecord({ id: 6, upstreamNodeId: otherStandby.nodeId })] },
      "1 other node still has this node as its upstream node",
    ],
    ["one of three", { records: cluster }, `remove\n${TWO_LEFT}`],
    ["one of two", { records: [primary, otherStandby] }, "remove"],
    ["one that runs", { isAttached: true }, 'remove\nnode "node3" (ID: 3) is still attached to the primary'],
    [
      "one that leaves its slot",
      { slotName: "repmgr_slot_3" },
      'remove\nreplication slot "repmgr_slot_3" remains on the primary',
    ],
  ])("%s", (_case, given, expected) => {
    expect(summary(plan(given))).toBe(expected);
  });

  it("tells to stop a running standby before its slot is dropped", () => {
    const decision = plan({ isAttached: true, slotName: "repmgr_slot_3" });
    expect(decision.kind === "ready" && decision.warnings[0]?.hint).toMatch(
      /stop its server and then execute .*pg_drop_replication_slot\('repmgr_slot_3'\)/,
    );
  });
});

describe("planWitnessUnregistration", () => {
  it.each<[string, readonly NodeRecord[], NodeRecord, string]>([
    ["a witness", [...cluster, witness], witness, "remove"],
    ["a witness beside two nodes", [primary, standby, witness], witness, `remove\n${TWO_LEFT}`],
    ["a standby", cluster, otherStandby, "node 3 is not a witness node"],
  ])("%s", (_case, records, target, expected) => {
    expect(summary(planWitnessUnregistration({ records, target }))).toBe(expected);
  });

  it("names the node that was meant, not the one that executes", () => {
    const decision = planWitnessUnregistration({ records: cluster, target: otherStandby });
    expect(decision.kind === "refused" && decision.problems[0]?.detail).toBe(
      'node "node3" (ID: 3) is a standby node',
    );
  });
});
