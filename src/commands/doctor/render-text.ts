import { isProblem, type DoctorRow, type DoctorStatus } from "../../decide/doctor/report.js";
import type { Palette, Tone } from "../../output/palette.js";
import { renderTable } from "../../output/table.js";

const tones: Readonly<Record<DoctorStatus, Tone | null>> = {
  ok: "good",
  note: null,
  unknown: "doubtful",
  warning: "doubtful",
  failed: "bad",
};

const STATUS_COLUMN = 2;

/** One row for each finding, the nodes one after the other. */
export function renderDoctorTable(rows: readonly DoctorRow[], palette: Palette): string {
  const table = renderTable({
    titles: ["Node", "Check", "Status", "Detail"],
    rows: rows.map(({ nodeName, check, status, detail }) => [nodeName, check, status, onOneLine(detail)]),
    isLastCellFollowedByBlank: false,
    paint: (text, { row, column }) => {
      const tone = column === STATUS_COLUMN ? tones[rows[row]?.status ?? "note"] : null;
      return tone === null ? text : palette[tone](text);
    },
  });
  // Details are of very different lengths: filled up, the short ones would wrap on a terminal.
  return table.replaceAll(/ +$/gm, "");
}

/** What repairs each problem, in the order of the rows; the same repair once. */
export function listRepairs(rows: readonly DoctorRow[]): readonly string[] {
  const repairs = rows
    .filter(isProblem)
    .flatMap(({ nodeName, check, hint }) => (hint === null ? [] : [`${nodeName}, ${check}: ${hint}`]));
  return [...new Set(repairs)];
}

/** libpq's messages have a line for each address that was tried. */
const onOneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, "; ");
