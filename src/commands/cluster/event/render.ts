import type { EventRecord } from "../../../metadata/events.js";
import { renderCsvRow } from "../../../output/csv.js";
import { renderJsonDocument } from "../../../output/json.js";
import { renderTable } from "../../../output/table.js";
import type { OutputFormat } from "../../define-command.js";

export interface EventRendering {
  readonly format: OutputFormat;
  readonly isCompact: boolean;
}

const TITLES = ["Node ID", "Name", "Event", "OK", "Timestamp"] as const;

/** The output of `cluster event` in one of its forms; docs/json.md describes the JSON document. */
export function renderEvents(events: readonly EventRecord[], { format, isCompact }: EventRendering): string {
  if (format === "json") return renderJson(events);
  if (events.length === 0) return "no matching events found\n";
  if (format === "csv") return events.map((event) => renderCsvRow(fieldsOf(event))).join("");
  const table = renderTable({
    titles: isCompact ? TITLES : [...TITLES, "Details"],
    rows: events.map((event) => (isCompact ? fieldsOf(event) : [...fieldsOf(event), event.details ?? ""])),
    isLastCellFollowedByBlank: false,
  });
  return `${table}\n`;
}

function fieldsOf(event: EventRecord): readonly string[] {
  return [
    String(event.nodeId),
    event.nodeName ?? "",
    event.event,
    event.successful ? "t" : "f",
    event.localTime,
  ];
}

function renderJson(events: readonly EventRecord[]): string {
  return renderJsonDocument({
    command: "cluster event",
    events: events.map((event) => ({
      node_id: event.nodeId,
      node_name: event.nodeName,
      event: event.event,
      successful: event.successful,
      timestamp: event.time,
      details: event.details,
    })),
    exit_code: 0,
  });
}
