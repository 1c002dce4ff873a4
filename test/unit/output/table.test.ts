import { describe, expect, it } from "vitest";
import { renderCsvRow } from "../../../src/output/csv.js";
import { displayWidth } from "../../../src/output/display-width.js";
import { renderTable } from "../../../src/output/table.js";

describe("renderTable", () => {
  const titles = ["ID", "Name"];
  const rows = [
    ["1", "n1"],
    ["2", "longer"],
  ];

  it("draws repmgr's layout", () => {
    expect(renderTable({ titles, rows, isLastCellFollowedByBlank: false })).toBe(
      [" ID | Name  ", "----+--------", " 1  | n1    ", " 2  | longer", ""].join("\n"),
    );
  });

  it("adds the blank after the last cell of rows, not of titles", () => {
    expect(renderTable({ titles, rows, isLastCellFollowedByBlank: true })).toBe(
      [" ID | Name  ", "----+--------", " 1  | n1     ", " 2  | longer ", ""].join("\n"),
    );
  });

  it("aligns names by what they take on the screen", () => {
    const text = renderTable({ titles, rows: [["1", "東京"]], isLastCellFollowedByBlank: false });
    expect(text.split("\n")[2]).toBe(" 1  | 東京");
  });
});

describe("displayWidth", () => {
  it.each([
    ["", 0],
    ["abc", 3],
    ["a\nb", 3],
    ["größe", 5],
    ["gro\u0308ße", 5],
    ["東京", 4],
    ["ｈ", 2],
    ["한국", 4],
    ["\u200b", 0],
    ["👍🏽", 2],
    ["é1", 2],
  ])("of %j is %i", (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });
});

describe("renderCsvRow", () => {
  it.each([
    [[1, "n1", "t"], "1,n1,t\n"],
    [[1, "", ""], "1,,\n"],
    [["a,b", 'c"d', "e\nf"], '"a,b","c""d","e\nf"\n'],
  ])("writes %j", (fields, line) => {
    expect(renderCsvRow(fields)).toBe(line);
  });
});
