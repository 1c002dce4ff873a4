import type { NodeId, NodeRecord } from "../model/node-record.js";

/** Whether one node can connect to the server of another: the value that the reference writes for each. */
export const connectivity = { reachable: 0, unreachable: -1, unknown: -2 } as const;
export type Connectivity = (typeof connectivity)[keyof typeof connectivity];

/** What one node sees: its connection to every other and to itself. */
export type View = ReadonlyMap<NodeId, Connectivity>;

/** How the question for another node's view ended. */
export type ViewAnswer =
  | { readonly kind: "seen"; readonly view: View }
  /** The host could not be reached by SSH, or has no program of ours. */
  | { readonly kind: "no-ssh"; readonly reason: string; readonly hint?: string }
  /** The program ran there without a result, as it does when its own server is down and nothing tells it the nodes. */
  | { readonly kind: "silent"; readonly reason: string; readonly hint?: string }
  /** It said something that cannot be read. */
  | { readonly kind: "unreadable"; readonly reason: string };

export interface ConnectivityFacts {
  readonly nodes: readonly NodeRecord[];
  readonly answers: ReadonlyMap<NodeId, ViewAnswer>;
  /** What other nodes report of each other: every entry counts, the best one wins. */
  readonly reports: readonly Report[];
}

/** One cell as somebody reported it. */
export interface Report {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly value: Connectivity;
}

export interface ConnectivityProblem {
  readonly kind: "ssh" | "output";
  readonly nodeId: NodeId;
  readonly message: string;
  readonly detail: string;
  readonly hint?: string;
}

export interface ConnectivityMatrix {
  readonly nodes: readonly NodeRecord[];
  /** In the order of nodes, for each of them; a cell that nobody reported is unknown. */
  readonly rows: readonly (readonly Connectivity[])[];
  readonly problems: readonly ConnectivityProblem[];
}

/** Puts together what each node sees; where reports differ, the one that reached the node is right. */
export function assembleMatrix({ nodes, answers, reports }: ConnectivityFacts): ConnectivityMatrix {
  const cell = (from: NodeId, to: NodeId): Connectivity => {
    const answer = answers.get(from);
    const own = answer?.kind === "seen" ? answer.view.get(to) : undefined;
    const others = reports.filter((report) => report.from === from && report.to === to);
    const values = [own ?? connectivity.unknown, ...others.map(({ value }) => value)];
    return values.reduce((best, value) => (value > best ? value : best));
  };
  return {
    nodes,
    rows: nodes.map((from) => nodes.map((to) => cell(from.nodeId, to.nodeId))),
    problems: nodes.flatMap(({ nodeId }) => judgeAnswer(nodeId, answers.get(nodeId))),
  };
}

function judgeAnswer(nodeId: NodeId, answer: ViewAnswer | undefined): readonly ConnectivityProblem[] {
  if (answer === undefined || answer.kind === "seen") return [];
  if (answer.kind === "unreadable") {
    const message = `unable to parse the output of node ${nodeId}`;
    return [{ kind: "output", nodeId, message, detail: answer.reason }];
  }
  // The reference's words for both.
  const message = `node ${nodeId} inaccessible via SSH`;
  const hint = answer.hint === undefined ? {} : { hint: answer.hint };
  return [{ kind: "ssh", nodeId, message, detail: answer.reason, ...hint }];
}

/**
 * Whether the matrix has a connection that failed. Asked for CSV, the reference's `cluster matrix` counts what it does
 * not know as failed too.
 */
export function hasFailure({ rows }: ConnectivityMatrix, worstAllowed: Connectivity): boolean {
  return rows.some((row) => row.some((value) => value !== connectivity.reachable && value >= worstAllowed));
}

/**
 * Reads the view in `cluster show --csv`: one line for each node with its ID and whether it could be reached. Null when
 * a node is missing, or a line is none of that kind.
 */
export function parseView(csv: string, nodes: readonly NodeRecord[]): View | null {
  const lines = csv.split("\n").filter((line) => line.trim() !== "");
  const view = new Map<number, Connectivity>();
  for (const line of lines) {
    const [, id, value] = /^(\d+),(-?\d+)(?:,|$)/.exec(line) ?? [];
    if (id === undefined) return null;
    view.set(Number(id), value === "-1" ? connectivity.unreachable : connectivity.reachable);
  }
  return nodes.every(({ nodeId }) => view.has(nodeId))
    ? (view as ReadonlyMap<number, Connectivity> as View)
    : null;
}

/** Reads the cells of `cluster matrix --csv`; lines of another kind are left out. */
export function parseReports(csv: string, nodes: readonly NodeRecord[]): readonly Report[] {
  const find = (text: string): NodeId | undefined =>
    nodes.find(({ nodeId }) => nodeId === Number(text))?.nodeId;
  return csv.split("\n").flatMap((line) => {
    const [, fromText = "", toText = "", value] = /^(\d+),(\d+),(0|-1|-2)$/.exec(line.trim()) ?? [];
    const [from, to] = [find(fromText), find(toText)];
    return from === undefined || to === undefined ? [] : [{ from, to, value: Number(value) as Connectivity }];
  });
}
