import { describeNode, type NodeRecord, type NodeType } from "../model/node-record.js";
import { referTo, type CheckFinding } from "./node-check-findings.js";
import { findInactiveSlots, findMissingSlots, type ReplicationFacts } from "./node-status.js";

/** From which value on a check complains (reference: repmgr-cli 7.3). */
export interface CheckThresholds {
  readonly archiveReadyWarning: number;
  readonly archiveReadyCritical: number;
  readonly lagWarningSeconds: number;
  readonly lagCriticalSeconds: number;
}

/** How a server's standbys are attached: the state by application name, null where this user may not read it. */
export type Attachments = ReadonlyMap<string, string | null>;

/** A standby that is still catching up counts as missing, as it does for the reference. */
const isAttached = (attachments: Attachments, name: string): boolean => {
  const state = attachments.get(name);
  return state === null || state === "streaming";
};

/** `expected`: what `--role=ROLE` asks for; null asks only whether the server is what it is registered as. */
export function checkRole(
  { record, inRecovery }: ReplicationFacts,
  expected: NodeType | null = null,
): CheckFinding<"role"> {
  const running = inRecovery ? "standby" : "primary";
  const measured = { registered: record.type, running, expected } as const;
  if ((record.type === "standby") !== inRecovery) {
    const details = `node is registered as ${record.type} but running as ${running}`;
    return { check: "role", status: "CRITICAL", details, measured };
  }
  if (expected === null || expected === record.type)
    return { check: "role", status: "OK", details: `node is ${record.type}`, measured };
  const details = `node is ${record.type}, expected ${expected}`;
  return { check: "role", status: "CRITICAL", details, measured };
}

export function checkReplicationLag(
  { record, inRecovery, lagSeconds }: ReplicationFacts,
  { lagWarningSeconds: warning, lagCriticalSeconds: critical }: CheckThresholds,
): CheckFinding<"replication-lag"> {
  const check = "replication-lag";
  if (!inRecovery) {
    const details = `N/A - node is ${record.type === "witness" ? "witness" : "primary"}`;
    return { check, status: "OK", details, measured: { seconds: null, warning, critical } };
  }
  // No transaction replayed yet: the reference counts that as no lag.
  const seconds = lagSeconds ?? 0;
  const measured = { seconds, warning, critical };
  // The parenthesis without a partner is the reference's, in a line that scripts search.
  if (seconds >= critical) {
    const details = `${seconds} seconds, critical threshold: ${critical})`;
    return { check, status: "CRITICAL", details, measured };
  }
  if (seconds > warning) {
    const details = `${seconds} seconds, warning threshold: ${warning})`;
    return { check, status: "WARNING", details, measured };
  }
  return { check, status: "OK", details: `${seconds} seconds`, measured };
}

export function checkArchiveReady(
  { pendingArchiving }: ReplicationFacts,
  { archiveReadyWarning: warning, archiveReadyCritical: critical }: CheckThresholds,
): CheckFinding<"archive-ready"> {
  const check = "archive-ready";
  if (pendingArchiving.kind === "unreadable") {
    const details = "unable to check archive_status directory";
    return { check, status: "UNKNOWN", details, measured: { files: null, warning, critical } };
  }
  const { files } = pendingArchiving;
  const measured = { files, warning, critical };
  const details = `${files} pending archive ready files`;
  if (files > critical) {
    return { check, status: "CRITICAL", details: `${details}, critical threshold: ${critical}`, measured };
  }
  if (files > warning) {
    return { check, status: "WARNING", details: `${details} (threshold: ${warning})`, measured };
  }
  return { check, status: "OK", details, measured };
}

/** `attachments` are those of the upstream; null when there is no upstream to ask. */
export function checkUpstream(
  { record, inRecovery, upstream }: ReplicationFacts,
  attachments: Attachments | null,
): CheckFinding<"upstream"> {
  const check = "upstream";
  const none = { upstream: null, attached: null };
  if (record.type === "witness")
    return { check, status: "OK", details: "N/A - node is a witness", measured: none };
  const self = `node ${describeNode(record)}`;
  if (upstream === null || attachments === null) {
    return inRecovery
      ? {
          check,
          status: "CRITICAL",
          details: `${self} is a standby but no upstream record found`,
          measured: none,
        }
      : { check, status: "OK", details: "N/A - node is primary", measured: none };
  }
  const attached = isAttached(attachments, record.nodeName);
  return {
    check,
    status: attached ? "OK" : "CRITICAL",
    details: `${self} is ${attached ? "" : "not "}attached to expected upstream node ${describeNode(upstream)}`,
    measured: { upstream: referTo(upstream), attached },
  };
}

/** `attachments` are those of this server. */
export function checkDownstream(
  { record, downstreams }: ReplicationFacts,
  attachments: Attachments,
): CheckFinding<"downstream"> {
  const missing = downstreams.filter(({ nodeName }) => !isAttached(attachments, nodeName));
  const attached = downstreams.filter((node) => !missing.includes(node));
  return {
    check: "downstream",
    status: missing.length > 0 && record.type !== "witness" ? "CRITICAL" : "OK",
    details: describeDownstreams(record, attached, missing),
    measured: { attached: attached.map(referTo), missing: missing.map(referTo) },
  };
}

function describeDownstreams(
  record: NodeRecord,
  attached: readonly NodeRecord[],
  missing: readonly NodeRecord[],
): string {
  const expected = attached.length + missing.length;
  if (record.type === "witness") return "N/A - node is a witness";
  if (expected === 0) return "this node has no downstream nodes";
  if (missing.length === 0) return `${attached.length} of ${expected} downstream nodes attached`;
  const names = missing.map(({ nodeName, nodeId }) => `${nodeName} (ID: ${nodeId})`).join(", ");
  return `${missing.length} of ${expected} downstream nodes not attached; missing: ${names}`;
}

export function checkSlots(facts: ReplicationFacts): CheckFinding<"slots"> {
  const physical = facts.physicalSlots.length;
  const inactive = findInactiveSlots(facts);
  const measured = { physical, inactive };
  if (physical === 0)
    return { check: "slots", status: "OK", details: "node has no physical replication slots", measured };
  if (inactive.length === 0) {
    const details = `${physical} of ${physical} physical replication slots are active`;
    return { check: "slots", status: "OK", details, measured };
  }
  const details = `${inactive.length} of ${physical} physical replication slots are inactive`;
  return { check: "slots", status: "CRITICAL", details, measured };
}

export function checkMissingSlots(facts: ReplicationFacts): CheckFinding<"missing-slots"> {
  const missing = findMissingSlots(facts).map(({ slotName }) => slotName);
  const check = "missing-slots";
  const measured = { missing };
  if (missing.length === 0) {
    const details = "node has no missing physical replication slots";
    return { check, status: "OK", details, measured };
  }
  const details = `${missing.length} physical replication slots are missing: ${missing.join(", ")}`;
  return { check, status: "CRITICAL", details, measured };
}
