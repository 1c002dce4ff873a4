import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ConninfoError,
  formatConninfo,
  isConninfo,
  maskConninfo,
  mergeConninfo,
  parseConninfo,
  quoteConninfoValue,
} from "../../../src/model/conninfo.js";

const password = "S3cr#t;x y";

describe("parseConninfo", () => {
  // Each pair agrees with PQconninfoParse of libpq 15.
  it.each<[string, Record<string, string>]>([
    ["", {}],
    ["host=n1 port=5432", { host: "n1", port: "5432" }],
    [" host = n1\n\tport='5432' ", { host: "n1", port: "5432" }],
    ["host='n1'port=5432", { host: "n1", port: "5432" }],
    [String.raw`user='it\'s' password='a\\b'`, { user: "it's", password: String.raw`a\b` }],
    [String.raw`password=a\ b`, { password: "a b" }],
    ["dbname='' host=n1 host=n2", { dbname: "", host: "n2" }],
    ["requiressl=1", { sslmode: "require" }],
    ["postgresql://", {}],
    ["postgres://n1", { host: "n1" }],
    [
      "postgresql://me:pw@n1:5433/db?sslmode=require",
      { user: "me", password: "pw", host: "n1", port: "5433", dbname: "db", sslmode: "require" },
    ],
    ["postgresql://n1:5432,n2/db", { host: "n1,n2", port: "5432,", dbname: "db" }],
    ["postgresql://[::1]:5432/db", { host: "::1", port: "5432", dbname: "db" }],
    ["postgresql://%2Fvar%2Frun/db?ssl=true", { host: "/var/run", dbname: "db", sslmode: "require" }],
    [`postgresql://u:${encodeURIComponent(password)}@/`, { user: "u", password }],
  ])("reads %j", (text, expected) => {
    expect(Object.fromEntries(parseConninfo(text))).toEqual(expected);
  });

  it("keeps the order, a repeated keyword at its first place", () => {
    expect([...parseConninfo("port=1 host=a port=2").keys()]).toEqual(["port", "host"]);
  });

  it.each([
    ["host", 'missing "=" after "host" in connection info string'],
    ["host n1", 'missing "=" after "host" in connection info string'],
    ["host='n1", "unterminated quoted string in connection info string"],
    ["hots=n1", 'invalid connection option "hots"'],
    ["=n1", 'invalid connection option ""'],
    [
      "postgresql://[::1",
      'end of string reached when looking for matching "]" in IPv6 host address in URI: "postgresql://[::1"',
    ],
    ["postgresql://[]", 'IPv6 host address may not be empty in URI: "postgresql://[]"'],
    [
      "postgresql://[::1]x",
      'unexpected character "x" at position 19 in URI (expected ":" or "/"): "postgresql://[::1]x"',
    ],
    ["postgresql://n1?x", 'missing key/value separator "=" in URI query parameter: "x"'],
    ["postgresql://n1?x=y=z", 'extra key/value separator "=" in URI query parameter: "x"'],
    ["postgresql://n1?x=y", 'invalid URI query parameter: "x"'],
    ["postgresql://%zz", 'invalid percent-encoded token: "%zz"'],
    ["postgresql://a%00b", 'forbidden value %00 in percent-encoded value: "a%00b"'],
  ])("refuses %j", (text, message) => {
    expect(() => parseConninfo(text)).toThrow(new ConninfoError(message));
  });

  it("does not show the rest of a password that was not quoted", () => {
    expect(() => parseConninfo(`host=n1 password=${password}`)).toThrow(
      'missing "=" after "*****" in connection',
    );
  });
});

describe("formatConninfo", () => {
  it("writes what parseConninfo reads", () => {
    const value = fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0"));
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom("host", "user", "password", "options"), value), (values) => {
        const conninfo = new Map(Object.entries(values));
        expect(parseConninfo(formatConninfo(conninfo))).toEqual(conninfo);
      }),
    );
  });

  it.each([
    ["n1.example_2", "n1.example_2"],
    ["", "''"],
    ["a-b", "'a-b'"],
    [String.raw`it's \x`, String.raw`'it\'s \\x'`],
  ])("quotes %j as libpq does", (value, quoted) => {
    expect(quoteConninfoValue(value)).toBe(quoted);
  });
});

describe("maskConninfo", () => {
  it.each([
    ["host=n1 password=abc port=1", "host=n1 password=***** port=1"],
    [`host=n1  password='${password}' sslpassword = x`, "host=n1  password=***** sslpassword = *****"],
    ["host=n1 user='a b'", "host=n1 user='a b'"],
    [`host=n1 password=${password}`, "host=n1 password=*****"],
    ["host=n1 password='abc", "host=n1 password=*****"],
    ["postgresql://me:p@ss/w?x@n1:5432/db", "postgresql://me:*****@n1:5432/db"],
    ["postgresql://me@n1/db?password=abc&port=1", "postgresql://me@n1/db?password=*****&port=1"],
    ["postgresql://n1:5432/db?application_name=a@b", "postgresql://n1:5432/db?application_name=a@b"],
    ["postgresql://n1/?pass%77ord=abc%zz", "postgresql://n1/?pass%77ord=*****"],
    ["not a connection string", "not a connection string"],
  ])("shows %j without its secrets", (text, shown) => {
    expect(maskConninfo(text)).toBe(shown);
  });

  it("masks a parsed connection string too", () => {
    expect(maskConninfo(parseConninfo(`password='${password}' host=n-1`))).toBe("password=***** host='n-1'");
  });

  it("never throws and never shows a password that libpq would find", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        expect(maskConninfo(`${before} password=hunter2 ${after}`)).not.toMatch(/password=hunter2/);
      }),
    );
  });
});

describe("isConninfo", () => {
  it.each([
    ["repmgr", false],
    ["host=n1", true],
    ["postgresql://n1", true],
    ["postgres://n1", true],
    ["postgresql:/n1", false],
  ])("judges %j", (text, expected) => {
    expect(isConninfo(text)).toBe(expected);
  });
});

describe("mergeConninfo", () => {
  it("replaces in place, appends, and ignores empty values", () => {
    const merged = mergeConninfo(parseConninfo("host=a port=1"), parseConninfo("port=2 host='' user=u"));
    expect(formatConninfo(merged)).toBe("host=a port=2 user=u");
  });
});
