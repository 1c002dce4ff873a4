import { describe, expect, it } from "vitest";
import { formatConninfo, parseConninfo } from "../../../src/model/conninfo.js";
import { childEnvironment } from "../../../src/postgres/child-environment.js";
import { searchPasswordFile } from "../../../src/postgres/credentials.js";
import { resolveConninfo } from "../../../src/postgres/environment-defaults.js";
import { numberVersion } from "../../../src/postgres/session.js";
import { describeAddress, listHosts, resolveHost } from "../../../src/postgres/server-addresses.js";

describe("searchPasswordFile", () => {
  const key = { host: "n1", port: "5432", database: "repmgr", user: "repmgr" };
  it.each<[string, string, string | null]>([
    ["the whole line", "n1:5432:repmgr:repmgr:pw", "pw"],
    ["wildcards", "*:*:*:*:pw", "pw"],
    ["the first of two", "n2:*:*:*:no\nn1:*:*:*:first\n*:*:*:*:second", "first"],
    ["no comment", "#*:*:*:*:no\n*:*:*:*:yes", "yes"],
    ["an escaped colon", String.raw`*:*:*:*:a\:b\\`, String.raw`a:b` + "\\"],
    ["a password up to its colon", "*:*:*:*:a:b", "a"],
    ["an escaped star only literally", String.raw`\*:*:*:*:pw`, null],
    ["Windows line ends", "*:*:*:*:pw\r\n", "pw"],
    ["no short line", "*:*:*:pw", null],
    ["blanks as they are", "*:*:*:*: S3cr#t;x y ", " S3cr#t;x y "],
  ])("takes %s", (_what, text, password) => {
    expect(searchPasswordFile(text, key)).toBe(password);
  });
});

describe("resolveConninfo", () => {
  const environment = { variables: {}, homeDirectory: "/home/me", osUser: "me" };

  it("adds what repmgr and libpq add, and drops options", async () => {
    const resolved = await resolveConninfo(parseConninfo("host=n1 options=-cx=1"), environment);
    expect(formatConninfo(resolved)).toBe(
      "host=n1 sslmode=prefer target_session_attrs=any connect_timeout=2 fallback_application_name=repmgr user=me dbname=me passfile='/home/me/.pgpass'",
    );
  });

  it("prefers the string to PG* variables and those to defaults", async () => {
    const variables = { PGHOST: "env", PGPORT: "1", PGUSER: "u", PGCONNECT_TIMEOUT: "9", PGREQUIRESSL: "1" };
    const resolved = await resolveConninfo(parseConninfo("port=2"), { ...environment, variables });
    expect(Object.fromEntries(resolved)).toMatchObject({
      host: "env",
      port: "2",
      user: "u",
      dbname: "u",
      connect_timeout: "9",
      sslmode: "require",
    });
  });
});

describe("listHosts", () => {
  it("pairs hosts, addresses and ports", () => {
    expect(listHosts(parseConninfo("host=a,b hostaddr=10.0.0.1, port=,2"))).toEqual([
      { name: "a", addressGiven: "10.0.0.1", port: 5432 },
      { name: "b", addressGiven: "", port: 2 },
    ]);
  });

  it.each([
    ["host=a,b hostaddr=1.1.1.1", "could not match 2 host names to 1 hostaddr values"],
    ["host=a,b port=1,2,3", "could not match 3 port numbers to 2 hosts"],
    ["host=a port=x", 'invalid integer value "x" for connection option "port"'],
    ["host=a port=65536", 'invalid port number: "65536"'],
  ])("refuses %j in libpq's words", (text, message) => {
    expect(() => listHosts(parseConninfo(text))).toThrow(message);
  });
});

describe("describeAddress", () => {
  it.each([
    ["host=127.0.0.1", 'connection to server at "127.0.0.1", port 5432 failed: '],
    ["host=n2 hostaddr=172.30.7.12", 'connection to server at "n2" (172.30.7.12), port 5432 failed: '],
    ["host=/run/x port=5", 'connection to server on socket "/run/x/.s.PGSQL.5" failed: '],
    ["host=@abstract", 'connection to server on socket "@abstract/.s.PGSQL.5432" failed: '],
  ])("of %j begins as libpq's messages do", async (text, expected) => {
    const conninfo = parseConninfo(text);
    const [host] = listHosts(conninfo);
    const [address] = host === undefined ? [] : await resolveHost(host, conninfo);
    expect(address === undefined ? "" : describeAddress(address)).toBe(expected);
  });
});

describe("childEnvironment", () => {
  it("moves the password out of the connection string", () => {
    const child = childEnvironment(parseConninfo("host=n1 password='S3cr#t;x y' sslpassword=k passfile=/p"));
    expect(formatConninfo(child.conninfo)).toBe("host=n1 passfile='/p'");
    expect(child.env).toEqual({ PGPASSWORD: "S3cr#t;x y" });
  });

  it("leaves the password of the environment alone when there is none of its own", () => {
    expect(childEnvironment(parseConninfo("host=n1")).env).toEqual({});
  });
});

describe("numberVersion", () => {
  it.each([
    ["15.18 (Debian 15.18-0+deb12u1)", 150018],
    ["18beta1", 180000],
    ["13.0", 130000],
  ])("reads %j", (text, version) => {
    expect(numberVersion(text)).toBe(version);
  });
});
