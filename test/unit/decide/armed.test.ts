import { describe, expect, it } from "vitest";
import { judgeArmed, type ArmedRules, type MemberDaemon } from "../../../src/decide/armed.js";
import { nodeId, type NodeType } from "../../../src/model/node-record.js";

const rules: ArmedRules = {
  failover: "automatic",
  failover_quorum: "auto",
  primary_isolation_timeout: null,
  sync_mode: "off",
};

const running = { isPaused: false };

function node(id: number, type: NodeType, daemon: MemberDaemon["daemon"] = running): MemberDaemon {
  const upstreamNodeId = type === "primary" ? null : nodeId(1);
  const member = {
    nodeId: nodeId(id),
    nodeName: `n${id}`,
    type,
    upstreamNodeId,
    active: true,
    priority: 100,
    location: "default",
  };
  return { member, isServerReachable: true, daemon };
}

const primary = node(1, "primary");
const three = [primary, node(2, "standby"), node(3, "standby")];

describe("judgeArmed", () => {
  it.each<[string, readonly MemberDaemon[], Partial<ArmedRules>, boolean, readonly string[]]>([
    ["three nodes with daemons", three, {}, true, []],
    ["no daemon on the primary", [node(1, "primary", null), ...three.slice(1)], {}, true, []],
    ["manual", three, { failover: "manual" }, false, ['"failover" is "manual" on this node']],
    [
      "a daemon that is missing where its vote is needed",
      [primary, node(2, "standby"), node(3, "standby", null)],
      {},
      false,
      ["no majority possible without the primary", 'daemon missing on "n3" (ID: 3)'],
    ],
    [
      "the same with nodes being counted",
      [primary, node(2, "standby"), node(3, "standby", null)],
      { failover_quorum: "visible" },
      true,
      [],
    ],
    [
      "a paused node",
      [primary, node(2, "standby"), node(3, "standby", { isPaused: true })],
      {},
      false,
      ['paused: "n3" (ID: 3)', "no majority possible without the primary"],
    ],
    ["two nodes", [primary, node(2, "standby")], {}, true, []],
    [
      "two nodes and strict",
      [primary, node(2, "standby")],
      { failover_quorum: "strict" },
      false,
      ["no majority possible without the primary"],
    ],
    [
      "two nodes and a witness",
      [primary, node(2, "standby"), node(3, "witness")],
      { failover_quorum: "strict" },
      true,
      [],
    ],
    [
      "no candidate",
      [primary, node(2, "witness"), node(3, "standby", null)],
      { failover_quorum: "visible" },
      false,
      ["no standby that could be promoted has a running daemon", 'daemon missing on "n3" (ID: 3)'],
    ],
  ])("of %s", (_, nodes, changed, isArmed, reasons) => {
    expect(judgeArmed(nodes, nodeId(1), { ...rules, ...changed })).toMatchObject({ isArmed, reasons });
  });

  it("says that two nodes have no majority", () => {
    expect(judgeArmed([primary, node(2, "standby")], nodeId(1), rules).notes).toEqual([
      expect.stringContaining("no majority possible with two nodes"),
    ]);
  });
});
