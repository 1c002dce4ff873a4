import type { NodeId, NodeRecord } from "../model/node-record.js";
import type { Plan } from "../model/plan.js";
import type { Problem } from "../model/problem.js";
import type { SchemaState } from "../model/schema-state.js";
import { findNameTaken } from "./name-taken.js";
import { judgeSchema, judgeServerVersion } from "./schema.js";

/** What the server of a node turned out to be when it was asked. */
export type ServerRole = "primary" | "standby" | "unreachable";

export interface PrimaryRegistrationFacts {
  readonly serverVersion: number;
  readonly inRecovery: boolean;
  readonly schema: SchemaState;
  /** May the session that is to create the schema do so? */
  readonly mayCreateSchema: boolean;
  readonly records: readonly NodeRecord[];
  /** The server behind the registered primary, when that is another node. */
  readonly registeredPrimaryRole: ServerRole | null;
}

export interface PrimaryRegistrationRules {
  readonly record: NodeRecord;
  readonly force: boolean;
  /** A run of this command was cut off before: what it has written already is no reason to refuse. */
  readonly goesOn: boolean;
  /** Version of the schema that this program makes. */
  readonly schemaVersion: number;
}

export type PrimaryRegistrationStep =
  | { readonly kind: "create-schema" }
  | { readonly kind: "upgrade-schema"; readonly fromVersion: number }
  | { readonly kind: "ensure-voting-term" }
  | { readonly kind: "deactivate-node"; readonly node: NodeId }
  | { readonly kind: "insert-record"; readonly record: NodeRecord }
  | { readonly kind: "update-record"; readonly record: NodeRecord };

/** Plans `primary register` (reference: repmgr-cli 1.1); all problems at once. */
export function planPrimaryRegistration(
  facts: PrimaryRegistrationFacts,
  rules: PrimaryRegistrationRules,
): Plan<PrimaryRegistrationStep> {
  const unsuitable = judgeServer(facts);
  if (unsuitable !== null) return { kind: "refused", problems: [unsuitable] };
  const schema = judgeSchema(facts.schema, rules.schemaVersion);
  if (schema.kind === "refuse") return { kind: "refused", problems: [schema.problem] };
  if (schema.kind === "create" && !facts.mayCreateSchema)
    return { kind: "refused", problems: [CREATE_REFUSED] };

  const own = facts.records.find(({ nodeId }) => nodeId === rules.record.nodeId) ?? null;
  const other = otherPrimary(facts, rules.record.nodeId);
  const problems = [
    judgeOtherPrimary(facts, other),
    judgeOwnRecord(own, rules),
    findNameTaken(facts.records, rules.record),
  ];
  const found = problems.filter((problem) => problem !== null);
  if (found.length > 0) return { kind: "refused", problems: found };

  const steps: PrimaryRegistrationStep[] = [];
  if (schema.kind === "create") steps.push({ kind: "create-schema" });
  if (schema.kind === "upgrade") steps.push({ kind: "upgrade-schema", fromVersion: schema.fromVersion });
  steps.push({ kind: "ensure-voting-term" });
  if (other !== null) steps.push({ kind: "deactivate-node", node: other.nodeId });
  steps.push(
    own === null
      ? { kind: "insert-record", record: rules.record }
      : {
          kind: "update-record",
          record: { ...rules.record, slotName: rules.record.slotName ?? own.slotName },
        },
  );
  return { kind: "ready", warnings: warnAboutOtherPrimary(facts, other), steps };
}

const CREATE_REFUSED: Problem = {
  message: 'no permission to create schema "repmgr"',
  detail: "the user of conninfo has no CREATE privilege on its database",
  hint: 'provide a superuser with -S/--superuser, or "GRANT CREATE ON DATABASE … TO …"',
};

function judgeServer(facts: PrimaryRegistrationFacts): Problem | null {
  const tooOld = judgeServerVersion(facts.serverVersion);
  if (tooOld !== null) return tooOld;
  if (!facts.inRecovery) return null;
  return {
    message: "server is in standby mode and cannot be registered as a primary",
    hint: 'use "standby register" on this node',
  };
}

function otherPrimary(facts: PrimaryRegistrationFacts, own: NodeId): NodeRecord | null {
  return (
    facts.records.find(({ type, active, nodeId }) => type === "primary" && active && nodeId !== own) ?? null
  );
}

function judgeOtherPrimary(facts: PrimaryRegistrationFacts, other: NodeRecord | null): Problem | null {
  if (other === null || facts.registeredPrimaryRole !== "primary") return null;
  return {
    message: `there is already an active registered primary (ID: ${other.nodeId}) in this cluster`,
    detail: "a streaming replication cluster can have only one primary node",
    hint: "ensure that node is shut down before registering a new primary",
  };
}

function judgeOwnRecord(own: NodeRecord | null, { force, goesOn }: PrimaryRegistrationRules): Problem | null {
  if (own === null || force || goesOn) return null;
  return {
    message: "this node is already registered",
    hint: "use -F/--force to overwrite the existing node record",
  };
}

function warnAboutOtherPrimary(
  facts: PrimaryRegistrationFacts,
  other: NodeRecord | null,
): readonly Problem[] {
  if (other === null || facts.registeredPrimaryRole !== "standby") return [];
  return [
    {
      message: `registered primary (ID: ${other.nodeId}) is running as a standby`,
      detail: "its record is set to inactive",
      hint: `execute "standby register --force" on node ${other.nodeId} to correct its record`,
    },
  ];
}
