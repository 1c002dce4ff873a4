import type { NodeStatus, NodeStatusFacts } from "../../../decide/node-status.js";
import type { ExitCode } from "../../../errors/exit-codes.js";
import { maskConninfo } from "../../../model/conninfo.js";
import { formatLsn, type Lsn } from "../../../model/lsn.js";
import { renderJsonDocument } from "../../../output/json.js";

/** The document of `node status --format=json`, described in docs/json.md. */
export function renderNodeStatusJson(status: NodeStatus, exitCode: ExitCode): string {
  const { facts, problems } = status;
  return renderJsonDocument({
    command: "node status",
    node: {
      id: facts.record.nodeId,
      name: facts.record.nodeName,
      role: facts.record.type,
      in_recovery: facts.inRecovery,
      conninfo: maskConninfo(facts.record.conninfo),
      postgresql_version: facts.serverVersion,
      system_identifier: facts.systemIdentifier,
      data_size_bytes: facts.dataSize?.bytes ?? null,
      archive: describeArchive(status),
      wal_senders: { occupied: facts.walSenders.length, maximum: facts.maximumWalSenders },
      replication_slots: describeSlots(status),
      failover_slots: describeFailoverSlots(facts),
      downstream_nodes: describeDownstreams(status),
      upstream: facts.upstream === null ? null : { id: facts.upstream.nodeId, name: facts.upstream.nodeName },
      replication: facts.inRecovery ? describeReplication(facts) : null,
    },
    problems: problems.map(({ code, message, items }) => ({
      severity: "warning",
      code,
      node_id: facts.record.nodeId,
      message,
      detail: items.length === 0 ? null : items.join("\n"),
      hint: null,
    })),
    exit_code: exitCode,
  });
}

const describeArchive = ({ facts, archiving }: NodeStatus): object => ({
  mode: facts.archiveMode,
  enabled: archiving === "enabled",
  command: facts.archiveCommand,
  pending_files: facts.pendingArchiving.kind === "counted" ? facts.pendingArchiving.files : null,
});

const describeSlots = ({ facts, inactiveSlots, missingSlots }: NodeStatus): object => ({
  physical: facts.physicalSlots.length,
  maximum: facts.maximumSlots,
  inactive: inactiveSlots,
  missing: missingSlots.map(({ slotName }) => slotName),
});

const describeFailoverSlots = ({ slotSynchronisation }: NodeStatusFacts): object => ({
  sync_replication_slots: slotSynchronisation.isOn,
  worker_running: slotSynchronisation.isWorkerRunning,
  slots: slotSynchronisation.slots.map(({ name, isSynchronised, invalidationReason }) => ({
    name,
    synchronised: isSynchronised,
    invalidation_reason: invalidationReason,
  })),
});

const describeDownstreams = ({ facts, unattached }: NodeStatus): readonly object[] =>
  facts.downstreams.map((node) => ({
    id: node.nodeId,
    name: node.nodeName,
    attached: !unattached.includes(node),
  }));

const describeReplication = (facts: NodeStatusFacts): object => ({
  receiving: facts.isWalReceiverRunning,
  received_lsn: toText(facts.receivedLsn),
  replayed_lsn: toText(facts.replayedLsn),
  lag_seconds: facts.lagSeconds,
});

const toText = (lsn: Lsn | null): string | null => (lsn === null ? null : formatLsn(lsn));
