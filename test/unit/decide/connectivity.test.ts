import { describe, expect, it } from "vitest";
import {
  assembleMatrix,
  connectivity,
  hasFailure,
  parseReports,
  parseView,
  type ConnectivityFacts,
  type View,
} from "../../../src/decide/connectivity.js";
import { nodeId } from "../../../src/model/node-record.js";
import { nodeRecord, standbyRecord } from "../../builders/cluster-facts.js";

const nodes = [nodeRecord(), standbyRecord(2, 1), standbyRecord(3, 1)];
const viewOf = (...values: readonly (0 | -1 | -2)[]): View =>
  new Map(values.map((value, index) => [nodeId(index + 1), value]));
const seen = (...values: readonly (0 | -1 | -2)[]) => ({ kind: "seen", view: viewOf(...values) }) as const;

const facts = (overrides: Partial<ConnectivityFacts>): ConnectivityFacts => ({
  nodes,
  answers: new Map([
    [nodeId(1), seen(0, 0, -1)],
    [nodeId(2), seen(0, 0, -1)],
  ]),
  reports: [],
  ...overrides,
});

describe("assembleMatrix", () => {
  it("leaves unknown what nobody was asked", () => {
    const { rows, problems } = assembleMatrix(facts({}));
    expect({ rows, problems }).toEqual({
      rows: [
        [0, 0, -1],
        [0, 0, -1],
        [-2, -2, -2],
      ],
      problems: [],
    });
  });

  it("takes the best of what several nodes report", () => {
    const report = (from: number, to: number, value: 0 | -1 | -2) => ({
      from: nodeId(from),
      to: nodeId(to),
      value,
    });
    const reports = [report(3, 1, -1), report(3, 1, 0), report(3, 2, -2), report(3, 3, -1), report(1, 3, -2)];
    expect(assembleMatrix(facts({ reports })).rows).toEqual([
      [0, 0, -1],
      [0, 0, -1],
      [0, -2, -1],
    ]);
  });

  it.each([
    [{ kind: "no-ssh", reason: "refused" }, "ssh", "node 3 inaccessible via SSH"],
    [{ kind: "silent", reason: "server down" }, "ssh", "node 3 inaccessible via SSH"],
    [{ kind: "unreadable", reason: "hello" }, "output", "unable to parse the output of node 3"],
  ] as const)("reports %j", (answer, kind, message) => {
    const { problems } = assembleMatrix(facts({ answers: new Map([[nodeId(3), answer]]) }));
    expect(problems).toEqual([{ kind, nodeId: 3, message, detail: answer.reason }]);
  });
});

describe("hasFailure", () => {
  it.each([
    [seen(0, 0, 0), connectivity.unknown, false],
    [seen(0, 0, -1), connectivity.unreachable, true],
    [seen(0, 0, -2), connectivity.unreachable, false],
    [seen(0, 0, -2), connectivity.unknown, true],
  ] as const)("of %j with %i as the worst allowed is %s", (answer, worst, expected) => {
    const answers = new Map(nodes.map((node) => [node.nodeId, answer]));
    expect(hasFailure(assembleMatrix(facts({ answers })), worst)).toBe(expected);
  });
});

describe("parseView", () => {
  it.each([
    ["1,0,0\n2,0,1\n3,-1,-1\n", [0, 0, -1]],
    ["1,0,0\n2,0,1\n3,0,-1\n4,-1,0\n", [0, 0, 0]],
  ])("reads %j", (csv, expected) => {
    const view = parseView(csv, nodes);
    expect(nodes.map((node) => view?.get(node.nodeId))).toEqual(expected);
  });

  it.each(["", "1,0,0\n2,0,1\n", "1,0,0\n2,0,1\nnode 3 is down\n"])("refuses %j", (csv) => {
    expect(parseView(csv, nodes)).toBeNull();
  });
});

describe("parseReports", () => {
  it("reads the cells and leaves out what is none, and nodes that are not registered", () => {
    expect(parseReports("hello\n1,2,0\n2,3,-1\r\n9,1,0\n1,2,7\n3,1,-2\n", nodes)).toEqual([
      { from: 1, to: 2, value: 0 },
      { from: 2, to: 3, value: -1 },
      { from: 3, to: 1, value: -2 },
    ]);
  });
});
