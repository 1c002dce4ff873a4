import { parseConninfo } from "../model/conninfo.js";
import { describeNode, type NodeId, type NodeRecord } from "../model/node-record.js";
import type { Problem } from "../model/problem.js";
import type { SchemaState } from "../model/schema-state.js";
import { findNameTaken } from "./name-taken.js";
import { judgeSchema, judgeServerVersion } from "./schema.js";

export interface WitnessRegistrationFacts {
  readonly witness: {
    readonly serverVersion: number;
    readonly systemIdentifier: string;
    readonly schema: SchemaState;
    /** May the session that is to create the schema do so? */
    readonly mayCreateSchema: boolean;
    /** The node records on the witness itself. */
    readonly records: readonly NodeRecord[];
  };
  readonly primary: {
    readonly record: NodeRecord;
    readonly systemIdentifier: string;
    readonly records: readonly NodeRecord[];
  };
}

export interface WitnessRegistrationRules {
  /** The row that repmgr.conf asks for; its upstream is filled in here. */
  readonly record: NodeRecord;
  readonly force: boolean;
  /** A run of this command was cut off before: what it has written already is no reason to refuse. */
  readonly goesOn: boolean;
  /** Version of the schema that this program makes. */
  readonly schemaVersion: number;
}

export type WitnessRegistrationStep =
  | { readonly kind: "create-schema" }
  | { readonly kind: "upgrade-schema"; readonly fromVersion: number }
  | { readonly kind: "insert-record"; readonly record: NodeRecord }
  | { readonly kind: "update-record"; readonly record: NodeRecord }
  | { readonly kind: "copy-records" };

export type WitnessRegistrationDecision =
  | { readonly kind: "refused"; readonly problems: readonly Problem[] }
  | {
      readonly kind: "ready";
      readonly warnings: readonly Problem[];
      readonly steps: readonly WitnessRegistrationStep[];
      readonly upstreamNodeId: NodeId;
    };

/** A witness never becomes primary (reference: repmgr's value). */
const WITNESS_PRIORITY = 0;

/** Plans `witness register` (reference: repmgr-cli 1.10); all problems at once. */
export function planWitnessRegistration(
  facts: WitnessRegistrationFacts,
  rules: WitnessRegistrationRules,
): WitnessRegistrationDecision {
  const unsuitable = judgeServers(facts);
  if (unsuitable !== null) return { kind: "refused", problems: [unsuitable] };
  const schema = judgeSchema(facts.witness.schema, rules.schemaVersion);
  if (schema.kind === "refuse") return { kind: "refused", problems: [schema.problem] };
  if (schema.kind === "create" && !facts.witness.mayCreateSchema)
    return { kind: "refused", problems: [CREATE_REFUSED] };

  const registered = facts.primary.records.find(({ nodeId }) => nodeId === rules.record.nodeId) ?? null;
  const problems = [
    judgeRegistered(registered, rules),
    findNameTaken(facts.primary.records, rules.record),
    judgeRecordsOnWitness(facts, rules, registered),
  ].filter((problem) => problem !== null);
  if (problems.length > 0) return { kind: "refused", problems };

  const upstreamNodeId = facts.primary.record.nodeId;
  const record: NodeRecord = { ...rules.record, priority: WITNESS_PRIORITY, upstreamNodeId };
  const steps: WitnessRegistrationStep[] = [];
  if (schema.kind === "create") steps.push({ kind: "create-schema" });
  if (schema.kind === "upgrade") steps.push({ kind: "upgrade-schema", fromVersion: schema.fromVersion });
  // By id: repmgr looks the row up by its name and fails after a change of node_name.
  steps.push({ kind: registered === null ? "insert-record" : "update-record", record });
  steps.push({ kind: "copy-records" });
  const sameHost = warnAboutSameHost(facts, rules);
  return { kind: "ready", warnings: sameHost === null ? [] : [sameHost], steps, upstreamNodeId };
}

const CREATE_REFUSED: Problem = {
  message: 'no permission to create schema "repmgr" on the witness',
  detail: "the user of conninfo has no CREATE privilege on its database",
  hint: 'provide a superuser with -S/--superuser, or "GRANT CREATE ON DATABASE … TO …"',
};

function judgeServers({ witness, primary }: WitnessRegistrationFacts): Problem | null {
  const tooOld = judgeServerVersion(witness.serverVersion);
  if (tooOld !== null) return tooOld;
  if (witness.systemIdentifier !== primary.systemIdentifier) return null;
  return {
    message: "witness node cannot be in the same cluster as the primary node",
    detail: `database system identifiers on primary node and provided witness node match (${primary.systemIdentifier})`,
    hint: "the witness node must be created on a separate read/write node",
  };
}

function judgeRegistered(
  registered: NodeRecord | null,
  { force, goesOn }: WitnessRegistrationRules,
): Problem | null {
  if (registered === null) return null;
  if (registered.type !== "witness") {
    return {
      message: `node ${describeNode(registered)} is already registered as a ${registered.type} node`,
      hint: `use "${registered.type} unregister" to remove a non-witness node record, or give the witness another node_id`,
    };
  }
  if (force || goesOn) return null;
  return {
    message: "witness node is already registered",
    hint: "use option -F/--force to reregister the node",
  };
}

/** The copy replaces all node records of the witness, so those of another cluster must not be there. */
function judgeRecordsOnWitness(
  { witness }: WitnessRegistrationFacts,
  { record, force }: WitnessRegistrationRules,
  registered: NodeRecord | null,
): Problem | null {
  const own = witness.records.find(({ conninfo }) => conninfo === record.conninfo) ?? null;
  if (own?.type === "primary") {
    return {
      message: `the server of the witness is the registered primary ${describeNode(own)} of another cluster`,
      detail: "all its node records would be replaced",
      hint: 'use another server or another database for the witness: see "conninfo" in repmgr.conf',
    };
  }
  if (witness.records.length === 0 || force || registered !== null) return null;
  return {
    message: "witness node is already initialised and contains node records",
    hint: "use option -F/--force to reinitialise the node",
  };
}

function warnAboutSameHost(
  { primary }: WitnessRegistrationFacts,
  { record }: WitnessRegistrationRules,
): Problem | null {
  const host = hostOf(record);
  if (host === null || host !== hostOf(primary.record)) return null;
  return {
    message: `the witness is on the host of the primary ("${host}")`,
    detail: "when that host is lost, the witness cannot vote for a new primary",
    hint: "run the witness on a host of its own",
  };
}

function hostOf({ conninfo }: NodeRecord): string | null {
  const parsed = parseConninfo(conninfo);
  return parsed.get("hostaddr") ?? parsed.get("host") ?? null;
}
