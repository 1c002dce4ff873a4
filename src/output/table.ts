import { displayWidth, padToWidth } from "./display-width.js";

export interface Table {
  readonly titles: readonly string[];
  /** One text per title. */
  readonly rows: readonly (readonly string[])[];
  /** Whether a blank follows the last cell of a row too: repmgr's tables differ in this. */
  readonly isLastCellFollowedByBlank: boolean;
  /** Colours the finished cell of a row, which must stay as wide as it is. */
  readonly paint?: (cell: string, place: { readonly row: number; readonly column: number }) => string;
}

/** Draws a table in repmgr's layout, as wide as its content, with a newline after every line. */
export function renderTable(table: Table): string {
  const { titles, rows, isLastCellFollowedByBlank, paint = keepAsItIs } = table;
  const widths = titles.map((title, column) =>
    Math.max(displayWidth(title), ...rows.map((row) => displayWidth(row[column] ?? ""))),
  );
  const pad = (cells: readonly string[]): readonly string[] =>
    widths.map((width, column) => padToWidth(cells[column] ?? "", width));
  const renderLine = (cells: readonly string[]): string => ` ${cells.join(" | ")}`;
  const renderRow = (cells: readonly string[], row: number): string =>
    renderLine(pad(cells).map((cell, column) => paint(cell, { row, column })));
  const rule = `-${widths.map((width) => "-".repeat(width)).join("-+-")}-`;
  const end = isLastCellFollowedByBlank ? " " : "";
  return [renderLine(pad(titles)), rule, ...rows.map((cells, row) => renderRow(cells, row) + end)]
    .map((line) => `${line}\n`)
    .join("");
}

const keepAsItIs = (cell: string): string => cell;
