import { describe, expect, it } from "vitest";
import type { AccessRule } from "../../../../src/decide/doctor/facts.js";
import { judgeAccess, type AccessRequest } from "../../../../src/decide/doctor/access-rules.js";
import { accessRule } from "../../../builders/doctor-facts.js";

const request: AccessRequest = {
  user: "repmgr",
  database: { kind: "database", name: "repmgr" },
  address: "10.0.0.2",
  hostName: "node2.example.org",
  isTlsOffered: false,
};

const verdict = (rule: Partial<AccessRule>, values: Partial<AccessRequest> = {}): string =>
  judgeAccess([accessRule(rule)], { ...request, ...values }).kind;

describe("judgeAccess", () => {
  it.each<[string, Partial<AccessRule>, Partial<AccessRequest>]>([
    ["the network", {}, {}],
    ["one address", { address: "10.0.0.2", netmask: "255.255.255.255" }, {}],
    ["any address", { address: "all", netmask: null }, {}],
    ["an IPv6 network", { address: "fd00::", netmask: "ffff::" }, { address: "fd00::2" }],
    ["a host name", { address: "node2.example.org", netmask: null }, {}],
    ["a domain", { address: ".example.org", netmask: null }, {}],
    ["every database", { databases: ["all"] }, {}],
    ["the user's database", { databases: ["sameuser"] }, {}],
    ["every user", { users: ["all"] }, {}],
    ["a group, which cannot be looked into from here", { users: ["+dba"] }, {}],
    ["TLS where the server offers it", { type: "hostssl" }, { isTlsOffered: true }],
    ["no TLS", { type: "hostnossl" }, {}],
    ["replication", { databases: ["replication"] }, { database: { kind: "replication" } }],
  ])("admits by a line for %s", (_what, rule, values) => {
    expect(verdict(rule, values)).toBe("admitted");
  });

  it.each<[string, Partial<AccessRule>, Partial<AccessRequest>]>([
    ["another network", { address: "10.0.1.0" }, {}],
    ["the other family", { address: "fd00::", netmask: "ffff::" }, {}],
    ["another IPv6 network", { address: "fd00::", netmask: "ffff::" }, { address: "fe80::2" }],
    ["another host name", { address: "node3.example.org", netmask: null }, {}],
    ["another database", { databases: ["postgres"] }, {}],
    ["another user", { users: ["postgres"] }, {}],
    ["sockets", { type: "local", address: null }, {}],
    ["TLS where the server has none", { type: "hostssl" }, {}],
    [
      "every database, which replication is not",
      { databases: ["all"] },
      { database: { kind: "replication" } },
    ],
    ["rejection", { method: "reject" }, {}],
    ["nothing, since it is not understood", { error: "invalid" }, {}],
  ])("refuses with a line for %s", (_what, rule, values) => {
    expect(verdict(rule, values)).toBe("refused");
  });

  it("goes by the first line that fits", () => {
    const lines = [
      accessRule({ users: ["other"] }),
      accessRule({ line: 2, method: "reject" }),
      accessRule({ line: 3 }),
    ];
    expect(judgeAccess(lines, request)).toMatchObject({ kind: "refused", rule: { line: 2 } });
  });
});
