import type { NodeStatus, NodeStatusFacts } from "../../../decide/node-status.js";
import { maskConninfo } from "../../../model/conninfo.js";
import { formatLsn, type Lsn } from "../../../model/lsn.js";

export type Field = readonly [key: string, value: string];

const NONE = "(none)";

const archivingWords: Readonly<Record<NodeStatus["archiving"], string>> = {
  off: "off",
  enabled: "enabled",
  "not-on-standby": 'disabled (on standbys "archive_mode" must be set to "always" to be effective)',
};

interface FieldOptions {
  readonly isVerbose: boolean;
}

/** The lines of the text form; keys, order and values are the reference's. */
export function listTextFields(status: NodeStatus, options: FieldOptions): readonly Field[] {
  const { facts } = status;
  const isStandby = facts.record.type === "standby";
  const pending = pendingFiles(facts);
  const isPendingShown = pending !== null && status.archiving !== "off";
  return [
    ...generalFields(status, options),
    ...(isPendingShown ? [["WALs pending archiving", `${pending} pending files`] as const] : []),
    ...attachmentFields(status),
    ...(isStandby ? [["Upstream node", describeUpstream(facts)] as const] : []),
    ["Replication lag", describeLag(facts)],
    ...(isStandby ? lsnFields(facts) : []),
    ...failoverSlotFields(facts),
  ];
}

/** The quoted pairs of the CSV form, without those of whole numbers that follow. */
export function listCsvFields(status: NodeStatus, options: FieldOptions): readonly Field[] {
  const { facts } = status;
  const pending = pendingFiles(facts);
  return [
    ["Node name", facts.record.nodeName],
    ["Node ID", String(facts.record.nodeId)],
    ...generalFields(status, options),
    ...(pending === null ? [] : [["WALs pending archiving", String(pending)] as const]),
    ...attachmentFields(status),
    ["Upstream node", describeUpstream(facts)],
    ["Replication lag", describeLag(facts)],
    ...lsnFields(facts),
  ];
}

function generalFields({ facts, archiving }: NodeStatus, { isVerbose }: FieldOptions): readonly Field[] {
  return [
    ["PostgreSQL version", facts.serverVersion],
    ["Total data size", facts.dataSize?.text ?? "unknown"],
    ["Conninfo", maskConninfo(facts.record.conninfo)],
    ...(isVerbose ? [["System identifier", facts.systemIdentifier ?? "unknown"] as const] : []),
    ["Role", facts.record.type],
    ["WAL archiving", archivingWords[archiving]],
    ["Archive command", archiving === "off" ? NONE : facts.archiveCommand],
  ];
}

function attachmentFields(status: NodeStatus): readonly Field[] {
  const { walSenders, maximumWalSenders } = status.facts;
  return [
    ["Replication connections", `${walSenders.length} (of maximal ${maximumWalSenders})`],
    ["Replication slots", describeSlots(status)],
  ];
}

function describeSlots({ facts, missingSlots, inactiveSlots }: NodeStatus): string {
  const { physicalSlots, maximumSlots } = facts;
  if (maximumSlots === 0) return "disabled";
  const inactive = inactiveSlots.length === 0 ? "" : `; ${inactiveSlots.length} inactive`;
  return `${physicalSlots.length} physical (of maximal ${maximumSlots}; ${missingSlots.length} missing)${inactive}`;
}

/** After the reference's lines, and only where PostgreSQL 17's failover slots are used. */
function failoverSlotFields({ inRecovery, slotSynchronisation }: NodeStatusFacts): readonly Field[] {
  const { slots, isOn, isWorkerRunning } = slotSynchronisation;
  if (slots.length === 0 && !(isOn && inRecovery)) return [];
  const invalid = slots.filter(({ invalidationReason }) => invalidationReason !== null).length;
  const synchronised = slots.filter(({ isSynchronised }) => isSynchronised).length;
  const counts = [
    ...(inRecovery ? [`${synchronised} synchronised`] : []),
    ...(invalid === 0 ? [] : [`${invalid} invalidated`]),
  ];
  const suffix = counts.length === 0 ? "" : ` (${counts.join(", ")})`;
  const worker = isWorkerRunning === null ? "on" : isWorkerRunning ? "running" : "not running";
  return [
    ["Failover slots", `${slots.length}${suffix}`],
    ...(inRecovery ? [["Slot synchronisation", isOn ? worker : "off"] as const] : []),
  ];
}

const pendingFiles = ({ pendingArchiving }: NodeStatusFacts): number | null =>
  pendingArchiving.kind === "counted" ? pendingArchiving.files : null;

function describeUpstream({ record, upstream }: NodeStatusFacts): string {
  if (record.type !== "standby" || upstream === null) return NONE;
  return `${upstream.nodeName} (ID: ${upstream.nodeId})`;
}

function describeLag({ record, lagSeconds }: NodeStatusFacts): string {
  if (record.type !== "standby") return "n/a";
  return lagSeconds === null ? "unknown" : `${lagSeconds} seconds`;
}

function lsnFields({ record, receivedLsn, replayedLsn }: NodeStatusFacts): readonly Field[] {
  const describe = (lsn: Lsn | null): string => {
    if (record.type !== "standby") return NONE;
    return lsn === null ? "0/0" : formatLsn(lsn);
  };
  return [
    ["Last received LSN", describe(receivedLsn)],
    ["Last replayed LSN", describe(replayedLsn)],
  ];
}
