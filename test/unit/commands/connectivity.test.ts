import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  renderMatrixCsv,
  renderMatrixJson,
  renderMatrixProblems,
  renderMatrixTable,
} from "../../../src/commands/cluster/connectivity/render.js";
import type { ConnectivityMatrix } from "../../../src/decide/connectivity.js";
import { plainPalette } from "../../../src/output/palette.js";
import { nodeRecord, standbyRecord } from "../../builders/cluster-facts.js";

const matrix: ConnectivityMatrix = {
  nodes: [nodeRecord(), standbyRecord(12, 1)],
  rows: [
    [0, -1],
    [-2, -2],
  ],
  problems: [
    {
      kind: "ssh",
      nodeId: standbyRecord(12, 1).nodeId,
      message: "node 12 inaccessible via SSH",
      detail: "ERROR: connection to database failed\nDETAIL: refused",
    },
  ],
};

describe("renderMatrixTable", () => {
  it("lays the table out as repmgr does", () => {
    expect(renderMatrixTable(matrix, plainPalette)).toBe(
      [
        " Name | ID | 1 | 12",
        "------+----+---+----",
        " n1   | 1  | * | x  ",
        " n12  | 12 | ? | ?  ",
        "",
      ].join("\n"),
    );
  });
});

describe("renderMatrixCsv", () => {
  it("writes a line for each pair", () => {
    expect(renderMatrixCsv(matrix)).toBe("1,1,0\n1,12,-1\n12,1,-2\n12,12,-2\n");
  });
});

describe("renderMatrixProblems", () => {
  it.each([
    [false, "following problems detected:\n  node 12 inaccessible via SSH"],
    [
      true,
      "following problems detected:\n  node 12 inaccessible via SSH:\n    ERROR: connection to database failed\n    DETAIL: refused",
    ],
  ])("with --verbose %s", (isVerbose, expected) => {
    expect(renderMatrixProblems(matrix.problems, isVerbose)).toBe(expected);
  });
});

describe("renderMatrixJson", () => {
  it("agrees with docs/json.md", () => {
    const text = readFileSync(new URL("../../../docs/json.md", import.meta.url), "utf8");
    const section = text.split(/^## /m).find((part) => part.startsWith("`cluster matrix`")) ?? "";
    expect(/```json\n([^]*?)```/.exec(section)?.[1]).toBe(renderMatrixJson("cluster matrix", matrix, 25));
  });
});
