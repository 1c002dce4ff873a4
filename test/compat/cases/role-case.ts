import type { NodeName } from "../node.js";
import type { ChangingCase } from "./changing-cases.js";

type More = Partial<ChangingCase>;

/** A case after which the servers are not what they were. */
export const moving = (node: NodeName, line: string, more: More = {}): ChangingCase => ({
  node,
  line,
  moves: true,
  ...more,
});

/** A case that leaves every server as it is. */
export const staying = (node: NodeName, line: string, more: More = {}): ChangingCase => ({
  node,
  line,
  observes: "servers",
  ...more,
});

/** A case after which the node is the primary, and other hosts have done their part. */
export const handingOver = (node: NodeName, line: string, more: More = {}): ChangingCase =>
  moving(node, line, { handsOver: true, ...more });
