import { describe, expect, it } from "vitest";
import { parseLsn } from "../../../src/model/lsn.js";
import { beginningOfRecord, findContinuation, isContinuedOn } from "../../../src/model/wal-record.js";

const MIB = 2 ** 20;

/** PostgreSQL's XLogRecord: length, transaction, record before, info, resource manager, two zeros, checksum. */
function header(length: number, { previous = "0/FF000", zeros = 0 } = {}): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.writeUInt32LE(length, 0);
  bytes.writeBigUInt64LE(parseLsn(previous), 8);
  bytes.writeUInt16LE(zeros, 18);
  return bytes;
}

describe("beginningOfRecord", () => {
  it.each([
    ["0/1002A8", "0/1002A8"],
    ["0/102000", "0/102018"],
    ["0/200000", "0/200028"],
  ])("finds behind %s, over the header of a page, %s", (lsn, beginning) => {
    expect(beginningOfRecord(parseLsn(lsn), MIB)).toBe(parseLsn(beginning));
  });
});

describe("findContinuation", () => {
  const page = parseLsn("0/200000");

  it("says what stands in the next segment", () => {
    expect(findContinuation(parseLsn("0/1FFF00"), header(0x100 + 1), MIB)).toEqual({ page, bytes: 1 });
  });

  it("counts the headers of the pages between", () => {
    const lsn = parseLsn("0/1FBF00");
    const upToTheEnd = 0x100 + 2 * (8192 - 24);
    expect(findContinuation(lsn, header(upToTheEnd), MIB)).toBeNull();
    expect(findContinuation(lsn, header(upToTheEnd + 7), MIB)).toEqual({ page, bytes: 7 });
  });

  it("looks at the segment in which the record begins, whatever its size", () => {
    expect(findContinuation(parseLsn("0/1FFF00"), header(0x1000), 16 * MIB)).toBeNull();
  });

  it("knows a record of which only the first bytes stand on its page", () => {
    const lsn = parseLsn("0/1FFFF8");
    expect(findContinuation(lsn, header(100).subarray(0, 8), MIB)).toEqual({ page, bytes: 92 });
  });

  it.each<[string, Buffer]>([
    ["zeros", Buffer.alloc(24)],
    ["less than a header", header(23)],
    ["more than PostgreSQL writes", header(0x7fffffff)],
    ["a record that says it follows a later one", header(0x1000, { previous: "0/1FFFF0" })],
    ["no zeros where a header has them", header(0x1000, { zeros: 0x6162 })],
  ])("takes for no record: %s", (_, bytes) => {
    expect(findContinuation(parseLsn("0/1FFF00"), bytes, MIB)).toBeNull();
  });
});

describe("isContinuedOn", () => {
  const continuation = { page: parseLsn("0/200000"), bytes: 92 };

  /** PostgreSQL's XLogPageHeaderData. */
  function pageHeader({ info = 3, address = "0/200000", bytes = 92 } = {}): Buffer {
    const page = Buffer.alloc(24);
    page.writeUInt16LE(info, 2);
    page.writeBigUInt64LE(parseLsn(address), 8);
    page.writeUInt32LE(bytes, 16);
    return page;
  }

  it.each<[string, Buffer, boolean]>([
    ["the page that goes on with it", pageHeader(), true],
    ["a page of a segment that was used before", pageHeader({ address: "0/100000" }), false],
    ["a page that begins with a record of its own", pageHeader({ info: 2 }), false],
    ["the rest of another record", pageHeader({ bytes: 93 }), false],
  ])("judges %s", (_, page, expected) => {
    expect(isContinuedOn(page, continuation)).toBe(expected);
  });
});
