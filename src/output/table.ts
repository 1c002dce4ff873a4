import { displayWidth, padToWidth } from "./display-width.js";

export interface Table {
  readonly titles: readonly string[];
  /** One text per title. */
  readonly rows: readonly (readonly string[])[];
  /** Whether a blank follows the last cell of a row too: repmgr's tables differ in this. */
  readonly isLastCellFollowedByBlank: boolean;
}

/** Draws a table in repmgr's layout, as wide as its content, with a newline after every line. */
export function renderTable({ titles, rows, isLastCellFollowedByBlank }: Table): string {
  const widths = titles.map((title, column) =>
    Math.max(displayWidth(title), ...rows.map((row) => displayWidth(row[column] ?? ""))),
  );
  const renderLine = (cells: readonly string[]): string =>
    ` ${widths.map((width, column) => padToWidth(cells[column] ?? "", width)).join(" | ")}`;
  const rule = `-${widths.map((width) => "-".repeat(width)).join("-+-")}-`;
  const end = isLastCellFollowedByBlank ? " " : "";
  return [renderLine(titles), rule, ...rows.map((row) => renderLine(row) + end)]
    .map((line) => `${line}\n`)
    .join("");
}
