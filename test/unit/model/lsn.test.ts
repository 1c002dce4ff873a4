import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatLsn, parseLsn } from "../../../src/model/lsn.js";

describe("parseLsn", () => {
  it("orders positions across the 4 GiB border", () => {
    expect(parseLsn("1/0") > parseLsn("0/FFFFFFFF")).toBe(true);
  });

  it.each(["", "0", "0/", "/0", "G/0", "0/123456789", "0/0 "])("refuses %j", (text) => {
    expect(() => parseLsn(text)).toThrow(RangeError);
  });

  it("reads what formatLsn writes", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
        const text = `${(value >> 32n).toString(16).toUpperCase()}/${(value & 0xffffffffn).toString(16).toUpperCase()}`;
        expect(formatLsn(parseLsn(text))).toBe(text);
      }),
    );
  });
});
