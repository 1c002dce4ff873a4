import { describe, expect, it } from "vitest";
import {
  checkDatabaseConnection,
  checkDataDirectory,
  checkReplicationConfigOwner,
  checkRepmgrd,
  type DataDirectoryFacts,
} from "../../../src/decide/node-checks-of-host.js";
import type { CheckStatus } from "../../../src/decide/node-check-findings.js";

describe("checkDataDirectory", () => {
  const facts = { configured: "/a", actual: "/a", isSame: true, isDataDirectory: true };

  it.each<[string, Partial<DataDirectoryFacts>, CheckStatus, string]>([
    ["the same", {}, "OK", 'configured "data_directory" is "/a"'],
    ["another path to the same", { actual: "/b" }, "OK", 'configured "data_directory" is "/a"'],
    [
      "another one",
      { actual: "/b", isSame: false },
      "CRITICAL",
      'configured "data_directory" is "/a"; actual data directory is "/b"',
    ],
    [
      "unknown, but a data directory",
      { actual: null, isSame: false },
      "OK",
      'configured "data_directory" is "/a"',
    ],
    [
      "unknown, and no data directory",
      { actual: null, isSame: false, isDataDirectory: false },
      "CRITICAL",
      'configured "data_directory" is "/a"; no PostgreSQL data directory is there',
    ],
  ])("where the server's is %s", (_case, changes, status, details) => {
    expect(checkDataDirectory({ ...facts, ...changes })).toMatchObject({ status, details });
  });
});

describe("checkRepmgrd", () => {
  it.each<[{ isRunning: boolean; isPaused: boolean } | null, CheckStatus, string]>([
    [{ isRunning: true, isPaused: false }, "OK", "repmgrd running"],
    [{ isRunning: true, isPaused: true }, "WARNING", "repmgrd running but paused"],
    [{ isRunning: false, isPaused: true }, "CRITICAL", "repmgrd not running"],
    [null, "CRITICAL", "repmgrd not running"],
  ])("of %j", (state, status, details) => {
    expect(checkRepmgrd(state)).toMatchObject({ status, details });
  });
});

describe("checkReplicationConfigOwner", () => {
  it.each<[number | null, number | null, CheckStatus]>([
    [26, 26, "OK"],
    [0, 26, "CRITICAL"],
    [null, 26, "CRITICAL"],
    [null, null, "CRITICAL"],
  ])("with a file of user %s in a directory of user %s is %s", (ofFile, ofDirectory, status) => {
    expect(checkReplicationConfigOwner({ ofFile, ofDirectory }).status).toBe(status);
  });
});

describe("checkDatabaseConnection", () => {
  it("tells what was tried", () => {
    expect(checkDatabaseConnection(null)).toMatchObject({ status: "OK", details: "" });
    expect(checkDatabaseConnection(["host=a", "port=1"])).toMatchObject({
      status: "CRITICAL",
      details: "connection parameters used: host=a port=1",
    });
  });
});
