import { describe, expect, it } from "vitest";
import {
  describeUnledPooler,
  findPoolerTarget,
  judgePause,
  waitBeforeNextLead,
} from "../../../src/decide/pgbouncer.js";
import { parseConninfo } from "../../../src/model/conninfo.js";

const pooler = { host: "pool1", port: 6432 };

describe("findPoolerTarget", () => {
  it.each([
    ["host=node2 user=repmgr dbname=repmgr", { host: "node2", port: 5432 }],
    ["host=node2,node3 port=5433,5434", { host: "node2", port: 5433 }],
    ["hostaddr=10.0.0.2 port=5433", { host: "10.0.0.2", port: 5433 }],
    ["dbname=repmgr", null],
    ["host=/run/postgresql", null],
  ])("of %j is %j", (conninfo, target) => {
    expect(findPoolerTarget(parseConninfo(conninfo), pooler)).toEqual(target);
  });

  it("is a socket directory for a pgbouncer of this host", () => {
    const conninfo = parseConninfo("host=/run/postgresql");
    expect(findPoolerTarget(conninfo, { host: "localhost", port: 6432 })?.host).toBe("/run/postgresql");
  });
});

describe("judgePause", () => {
  it("tells what a pgbouncer did not do, and nothing when it did", () => {
    const about = { pooler, database: "pea", timeoutMs: 5000 };
    expect(judgePause({ kind: "paused" }, about)).toBeNull();
    expect(judgePause({ kind: "busy" }, about)?.detail).toContain("within 5 seconds");
    expect(judgePause({ kind: "failed", reason: "refused" }, about)).toMatchObject({
      message: 'unable to pause database "pea" on pgbouncer "pool1:6432"',
      detail: expect.stringContaining("refused\n"),
    });
  });
});

describe("describeUnledPooler", () => {
  const left = {
    pooler,
    target: { host: "node2", port: 5432 },
    databases: ["pea"],
    file: "/f",
    user: "boss",
    isTriedAgain: false,
  };

  it("ends with what is left to do by hand", () => {
    expect(describeUnledPooler("refused", { ...left, paused: [] })).toEqual({
      message: 'pgbouncer "pool1:6432" could not be led to the new primary',
      detail: "refused",
      hint: `set host=node2 port=5432 for "pea" in "/f" on its host, then execute: psql -h pool1 -p 6432 -U boss -d pgbouncer -c RELOAD -c 'RESUME "pea"'`,
    });
  });

  it("leaves it to the daemon where one runs", () => {
    expect(describeUnledPooler("refused", { ...left, paused: [], isTriedAgain: true }).hint).toMatch(
      /^the daemon of this node tries again .*; by hand: set host=node2 /,
    );
  });

  it("says who waits until that is done", () => {
    expect(describeUnledPooler("refused", { ...left, paused: ["pea"] }).detail).toContain(
      '"pea" stays paused',
    );
  });
});

describe("waitBeforeNextLead", () => {
  it("doubles from a second on to half a minute", () => {
    expect([1, 2, 3, 5, 6, 60].map(waitBeforeNextLead)).toEqual([1000, 2000, 4000, 16_000, 30_000, 30_000]);
  });
});
