import { describe, expect, it } from "vitest";
import { judgeSchema, judgeServerVersion } from "../../../src/decide/schema.js";
import type { SchemaState } from "../../../src/model/schema-state.js";

const state = (changes: Partial<SchemaState> = {}): SchemaState => ({
  exists: true,
  extensionVersion: null,
  ourVersion: 3,
  missingColumns: [],
  ...changes,
});

describe("judgeSchema", () => {
  it.each([
    ["no schema", state({ exists: false, ourVersion: null }), { kind: "create" }],
    ["ours, up to date", state(), { kind: "use", owner: "us" }],
    ["ours, older", state({ ourVersion: 1 }), { kind: "upgrade", fromVersion: 1 }],
    [
      "the extension",
      state({ ourVersion: null, extensionVersion: "5.3" }),
      { kind: "use", owner: "extension" },
    ],
    [
      "an old extension whose tables fit",
      state({ ourVersion: null, extensionVersion: "4.4" }),
      { kind: "use", owner: "extension" },
    ],
  ])("decides about %s", (_case, given, expected) => {
    expect(judgeSchema(given, 3)).toEqual(expected);
  });

  it.each([
    ["a newer schema of ours", state({ ourVersion: 4 }), "newer release", "same release"],
    [
      "an extension with other tables",
      state({ ourVersion: null, extensionVersion: "4.0", missingColumns: ["nodes.priority"] }),
      "too old",
      "ALTER EXTENSION repmgr UPDATE",
    ],
    [
      "somebody else's schema",
      state({ ourVersion: null, missingColumns: ["nodes.node_id"] }),
      "holds no repmgr metadata",
      "rename or drop",
    ],
  ])("refuses %s with a hint", (_case, given, message, hint) => {
    const verdict = judgeSchema(given, 3);
    expect(verdict.kind === "refuse" && `${verdict.problem.message} ${verdict.problem.hint}`).toMatch(
      new RegExp(`${message}.*${hint}`),
    );
  });
});

describe("judgeServerVersion", () => {
  it("accepts PostgreSQL 13 and refuses 12", () => {
    expect(judgeServerVersion(130000)).toBeNull();
    expect(judgeServerVersion(120022)?.message).toBe("PostgreSQL 13 or newer is needed");
  });
});
