import type { NodeId, NodeRecord } from "../model/node-record.js";
import type { Lsn } from "../model/lsn.js";

export interface ReplicationSlotFacts {
  readonly name: string;
  readonly isActive: boolean;
}

/** WAL files that wait for the archiver. */
export type PendingArchiving =
  | { readonly kind: "counted"; readonly files: number }
  | { readonly kind: "unreadable"; readonly path: string; readonly reason: string };

/** A node's part in replication, as its record and its server tell it. */
export interface ReplicationFacts {
  readonly record: NodeRecord;
  /** Null when the record names no upstream, or one that is not registered. */
  readonly upstream: NodeRecord | null;
  /** Registered standbys that replicate from this node. */
  readonly downstreams: readonly NodeRecord[];
  readonly inRecovery: boolean;
  readonly archiveMode: string;
  readonly archiveCommand: string;
  readonly pendingArchiving: PendingArchiving;
  readonly maximumWalSenders: number;
  /** The application names in pg_stat_replication, one for each WAL sender. */
  readonly walSenders: readonly string[];
  readonly maximumSlots: number;
  readonly physicalSlots: readonly ReplicationSlotFacts[];
  readonly receivedLsn: Lsn | null;
  readonly replayedLsn: Lsn | null;
  /** Since the last replayed transaction, 0 when all that was received is replayed; null when none was replayed. */
  readonly lagSeconds: number | null;
  readonly isWalReceiverRunning: boolean;
}

/** A logical slot that is meant to survive a failover (PostgreSQL 17). */
export interface FailoverSlotFacts {
  readonly name: string;
  /** A copy that a standby keeps of its upstream's slot. */
  readonly isSynchronised: boolean;
  /** Why it is of no use any more; null while it is. */
  readonly invalidationReason: string | null;
}

/** How a server takes part in the synchronisation of failover slots. */
export interface SlotSynchronisationFacts {
  readonly slots: readonly FailoverSlotFacts[];
  /** `sync_replication_slots`. */
  readonly isOn: boolean;
  /** Null where this user may not know it. */
  readonly isWorkerRunning: boolean | null;
  readonly hasFeedback: boolean;
  readonly hasPrimarySlot: boolean;
  /** Whether primary_conninfo has a dbname; null where this user may not know it. */
  readonly hasDatabase: boolean | null;
}

export interface NodeStatusFacts extends ReplicationFacts {
  readonly slotSynchronisation: SlotSynchronisationFacts;
  readonly serverVersion: string;
  /** Of all databases, as PostgreSQL words it; null when this user may not connect to one of them. */
  readonly dataSize: { readonly bytes: number; readonly text: string } | null;
  readonly systemIdentifier: string | null;
}

export const nodeStatusProblemCodes = [
  "role_mismatch",
  "archive_status_unreadable",
  "downstream_not_attached",
  "slot_missing",
  "slot_inactive",
  "slots_not_synchronised",
] as const;

export interface NodeStatusProblem {
  readonly code: (typeof nodeStatusProblemCodes)[number];
  readonly message: string;
  /** The nodes or slots that it is about. */
  readonly items: readonly string[];
}

export interface NodeStatus {
  readonly facts: NodeStatusFacts;
  readonly archiving: "off" | "enabled" | "not-on-standby";
  readonly unattached: readonly NodeRecord[];
  /** Downstream nodes whose replication slot is not there. */
  readonly missingSlots: readonly { readonly nodeId: NodeId; readonly slotName: string }[];
  /** Sorted by name. */
  readonly inactiveSlots: readonly string[];
  /** Any problem makes the command end with code 25 (reference: repmgr-cli 1.12). */
  readonly problems: readonly NodeStatusProblem[];
}

/** Downstream nodes whose replication slot is not there. */
export function findMissingSlots({ downstreams, physicalSlots, maximumSlots }: ReplicationFacts): readonly {
  readonly nodeId: NodeId;
  readonly nodeName: string;
  readonly slotName: string;
}[] {
  if (maximumSlots === 0) return [];
  const slotNames = physicalSlots.map(({ name }) => name);
  return downstreams.flatMap(({ nodeId, nodeName, slotName }) =>
    slotName === null || slotName === "" || slotNames.includes(slotName)
      ? []
      : [{ nodeId, nodeName, slotName }],
  );
}

