import { describe, expect, it } from "vitest";
import { judgeArmed, type ArmedRules, type MemberDaemon } from "../../../src/decide/armed.js";
import { nodeId, type NodeType } from "../../../src/model/node-record.js";

const rules: ArmedRules = {
  failover: "automatic",
  failover_quorum: "auto",
  primary_isolation_timeout: null,
  sync_mode: "off",
};

const running = { isPaused: false, heldForMs: 0, hasVotedForItself: false, shortcoming: null } as const;

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
  return { member, isServerReachable: true, isThroughPooler: false, daemon };
}

const held = (ms: number): MemberDaemon["daemon"] & object => ({ ...running, heldForMs: ms });

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
      "a node that is gone",
      [primary, node(2, "standby"), { ...node(3, "standby", null), isServerReachable: false }],
      {},
      false,
      [
        "no majority possible without the primary",
        'daemon missing on "n3" (ID: 3)',
        'to be unregistered if gone for good: "n3" (ID: 3); a witness or "failover_quorum=visible" would help as well',
      ],
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
      [primary, node(2, "standby"), node(3, "standby", { ...running, isPaused: true })],
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
    [
      "votes on hold after the start of the daemons",
      [primary, node(2, "standby", held(11_200)), node(3, "standby", held(900))],
      {},
      false,
      ['votes are on hold for 12 more seconds after a start or a vote: "n2" (ID: 2), "n3" (ID: 3)'],
    ],
    [
      "one of four votes on hold, where the other ones are enough",
      [...three, node(4, "standby", held(900))],
      { failover_quorum: "visible" },
      true,
      [],
    ],
    [
      "a standby on hold, alone",
      [primary, node(2, "standby", held(5000))],
      {},
      false,
      ['votes are on hold for 5 more seconds after a start or a vote: "n2" (ID: 2)'],
    ],
    [
      "a candidate whose hold is for itself",
      [primary, node(2, "standby", { ...held(5000), hasVotedForItself: true }), node(3, "standby")],
      {},
      true,
      [],
    ],
    [
      "daemons that promote nothing",
      [primary, ...[2, 3].map((id) => node(id, "standby", { ...running, shortcoming: "manual" }))],
      {},
      false,
      [
        "no standby that could be promoted has a running daemon",
        '"failover" is "manual" on "n2" (ID: 2), "n3" (ID: 3)',
      ],
    ],
    [
      "a vote that is needed and would be forgotten",
      [primary, node(2, "standby"), node(3, "standby", { ...running, shortcoming: "forgetful" })],
      {},
      false,
      ['no state directory that can be written, so that votes are forgotten or not given: "n3" (ID: 3)'],
    ],
    [
      "a node behind a connection pooler, where the others are enough",
      [...three, { ...node(4, "standby"), isThroughPooler: true }, node(5, "standby")],
      {},
      false,
      ['"conninfo" leads to a connection pooler instead of the server: "n4" (ID: 4)'],
    ],
    [
      "a primary behind one",
      [{ ...primary, isThroughPooler: true }, ...three.slice(1)],
      { failover_quorum: "visible" },
      false,
      ['"conninfo" leads to a connection pooler instead of the server: "n1" (ID: 1)'],
    ],
    [
      "one whose vote is needed",
      [primary, node(2, "standby"), { ...node(3, "standby", null), isThroughPooler: true }],
      {},
      false,
      [
        '"conninfo" leads to a connection pooler instead of the server: "n3" (ID: 3)',
        "no majority possible without the primary",
      ],
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
