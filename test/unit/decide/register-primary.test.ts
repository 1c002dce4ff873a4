import { describe, expect, it } from "vitest";
import {
  planPrimaryRegistration,
  type PrimaryRegistrationFacts,
  type PrimaryRegistrationRules,
} from "../../../src/decide/register-primary.js";
import { nodeRecord } from "../../builders/node-record.js";

const facts = (changes: Partial<PrimaryRegistrationFacts> = {}): PrimaryRegistrationFacts => ({
  serverVersion: 150018,
  inRecovery: false,
  schema: { exists: true, extensionVersion: null, ourVersion: 3, missingColumns: [] },
  mayCreateSchema: true,
  records: [],
  registeredPrimaryRole: null,
  ...changes,
});

const rules = (changes: Partial<PrimaryRegistrationRules> = {}): PrimaryRegistrationRules => ({
  record: nodeRecord(),
  force: false,
  goesOn: false,
  schemaVersion: 3,
  ...changes,
});

const noSchema = { exists: false, extensionVersion: null, ourVersion: null, missingColumns: [] };
const otherPrimary = nodeRecord({ id: 2, type: "primary", upstreamNodeId: null });

const stepsOf = (...args: Parameters<typeof planPrimaryRegistration>): unknown => {
  const decision = planPrimaryRegistration(...args);
  return decision.kind === "ready" ? decision.steps.map(({ kind }) => kind) : decision.problems;
};

const refusalOf = (...args: Parameters<typeof planPrimaryRegistration>): string => {
  const decision = planPrimaryRegistration(...args);
  return decision.kind === "refused"
    ? decision.problems.map(({ message }) => message).join("\n")
    : "not refused";
};

describe("planPrimaryRegistration", () => {
  it("creates the schema before anything else", () => {
    expect(stepsOf(facts({ schema: noSchema }), rules())).toEqual([
      "create-schema",
      "ensure-voting-term",
      "insert-record",
    ]);
  });

  it("updates what a run that was cut off has written", () => {
    expect(stepsOf(facts({ records: [nodeRecord()] }), rules({ goesOn: true }))).toEqual([
      "ensure-voting-term",
      "update-record",
    ]);
  });

  it("upgrades an older schema of ours", () => {
    const older = { ...facts().schema, ourVersion: 1 };
    expect(stepsOf(facts({ schema: older }), rules())).toEqual([
      "upgrade-schema",
      "ensure-voting-term",
      "insert-record",
    ]);
  });

  it.each(["unreachable", "standby"] as const)(
    "sets another primary's record inactive when that server is %s",
    (role) => {
      const given = facts({ records: [otherPrimary], registeredPrimaryRole: role });
      expect(stepsOf(given, rules())).toEqual(["ensure-voting-term", "deactivate-node", "insert-record"]);
    },
  );

  it("warns when the other primary runs as a standby", () => {
    const decision = planPrimaryRegistration(
      facts({ records: [otherPrimary], registeredPrimaryRole: "standby" }),
      rules(),
    );
    expect(decision.kind === "ready" && decision.warnings[0]?.message).toContain("running as a standby");
  });

  it("keeps the slot name of an existing record when slots are off", () => {
    const given = facts({ records: [nodeRecord({ slotName: "repmgr_slot_1" })] });
    const decision = planPrimaryRegistration(given, rules({ force: true }));
    expect(decision.kind === "ready" && decision.steps.at(-1)).toMatchObject({
      kind: "update-record",
      record: { slotName: "repmgr_slot_1" },
    });
  });

  it.each([
    [
      "a standby",
      facts({ inRecovery: true }),
      rules(),
      "server is in standby mode and cannot be registered as a primary",
    ],
    ["an old server", facts({ serverVersion: 120000 }), rules(), "PostgreSQL 13 or newer is needed"],
    [
      "no right to create the schema",
      facts({ schema: noSchema, mayCreateSchema: false }),
      rules(),
      'no permission to create schema "repmgr"',
    ],
    [
      "its own record, not forced",
      facts({ records: [nodeRecord()] }),
      rules(),
      "this node is already registered",
    ],
    [
      "another live primary, even when forced",
      facts({ records: [otherPrimary], registeredPrimaryRole: "primary" }),
      rules({ force: true }),
      "there is already an active registered primary (ID: 2) in this cluster",
    ],
    [
      "a name in use",
      facts({ records: [nodeRecord({ id: 3, nodeName: "node1" })] }),
      rules(),
      'node 3 exists already with node_name "node1"',
    ],
  ])("refuses %s", (_case, given, applied, message) => {
    expect(refusalOf(given, applied)).toBe(message);
  });
});
