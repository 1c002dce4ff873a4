import { describeNode, type NodeId, type NodeRecord } from "../model/node-record.js";
import type { Plan } from "../model/plan.js";
import type { Problem } from "../model/problem.js";
import type { SchemaState } from "../model/schema-state.js";
import { findNameTaken } from "./name-taken.js";
import { judgeSchema, judgeServerVersion } from "./schema.js";

/** How this node stands on the server that is to be its upstream. */
export type UpstreamAttachment =
  /** `state` is null when the repmgr user may not see it. */
  | { readonly kind: "attached"; readonly state: string | null }
  | { readonly kind: "not-attached" }
  | { readonly kind: "unreachable"; readonly reason: string }
  /** Not asked: the local server is down, or its upstream is not to be checked. */
  | { readonly kind: "not-asked" };

export interface StandbyRegistrationFacts {
  /** Null while the local server is down. */
  readonly local: { readonly serverVersion: number; readonly systemIdentifier: string } | null;
  readonly primary: {
    readonly nodeId: NodeId | null;
    readonly schema: SchemaState;
    readonly systemIdentifier: string;
  };
  /** The rows on the primary. */
  readonly records: readonly NodeRecord[];
  readonly attachment: UpstreamAttachment;
}

export interface StandbyRegistrationRules {
  /** The row to be written; its upstream is filled in by the plan. */
  readonly record: NodeRecord;
  readonly force: boolean;
  /** A run of this command was cut off before: what it has written already is no reason to refuse. */
  readonly goesOn: boolean;
  readonly upstreamNodeId: NodeId | null;
  readonly upstreamConninfo: string | null;
  readonly schemaVersion: number;
}

export type StandbyRegistrationStep =
  | { readonly kind: "insert-placeholder"; readonly record: NodeRecord }
  | { readonly kind: "insert-record"; readonly record: NodeRecord }
  | { readonly kind: "update-record"; readonly record: NodeRecord };

/** Plans `standby register` (reference: repmgr-cli 1.4); all problems at once. */
export function planStandbyRegistration(
  facts: StandbyRegistrationFacts,
  rules: StandbyRegistrationRules,
): Plan<StandbyRegistrationStep, { readonly upstreamNodeId: NodeId }> {
  const unusable = judgeServers(facts, rules);
  if (unusable !== null) return { kind: "refused", problems: [unusable] };
  const upstreamNodeId = rules.upstreamNodeId ?? facts.primary.nodeId;
  if (upstreamNodeId === null) return { kind: "refused", problems: [NO_PRIMARY] };

  const own = facts.records.find(({ nodeId }) => nodeId === rules.record.nodeId) ?? null;
  const upstream = facts.records.find(({ nodeId }) => nodeId === upstreamNodeId) ?? null;
  const attachment = judgeAttachment(facts.attachment, rules, upstream);
  const problems = [
    findNameTaken(facts.records, rules.record),
    judgeOwnRecord(own, rules),
    judgeUpstream(upstream, upstreamNodeId, rules),
    rules.force ? null : attachment,
  ].filter((problem) => problem !== null);
  if (problems.length > 0) return { kind: "refused", problems };

  const record: NodeRecord = {
    ...rules.record,
    upstreamNodeId,
    slotName: rules.record.slotName ?? own?.slotName ?? null,
  };
  const steps: StandbyRegistrationStep[] = [];
  if (upstream === null)
    steps.push({ kind: "insert-placeholder", record: placeholder(upstreamNodeId, facts, rules) });
  steps.push({ kind: own === null ? "insert-record" : "update-record", record });
  const warnings = [assumedUpstream(facts, own, rules), rules.force ? attachment : null];
  return { kind: "ready", warnings: warnings.filter((warning) => warning !== null), steps, upstreamNodeId };
}

const NO_PRIMARY: Problem = {
  message: "no primary node is registered in this cluster",
  hint: 'a primary node must be registered with "primary register" before a standby',
};