/** Physical slots that nobody uses, sorted by name. */
export const findInactiveSlots = ({ physicalSlots }: ReplicationFacts): readonly string[] =>
  physicalSlots
    .filter(({ isActive }) => !isActive)
    .map(({ name }) => name)
    .sort();

export function assessNodeStatus(facts: NodeStatusFacts): NodeStatus {
  const { downstreams, walSenders } = facts;
  const unattached = downstreams.filter(({ nodeName }) => !walSenders.includes(nodeName));
  const missing = findMissingSlots(facts);
  const inactiveSlots = findInactiveSlots(facts);
  const problems = [
    judgeRole(facts),
    judgeArchiveStatus(facts),
    unattached.length === 0
      ? null
      : problem("downstream_not_attached", {
          message: `${unattached.length} of ${downstreams.length} downstream nodes not attached`,
          items: unattached.map(({ nodeName, nodeId }) => `${nodeName} (ID: ${nodeId})`),
        }),
    missing.length === 0
      ? null
      : problem("slot_missing", {
          message: `replication slots missing for following ${missing.length} node(s)`,
          items: missing.map(
            ({ nodeName, nodeId, slotName }) => `${nodeName} (ID: ${nodeId}, slot name: "${slotName}")`,
          ),
        }),
    inactiveSlots.length === 0
      ? null
      : problem("slot_inactive", {
          message: `node has ${inactiveSlots.length} inactive physical replication slot${inactiveSlots.length === 1 ? "" : "s"}`,
          items: inactiveSlots,
        }),
    judgeSlotSynchronisation(facts),
  ];
  return {
    facts,
    archiving: judgeArchiving(facts),
    unattached,
    missingSlots: missing.map(({ nodeId, slotName }) => ({ nodeId, slotName })),
    inactiveSlots,
    problems: problems.filter((found) => found !== null),
  };
}

const problem = (
  code: NodeStatusProblem["code"],
  { message, items = [] }: { readonly message: string; readonly items?: readonly string[] },
): NodeStatusProblem => ({ code, message, items });

function judgeRole({ record, inRecovery }: NodeStatusFacts): NodeStatusProblem | null {
  if ((record.type === "standby") === inRecovery) return null;
  const role = inRecovery ? "standby" : "primary";
  return problem("role_mismatch", {
    message: `node is registered as ${record.type} but running as ${role}`,
  });
}

/**
 * What keeps slots from being synchronised is noticed in a failover otherwise, when it is too late. The worker itself
 * says little: it restarts after each change of the configuration, up to ten seconds later.
 */
function judgeSlotSynchronisation({
  inRecovery,
  slotSynchronisation,
}: NodeStatusFacts): NodeStatusProblem | null {
  const { slots, isOn, hasFeedback, hasPrimarySlot, hasDatabase } = slotSynchronisation;
  if (!inRecovery || !isOn) return null;
  const own = slots.filter(({ isSynchronised }) => !isSynchronised);
  const items = [
    ...(hasFeedback ? [] : ['"hot_standby_feedback" is off']),
    ...(hasPrimarySlot ? [] : ['"primary_slot_name" is not set']),
    ...(hasDatabase === false ? ['"primary_conninfo" names no database with dbname'] : []),
    ...own.map(
      ({ name }) => `slot "${name}" is no copy of the upstream's: SELECT pg_drop_replication_slot('${name}')`,
    ),
  ];
  if (items.length === 0) return null;
  return problem("slots_not_synchronised", {
    message: "replication slots are not synchronised, though sync_replication_slots is on",
    items,
  });
}

function judgeArchiveStatus({ pendingArchiving }: NodeStatusFacts): NodeStatusProblem | null {
  if (pendingArchiving.kind === "counted") return null;
  return problem("archive_status_unreadable", { message: "unable to check archive_status directory" });
}

function judgeArchiving({ archiveMode, inRecovery }: NodeStatusFacts): NodeStatus["archiving"] {
  if (archiveMode === "off") return "off";
  return inRecovery && archiveMode !== "always" ? "not-on-standby" : "enabled";
}
