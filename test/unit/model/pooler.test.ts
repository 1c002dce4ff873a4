import { describe, expect, it } from "vitest";
import { formatPoolerAddress, parsePoolerAddress } from "../../../src/model/pooler.js";

describe("parsePoolerAddress", () => {
  it.each([
    ["pool1", { host: "pool1", port: 6432 }, "pool1:6432"],
    ["pool1:6433", { host: "pool1", port: 6433 }, "pool1:6433"],
    ["/run/pgbouncer:6433", { host: "/run/pgbouncer", port: 6433 }, "/run/pgbouncer:6433"],
    ["::1", { host: "::1", port: 6432 }, "[::1]:6432"],
    ["[fe80::1]:6433", { host: "fe80::1", port: 6433 }, "[fe80::1]:6433"],
  ])("reads %s", (text, address, shown) => {
    expect(parsePoolerAddress(text, 6432)).toEqual(address);
    expect(formatPoolerAddress(address)).toBe(shown);
  });

  it.each(["pool1:", "pool1:x", "pool1:0", "pool1:65536", ":6432", "[::1", "a b"])("refuses %j", (text) => {
    expect(parsePoolerAddress(text, 6432)).toBeNull();
  });
});
