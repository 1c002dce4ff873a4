import { describe, expect, it } from "vitest";
import { assessCluster } from "../../../src/decide/cluster-health.js";
import type { NodeFacts } from "../../../src/decide/cluster-health-facts.js";
import { parseLsn } from "../../../src/model/lsn.js";
import { nodeId } from "../../../src/model/node-record.js";
import {
  clusterFacts,
  nodeRecord,
  primaryAnswer,
  rejected,
  silent,
  standbyAnswer,
  standbyRecord,
  unreachable,
} from "../../builders/cluster-facts.js";

const codesOf = (replaced: Readonly<Record<number, Partial<NodeFacts>>>): readonly string[] =>
  assessCluster(clusterFacts(replaced)).problems.map(({ code, nodeId: id }) => `${id ?? "cluster"} ${code}`);

describe("assessCluster", () => {
  it("finds nothing wrong with a healthy cluster", () => {
    expect(codesOf({})).toEqual([]);
  });

  it("tells what is wrong in the order connection, status, upstream of each node", () => {
    const { problems } = assessCluster(clusterFacts({ 1: { answer: unreachable("no route") } }));
    expect(problems.map(({ message }) => message)).toEqual([
      'unable to connect to node "n1" (ID: 1)',
      'node "n1" (ID: 1) is registered as an active primary but is unreachable',
      'unable to connect to node "n2" (ID: 2)\'s upstream node "n1" (ID: 1)',
      'unable to determine if node "n2" (ID: 2) is attached to its upstream node "n1" (ID: 1)',
      'unable to connect to node "n3" (ID: 3)\'s upstream node "n1" (ID: 1)',
      'unable to determine if node "n3" (ID: 3) is attached to its upstream node "n1" (ID: 1)',
    ]);
    expect(problems[0]?.detail).toBe("no route");
  });

  it.each([
    ["rejected", rejected(), ["3 connection_failed"]],
    ["unreachable", unreachable(), ["3 connection_failed", "3 unreachable"]],
    ["unable to answer", silent(), ["3 query_failed", "3 unknown_replication_state"]],
  ])("is not healthy when a node is %s", (_, answer, expected) => {
    expect(codesOf({ 3: { answer } })).toEqual(expected);
  });

  it("is not healthy when an inactive node is down, as repmgr", () => {
    const record = standbyRecord(3, 1, { active: false });
    expect(codesOf({ 3: { record, answer: unreachable() } })).toEqual(["3 connection_failed"]);
  });

  it("raises an error when two servers accept writes", () => {
    const { problems } = assessCluster(clusterFacts({ 3: { answer: primaryAnswer() } }));
    expect(problems.at(-1)).toMatchObject({
      code: "multiple_primaries",
      severity: "error",
      message: 'more than one node is running as primary: "n1" (ID: 1), "n3" (ID: 3)',
    });
  });

  it("does not take a witness, which is a primary of its own, for a second primary", () => {
    const record = nodeRecord({ nodeId: nodeId(3), upstreamNodeId: nodeId(1), type: "witness" });
    const answer = primaryAnswer({
      ownRecord: { kind: "found", upstreamNodeId: nodeId(1), upstreamName: "n1" },
    });
    expect(codesOf({ 3: { record, answer } })).toEqual([]);
  });

  it("takes two records that lead to one server for a wrong conninfo, not for two primaries", () => {
    const answer = primaryAnswer();
    const codes = codesOf({ 1: { answer }, 3: { answer } });
    expect(codes).toContain("cluster same_server");
    expect(codes).not.toContain("cluster multiple_primaries");
  });

  it.each([
    ["0/3000000", "0/2000000", 0xd78n, 0x1000d78n],
    ["0/3000D78", "0/3000D78", 0n, 0n],
    ["0/4000000", "0/4000000", 0n, 0n],
    ["0/2000000", "0/3000D78", 0n, 0n],
    [null, "0/3000000", 0xd78n, 0xd78n],
    [null, null, null, null],
  ])(
    "measures the lag of a standby that received %s and replayed %s",
    (received, replayed, receiveLag, replayLag) => {
      const receivedLsn = received === null ? null : parseLsn(received);
      const replayedLsn = replayed === null ? null : parseLsn(replayed);
      const facts = clusterFacts({ 2: { answer: standbyAnswer(1, { receivedLsn, replayedLsn }) } });
      expect(assessCluster(facts).nodes[1]).toMatchObject({ receiveLag, replayLag });
    },
  );

  it("measures no lag without exactly one running primary", () => {
    for (const answer of [unreachable(), standbyAnswer(null)]) {
      expect(assessCluster(clusterFacts({ 1: { answer } })).nodes[1]?.replayLag).toBeNull();
    }
    expect(assessCluster(clusterFacts({ 3: { answer: primaryAnswer() } })).nodes[1]?.replayLag).toBeNull();
  });
});