function judgeServers(facts: StandbyRegistrationFacts, rules: StandbyRegistrationRules): Problem | null {
  const tooOld = facts.local === null ? null : judgeServerVersion(facts.local.serverVersion);
  if (tooOld !== null) return tooOld;
  const schema = judgeSchema(facts.primary.schema, rules.schemaVersion);
  if (schema.kind === "refuse") return schema.problem;
  if (schema.kind === "create") return NO_PRIMARY;
  if (facts.local === null || facts.local.systemIdentifier === facts.primary.systemIdentifier) return null;
  return {
    message: "this node is not a standby of this cluster",
    detail: `its system identifier is ${facts.local.systemIdentifier}, the primary's is ${facts.primary.systemIdentifier}`,
    hint: 'clone it from the primary with "standby clone --force", or correct "conninfo" in repmgr.conf',
  };
}

function judgeOwnRecord(own: NodeRecord | null, rules: StandbyRegistrationRules): Problem | null {
  if (own === null || rules.force || rules.goesOn) return null;
  return {
    message: `node ${own.nodeId} is already registered`,
    hint: "use option -F/--force to overwrite an existing node record",
  };
}

function judgeUpstream(
  upstream: NodeRecord | null,
  upstreamNodeId: NodeId,
  { record, force }: StandbyRegistrationRules,
): Problem | null {
  if (upstreamNodeId === record.nodeId) {
    return {
      message: `provided node ID for --upstream-node-id (${upstreamNodeId}) is the same as the configured local node ID (${record.nodeId})`,
    };
  }
  if (force) return null;
  if (upstream === null) {
    return {
      message: `no record found for upstream node ${upstreamNodeId}`,
      hint: "use option -F/--force to create a placeholder record for the upstream node",
    };
  }
  if (upstream.active) return null;
  return {
    message: `upstream node ${describeNode(upstream)} is marked as inactive`,
    hint: "use option -F/--force to register this node all the same",
  };
}

/** What is wrong with the attachment; a reason to refuse, or with `--force` to warn. */
function judgeAttachment(
  attachment: UpstreamAttachment,
  { record }: StandbyRegistrationRules,
  upstream: NodeRecord | null,
): Problem | null {
  if (upstream === null) return null;
  const pair = `local node ${describeNode(record)} is not attached to specified upstream node ${describeNode(upstream)}`;
  switch (attachment.kind) {
    case "not-asked":
      return null;
    case "unreachable":
      return {
        message: `unable to connect to upstream node ${describeNode(upstream)}`,
        detail: attachment.reason,
        hint: "use option -F/--force to register this node all the same",
      };
    case "not-attached":
      return {
        message: pair,
        detail: `"${record.nodeName}" is not in pg_stat_replication of the upstream node`,
        hint: `check "primary_conninfo" of this server (its application_name must be "${record.nodeName}") and its log`,
      };
    case "attached":
      if (attachment.state === null || attachment.state === "streaming") return null;
      return {
        message: pair,
        detail: `its state is "${attachment.state}" instead of "streaming"`,
        hint: "wait until it has caught up, or use option -F/--force",
      };
  }
}

function assumedUpstream(
  facts: StandbyRegistrationFacts,
  own: NodeRecord | null,
  rules: StandbyRegistrationRules,
): Problem | null {
  if (rules.upstreamNodeId !== null || own !== null || facts.local === null) return null;
  return {
    message: `--upstream-node-id not supplied, assuming upstream node is primary (node ID: ${facts.primary.nodeId})`,
  };
}

/** Keeps the foreign key whole until that node is registered itself (reference: repmgr's placeholder record). */
function placeholder(
  id: NodeId,
  facts: StandbyRegistrationFacts,
  { upstreamConninfo }: StandbyRegistrationRules,
): NodeRecord {
  return {
    nodeId: id,
    upstreamNodeId: facts.primary.nodeId,
    active: false,
    nodeName: "",
    type: "standby",
    location: "default",
    priority: 100,
    conninfo: upstreamConninfo ?? "",
    replicationUser: "",
    slotName: null,
    configFile: "",
  };
}
