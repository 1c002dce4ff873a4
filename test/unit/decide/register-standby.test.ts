import { describe, expect, it } from "vitest";
import {
  planStandbyRegistration,
  type StandbyRegistrationFacts,
  type StandbyRegistrationRules,
} from "../../../src/decide/register-standby.js";
import { nodeId } from "../../../src/model/node-record.js";
import { nodeRecord } from "../../builders/node-record.js";

const facts = (changes: Partial<StandbyRegistrationFacts> = {}): StandbyRegistrationFacts => ({
  local: { serverVersion: 150018, systemIdentifier: "7000" },
  primary: {
    nodeId: nodeId(1),
    schema: { exists: true, extensionVersion: null, ourVersion: 3, missingColumns: [] },
    systemIdentifier: "7000",
  },
  records: [nodeRecord()],
  attachment: { kind: "attached", state: "streaming" },
  ...changes,
});

const rules = (changes: Partial<StandbyRegistrationRules> = {}): StandbyRegistrationRules => ({
  record: nodeRecord({ id: 2, upstreamNodeId: null }),
  force: false,
  goesOn: false,
  upstreamNodeId: null,
  upstreamConninfo: null,
  schemaVersion: 3,
  ...changes,
});

const outcome = (given: StandbyRegistrationFacts, applied: StandbyRegistrationRules): string => {
  const decision = planStandbyRegistration(given, applied);
  if (decision.kind === "refused")
    return decision.problems.map(({ message }) => `refused: ${message}`).join("\n");
  const warnings = decision.warnings.map(({ message }) => `warning: ${message}`);
  const steps = decision.steps.map(
    ({ kind, record }) => `${kind} ${record.nodeId} <- ${record.upstreamNodeId}`,
  );
  return [...warnings, ...steps].join("\n");
};

const assumed = "warning: --upstream-node-id not supplied, assuming upstream node is primary (node ID: 1)";
const registered = [nodeRecord(), nodeRecord({ id: 2 })];
const upstream3 = [nodeRecord(), nodeRecord({ id: 3 })];
const notAttached = 'local node "node2" (ID: 2) is not attached to specified upstream node "node1" (ID: 1)';

describe("planStandbyRegistration", () => {
  it.each<[string, StandbyRegistrationFacts, StandbyRegistrationRules, string]>([
    ["first registration", facts(), rules(), `${assumed}\ninsert-record 2 <- 1`],
    [
      "a state that may not be seen",
      facts({ attachment: { kind: "attached", state: null } }),
      rules(),
      `${assumed}\ninsert-record 2 <- 1`,
    ],
    ["registration again", facts({ records: registered }), rules(), "refused: node 2 is already registered"],
    [
      "registration again after a run that was cut off",
      facts({ records: registered }),
      rules({ goesOn: true }),
      "update-record 2 <- 1",
    ],
    [
      "registration again by force",
      facts({ records: registered }),
      rules({ force: true }),
      "update-record 2 <- 1",
    ],
    [
      "a given upstream",
      facts({ records: upstream3 }),
      rules({ upstreamNodeId: nodeId(3) }),
      "insert-record 2 <- 3",
    ],
    [
      "itself as upstream",
      facts(),
      rules({ upstreamNodeId: nodeId(2), force: true }),
      "refused: provided node ID for --upstream-node-id (2) is the same as the configured local node ID (2)",
    ],
    [
      "an unknown upstream",
      facts(),
      rules({ upstreamNodeId: nodeId(9) }),
      "refused: no record found for upstream node 9",
    ],
    [
      "an unknown upstream by force",
      facts({ attachment: { kind: "not-asked" } }),
      rules({ upstreamNodeId: nodeId(9), force: true }),
      "insert-placeholder 9 <- 1\ninsert-record 2 <- 9",
    ],
    [
      "an inactive upstream",
      facts({ records: [nodeRecord(), nodeRecord({ id: 3, active: false })] }),
      rules({ upstreamNodeId: nodeId(3) }),
      'refused: upstream node "node3" (ID: 3) is marked as inactive',
    ],
    ["not attached", facts({ attachment: { kind: "not-attached" } }), rules(), `refused: ${notAttached}`],
    [
      "catching up",
      facts({ attachment: { kind: "attached", state: "catchup" } }),
      rules(),
      `refused: ${notAttached}`,
    ],
    [
      "not attached, by force",
      facts({ attachment: { kind: "not-attached" } }),
      rules({ force: true }),
      `${assumed}\nwarning: ${notAttached}\ninsert-record 2 <- 1`,
    ],
    [
      "an upstream that does not answer",
      facts({ attachment: { kind: "unreachable", reason: "refused" } }),
      rules(),
      'refused: unable to connect to upstream node "node1" (ID: 1)',
    ],
    [
      "a local server that is down",
      facts({ local: null, attachment: { kind: "not-asked" } }),
      rules({ force: true }),
      "insert-record 2 <- 1",
    ],
    [
      "a server of another cluster",
      facts({ local: { serverVersion: 150018, systemIdentifier: "8000" } }),
      rules({ force: true }),
      "refused: this node is not a standby of this cluster",
    ],
    [
      "a name in use",
      facts({ records: [nodeRecord(), nodeRecord({ id: 3, nodeName: "node2" })] }),
      rules({ force: true }),
      'refused: node 3 exists already with node_name "node2"',
    ],
    [
      "a cluster without metadata",
      facts({
        primary: {
          nodeId: null,
          systemIdentifier: "7000",
          schema: { exists: false, extensionVersion: null, ourVersion: null, missingColumns: [] },
        },
      }),
      rules(),
      "refused: no primary node is registered in this cluster",
    ],
    [
      "several problems at once",
      facts({ records: registered, attachment: { kind: "not-attached" } }),
      rules(),
      `refused: node 2 is already registered\nrefused: ${notAttached}`,
    ],
  ])("plans %s", (_case, given, applied, expected) => {
    expect(outcome(given, applied)).toBe(expected);
  });

  it("writes the upstream's conninfo into its placeholder", () => {
    const decision = planStandbyRegistration(
      facts({ attachment: { kind: "not-asked" } }),
      rules({ upstreamNodeId: nodeId(9), upstreamConninfo: "host=n9", force: true }),
    );
    expect(decision.kind === "ready" && decision.steps[0]?.record).toMatchObject({
      conninfo: "host=n9",
      active: false,
    });
  });
});
