import { describe, expect, it } from "vitest";
import {
  planWitnessRegistration,
  type WitnessRegistrationFacts,
  type WitnessRegistrationRules,
} from "../../../src/decide/register-witness.js";
import { nodeId } from "../../../src/model/node-record.js";
import { nodeRecord } from "../../builders/node-record.js";

const primary = nodeRecord();
const own = nodeRecord({ id: 4, type: "witness", upstreamNodeId: null, nodeName: "arbiter" });
const ready = { exists: true, extensionVersion: null, ourVersion: 3, missingColumns: [] };
const absent = { ...ready, exists: false, ourVersion: null };

type WitnessFacts = WitnessRegistrationFacts["witness"];

const facts = ({
  records = [],
  ...witness
}: Partial<WitnessFacts> & {
  readonly records?: WitnessRegistrationFacts["primary"]["records"];
} = {}): WitnessRegistrationFacts => ({
  witness: {
    serverVersion: 150018,
    systemIdentifier: "7002",
    schema: ready,
    mayCreateSchema: true,
    records: [],
    ...witness,
  },
  primary: { record: primary, systemIdentifier: "7001", records: [primary, ...records] },
});

const withCopy = (
  copy: WitnessFacts["records"],
  records: WitnessRegistrationFacts["primary"]["records"] = [],
): WitnessRegistrationFacts => {
  const base = facts({ records });
  return { ...base, witness: { ...base.witness, records: copy } };
};

const rules = (changes: Partial<WitnessRegistrationRules> = {}): WitnessRegistrationRules => ({
  record: own,
  force: false,
  goesOn: false,
  schemaVersion: 3,
  ...changes,
});

const outcome = (given: WitnessRegistrationFacts, applied: WitnessRegistrationRules): string => {
  const decision = planWitnessRegistration(given, applied);
  if (decision.kind === "ready") return decision.steps.map(({ kind }) => kind).join(" ");
  return decision.problems.map(({ message }) => message).join("\n");
};

const renamed = nodeRecord({ id: 4, type: "witness", nodeName: "old-name" });

describe("planWitnessRegistration", () => {
  it.each<[string, WitnessRegistrationFacts, WitnessRegistrationRules, string]>([
    [
      "makes the schema first",
      facts({ schema: absent }),
      rules(),
      "create-schema insert-record copy-records",
    ],
    [
      "upgrades an older schema",
      facts({ schema: { ...ready, ourVersion: 1 } }),
      rules(),
      "upgrade-schema insert-record copy-records",
    ],
    [
      "updates a record after a rename, by its id",
      facts({ records: [renamed] }),
      rules({ force: true }),
      "update-record copy-records",
    ],
    [
      "goes on with a run that was cut off",
      facts({ records: [own] }),
      rules({ goesOn: true }),
      "update-record copy-records",
    ],
    [
      "replaces a copy that was left",
      withCopy([primary, own]),
      rules({ force: true }),
      "insert-record copy-records",
    ],
  ])("%s", (_case, given, applied, expected) => {
    expect(outcome(given, applied)).toBe(expected);
  });

  it.each<[string, WitnessRegistrationFacts, WitnessRegistrationRules, string]>([
    [
      "a server of the cluster",
      facts({ systemIdentifier: "7001" }),
      rules({ force: true }),
      "witness node cannot be in the same cluster as the primary node",
    ],
    ["an old server", facts({ serverVersion: 120000 }), rules(), "PostgreSQL 13 or newer is needed"],
    [
      "no right to create the schema",
      facts({ schema: absent, mayCreateSchema: false }),
      rules(),
      'no permission to create schema "repmgr" on the witness',
    ],
    [
      "an id that a standby has",
      facts({ records: [nodeRecord({ id: 4, nodeName: "arbiter" })] }),
      rules({ force: true }),
      'node "arbiter" (ID: 4) is already registered as a standby node',
    ],
    [
      "to register again, not forced",
      facts({ records: [own] }),
      rules(),
      "witness node is already registered",
    ],
    [
      "a name in use",
      facts({ records: [nodeRecord({ id: 7, nodeName: "arbiter" })] }),
      rules({ force: true }),
      'node 7 exists already with node_name "arbiter"',
    ],
    [
      "a copy that was left, not forced",
      withCopy([primary]),
      rules(),
      "witness node is already initialised and contains node records",
    ],
    [
      "the primary of another cluster, even when forced",
      withCopy([nodeRecord({ nodeName: "other", conninfo: own.conninfo })]),
      rules({ force: true }),
      'the server of the witness is the registered primary "other" (ID: 1) of another cluster',
    ],
  ])("refuses %s", (_case, given, applied, expected) => {
    expect(outcome(given, applied)).toBe(expected);
  });

  it("writes priority 0 and the primary as upstream", () => {
    const decision = planWitnessRegistration(facts(), rules());
    expect(decision.kind === "ready" && decision.steps[0]).toMatchObject({
      record: { priority: 0, upstreamNodeId: nodeId(1), type: "witness", active: true },
    });
  });

  it("warns about a witness on the host of the primary", () => {
    const decision = planWitnessRegistration(
      facts(),
      rules({ record: { ...own, conninfo: "host=node1 port=5433" } }),
    );
    expect(decision.kind === "ready" && decision.warnings.map(({ message }) => message)).toEqual([
      'the witness is on the host of the primary ("node1")',
    ]);
  });
});
