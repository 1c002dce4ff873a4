import type { ClusterProblem } from "../../../decide/cluster-health-facts.js";
import type { ClusterHealth, NodeHealth } from "../../../decide/cluster-health.js";
import { maskConninfo } from "../../../model/conninfo.js";
import type { Palette, Tone } from "../../../output/palette.js";
import { renderTable } from "../../../output/table.js";
import { statusTone, upstreamTone } from "./tone.js";

interface Column {
  readonly title: string;
  /** The title with `--compact`; null drops the column. */
  readonly compactTitle: string | null;
  readonly cell: (node: NodeHealth) => string;
  /** How good the news in the cell is; without it the cell stays uncoloured. */
  readonly tone?: (node: NodeHealth) => Tone | null;
}

const columns: readonly Column[] = [
  { title: "ID", compactTitle: "ID", cell: ({ record }) => String(record.nodeId) },
  { title: "Name", compactTitle: "Name", cell: ({ record }) => record.nodeName },
  { title: "Role", compactTitle: "Role", cell: ({ record }) => record.type },
  { title: "Status", compactTitle: "Status", cell: statusCell, tone: statusTone },
  { title: "Upstream", compactTitle: "Upstream", cell: upstreamCell, tone: upstreamTone },
  { title: "Location", compactTitle: "Location", cell: ({ record }) => record.location },
  { title: "Priority", compactTitle: "Prio.", cell: ({ record }) => String(record.priority) },
  { title: "Timeline", compactTitle: "TLI", cell: timelineCell },
  { title: "Connection string", compactTitle: null, cell: ({ record }) => maskConninfo(record.conninfo) },
];

export interface TableView {
  readonly isCompact: boolean;
  readonly palette: Palette;
}

/** The table of `cluster show`. */
export function renderClusterTable({ nodes }: ClusterHealth, { isCompact, palette }: TableView): string {
  const shown = columns.filter(({ compactTitle }) => !isCompact || compactTitle !== null);
  return renderTable({
    titles: shown.map(({ title, compactTitle }) => (isCompact ? (compactTitle ?? title) : title)),
    rows: nodes.map((node) => shown.map(({ cell }) => cell(node))),
    isLastCellFollowedByBlank: isCompact,
    paint: (text, { row, column }) => {
      const node = nodes[row];
      const tone = node === undefined ? null : shown[column]?.tone?.(node);
      return tone === null || tone === undefined ? text : palette[tone](text);
    },
  });
}

/** The block of issues under the table; the blank line at its end sets it off from a hint. */
export function renderIssues(problems: readonly ClusterProblem[], isVerbose: boolean): string {
  const entries = problems.map((problem) => `  - ${describeProblem(problem, isVerbose)}\n`);
  return `following issues were detected\n${entries.join("")}`;
}

function describeProblem({ message, detail }: ClusterProblem, isVerbose: boolean): string {
  return isVerbose && detail !== undefined
    ? `${message}:\n    ${detail.replaceAll("\n", "\n    ")}`
    : message;
}

export function statusCell({ status }: NodeHealth): string {
  return `${status.marker} ${status.label}`;
}

function upstreamCell({ upstream }: NodeHealth): string {
  return upstream.marker === "" ? upstream.name : `${upstream.marker} ${upstream.name}`;
}

export function timelineCell({ record, answer }: NodeHealth): string {
  if (record.type === "witness") return "n/a";
  if (answer.kind === "unreachable" || answer.kind === "rejected") return "";
  return String((answer.kind === "answered" ? answer.state.timeline : null) ?? "?");
}
