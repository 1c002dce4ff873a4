import type { ClusterHealth, NodeHealth } from "../../../decide/cluster-health.js";
import type { Tone } from "../../../output/palette.js";
import { renderTable } from "../../../output/table.js";
import { arrangeCascade, type CascadePlace } from "./cascade.js";
import { statusCell, timelineCell, type TableView } from "./render-text.js";
import { statusTone, upstreamTone } from "./tone.js";

interface TreeView extends TableView {
  /** Draws with box characters instead of ASCII. */
  readonly isUtf8: boolean;
}

interface Strokes {
  readonly through: string;
  readonly blank: string;
  readonly branch: string;
  readonly last: string;
}

const boxStrokes: Strokes = { through: "│  ", blank: "   ", branch: "├─ ", last: "└─ " };
const asciiStrokes: Strokes = { through: "|  ", blank: "   ", branch: "|- ", last: "`- " };

const tones: Readonly<Record<string, (node: NodeHealth) => Tone | null>> = {
  Status: statusTone,
  Replication: upstreamTone,
};

/** The cluster as a table whose first column draws the cascade: each node below its registered upstream. */
export function renderClusterTree({ nodes }: ClusterHealth, view: TreeView): string {
  const places = arrangeCascade(nodes);
  const strokes = view.isUtf8 ? boxStrokes : asciiStrokes;
  const titles = ["Node", "ID", "Role", "Status", "Replication", view.isCompact ? "TLI" : "Timeline"];
  return renderTable({
    titles,
    rows: places.map((place) => [
      `${drawBranches(place, strokes)}${place.node.record.nodeName}`,
      String(place.node.record.nodeId),
      place.node.record.type,
      statusCell(place.node),
      replicationCell(place.node),
      timelineCell(place.node),
    ]),
    isLastCellFollowedByBlank: true,
    paint: (text, { row, column }) => {
      const place = places[row];
      const tone = place === undefined ? null : (tones[titles[column] ?? ""]?.(place.node) ?? null);
      return tone === null ? text : view.palette[tone](text);
    },
  });
}

function drawBranches({ branches }: CascadePlace, strokes: Strokes): string {
  return branches
    .map((isContinued, level) => {
      if (level < branches.length - 1) return isContinued ? strokes.through : strokes.blank;
      return isContinued ? strokes.branch : strokes.last;
    })
    .join("");
}

/** How the node is fed: the sender's state, or what is wrong between it and its upstream. */
function replicationCell({ record, upstream }: NodeHealth): string {
  const { marker, isAttached, replicationState, reportedId, name } = upstream;
  const sign = marker === "" ? "" : `${marker} `;
  if (isAttached === true) return `${sign}${replicationState ?? "attached"}`;
  if (isAttached === false) return `${sign}not attached`;
  if (marker === "!" && reportedId !== record.upstreamNodeId) {
    return name === "" ? `${sign}reports no upstream` : `${sign}reports upstream ${name}`;
  }
  return marker === "" ? "" : `${sign}unknown`;
}
