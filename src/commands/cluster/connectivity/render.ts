import {
  connectivity,
  type Connectivity,
  type ConnectivityMatrix,
  type ConnectivityProblem,
} from "../../../decide/connectivity.js";
import type { ExitCode } from "../../../errors/exit-codes.js";
import { renderCsvRow } from "../../../output/csv.js";
import { renderJsonDocument } from "../../../output/json.js";
import type { Palette, Tone } from "../../../output/palette.js";
import { renderTable } from "../../../output/table.js";

interface Look {
  readonly symbol: string;
  readonly word: string;
  readonly tone: Tone | null;
}

const looks: Readonly<Record<Connectivity, Look>> = {
  [connectivity.reachable]: { symbol: "*", word: "reachable", tone: null },
  [connectivity.unreachable]: { symbol: "x", word: "unreachable", tone: "bad" },
  [connectivity.unknown]: { symbol: "?", word: "unknown", tone: "doubtful" },
};

/** The table of repmgr: a row for each node that connects, a column for each that is connected to. */
export function renderMatrixTable({ nodes, rows }: ConnectivityMatrix, palette: Palette): string {
  return renderTable({
    titles: ["Name", "ID", ...nodes.map(({ nodeId }) => String(nodeId))],
    rows: nodes.map(({ nodeName, nodeId }, index) => [
      nodeName,
      String(nodeId),
      ...(rows[index] ?? []).map((value) => looks[value].symbol),
    ]),
    isLastCellFollowedByBlank: true,
    paint: (cell, { row, column }) => {
      const value = rows[row]?.[column - 2];
      const tone = value === undefined ? null : looks[value].tone;
      return tone === null ? cell : palette[tone](cell);
    },
  });
}

/** `from,to,value` for each pair, with 0, -1 for a failed and -2 for an unknown connection. */
export function renderMatrixCsv(matrix: ConnectivityMatrix): string {
  return listCells(matrix)
    .map(({ from, to, value }) => renderCsvRow([from, to, value]))
    .join("");
}

/** The document of `--format=json`, described in docs/json.md. */
export function renderMatrixJson(command: string, matrix: ConnectivityMatrix, exitCode: ExitCode): string {
  return renderJsonDocument({
    command,
    nodes: matrix.nodes.map(({ nodeId, nodeName }) => ({ id: nodeId, name: nodeName })),
    connections: listCells(matrix).map(({ from, to, value }) => ({
      from_id: from,
      to_id: to,
      state: looks[value].word,
    })),
    problems: matrix.problems.map(({ kind, nodeId, message, detail, hint }) => ({
      severity: "warning",
      code: kind === "ssh" ? "no_answer_over_ssh" : "unreadable_output",
      node_id: nodeId,
      message,
      detail,
      hint: hint ?? null,
    })),
    exit_code: exitCode,
  });
}

/** The block of problems; with reasons when they are wanted. */
export function renderMatrixProblems(problems: readonly ConnectivityProblem[], isVerbose: boolean): string {
  const lines = problems.map(({ message, detail }) =>
    isVerbose ? `  ${message}:\n    ${detail.replaceAll("\n", "\n    ")}` : `  ${message}`,
  );
  return ["following problems detected:", ...lines].join("\n");
}

interface Cell {
  readonly from: number;
  readonly to: number;
  readonly value: Connectivity;
}

function listCells({ nodes, rows }: ConnectivityMatrix): readonly Cell[] {
  return nodes.flatMap((from, row) =>
    nodes.map((to, column) => ({
      from: from.nodeId,
      to: to.nodeId,
      value: rows[row]?.[column] ?? connectivity.unknown,
    })),
  );
}
