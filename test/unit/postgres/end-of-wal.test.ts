import { describe, expect, it } from "vitest";
import { parseLsn } from "../../../src/model/lsn.js";
import { parseEndOfWal } from "../../../src/postgres/rewind.js";

describe("parseEndOfWal", () => {
  it.each([
    [
      "where the next record would begin",
      "pg_waldump: error: error in WAL record at 0/50001C8: invalid record length at 0/5000278: wanted 24, got 0",
      "0/5000278",
    ],
    [
      "behind a record that points elsewhere",
      "pg_waldump: error: error in WAL record at 0/50001C8: record with incorrect prev-link 0/3000100 at 0/5000278",
      "0/5000278",
    ],
    [
      "the last record before an old page",
      "pg_waldump: error: error in WAL record at 0/5027FC8: unexpected pageaddr 0/3028000 in log segment 000000010000000000000005, offset 163840",
      "0/5027FC8",
    ],
    [
      "the last record before an old page, since PostgreSQL 16",
      "pg_waldump: error: error in WAL record at 0/5027FC8: unexpected pageaddr 0/3028000 in WAL segment 000000010000000000000005, LSN 0/5028000, offset 163840",
      "0/5027FC8",
    ],
  ])("finds %s", (_case, text, expected) => {
    expect(parseEndOfWal(text)).toBe(parseLsn(expected));
  });

  it("does not guess", () => {
    expect(parseEndOfWal("pg_waldump: error: could not find a valid record after 0/5000000")).toBeNull();
  });
});
