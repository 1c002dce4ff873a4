import type { NodeStatus, NodeStatusProblem } from "../../../decide/node-status.js";
import { listTextFields } from "./fields.js";

/** The node's name, a line for each value, an empty line. */
export function renderNodeStatusText(status: NodeStatus, options: { readonly isVerbose: boolean }): string {
  const lines = listTextFields(status, options).map(([key, value]) => `\t${key}: ${value}\n`);
  return `Node "${status.facts.record.nodeName}":\n${lines.join("")}\n`;
}

export function renderNodeStatusProblems(problems: readonly NodeStatusProblem[]): string {
  const blocks = problems.map(({ message, items }) =>
    [`  - ${message}${items.length === 0 ? "" : ":"}`, ...items.map((item) => `    - ${item}`)].join("\n"),
  );
  return ["following issue(s) were detected:", ...blocks].join("\n");
}
