import type { DoctorFacts, NodeFacts, ServerFacts, SlotFacts } from "./facts.js";
import { at, formatMebibytes } from "./format.js";
import { failed, note, warning, type CheckResult, type Finding } from "./report.js";

/** The slots of our nodes at their upstream; those of others are only told of. */
export function checkSlots(node: NodeFacts, server: ServerFacts, facts: DoctorFacts): CheckResult | null {
  if (node.record?.type === "witness") return null;
  const expected = facts.nodes.filter(
    ({ record }) =>
      record?.type === "standby" && record.upstreamNodeId === node.nodeId && (record.slotName ?? "") !== "",
  );
  const names = expected.map(({ record }) => record?.slotName ?? "");
  const findings = [
    ...expected.flatMap((child) => judgeExpected(child, { node, server, facts })),
    ...server.slots.filter(({ name }) => !names.includes(name)).map((slot) => judgeOther(slot, node, facts)),
  ];
  const okDetail = names.length === 0 ? "none needed" : `in use: ${names.join(", ")}`;
  return { check: "slots", findings: findings.filter((finding) => finding !== null), okDetail };
}

interface Upstream {
  readonly node: NodeFacts;
  readonly server: ServerFacts;
  readonly facts: DoctorFacts;
}

function judgeExpected(child: NodeFacts, { node, server, facts }: Upstream): readonly Finding[] {
  const name = child.record?.slotName ?? "";
  const slot = server.slots.find((candidate) => candidate.name === name);
  if (slot === undefined) {
    const detail = `slot "${name}" of node "${child.nodeName}" is missing`;
    const hint = at(node, `SELECT pg_create_physical_replication_slot('${name}', true)`);
    return [failed("slot_missing", detail, hint)];
  }
  if (slot.walStatus === "lost") {
    return [
      failed(
        "slot_lost",
        `slot "${name}" of node "${child.nodeName}" has lost WAL that the node needs`,
        at(
          child,
          `stop the server, then ${facts.programName} standby clone --force -h PRIMARY -U repmgr -d repmgr`,
        ),
      ),
    ];
  }
  if (!slot.isActive) {
    const detail = `slot "${name}" of node "${child.nodeName}" is not in use${describeRetained(slot)}`;
    const hint = at(child, `start the server, then ${facts.programName} standby follow`);
    return [failed("slot_inactive", detail, hint)];
  }
  if (slot.walStatus !== "unreserved") return [];
  const detail = `slot "${name}" of node "${child.nodeName}" is about to lose WAL`;
  const hint = at(node, "ALTER SYSTEM SET max_slot_wal_keep_size to more, then SELECT pg_reload_conf()");
  return [warning("slot_unreserved", detail, hint)];
}

function judgeOther(slot: SlotFacts, node: NodeFacts, { nodes }: DoctorFacts): Finding | null {
  const owner = nodes.find(({ record }) => record?.slotName === slot.name);
  const isOurs = slot.isPhysical && (owner !== undefined || /^repmgr_slot_\d+$/.test(slot.name));
  // A failover that is under way: the node is about to be registered here, or to leave.
  if (isOurs && !slot.isActive) {
    return warning(
      "slot_left_over",
      `slot "${slot.name}" is left over${owner === undefined ? "" : ` from node "${owner.nodeName}"`}${describeRetained(slot)}`,
      at(node, `SELECT pg_drop_replication_slot('${slot.name}')`),
    );
  }
  const kind = slot.isPhysical ? "physical" : "logical";
  const state = slot.isSynced ? "synchronised from the primary" : slot.isActive ? "in use" : "not in use";
  const lost = slot.walStatus === "lost" ? ", has lost WAL" : "";
  return note("slot_not_ours", `${kind} slot "${slot.name}", ${state}${lost}${describeRetained(slot)}`);
}

const describeRetained = ({ retainedBytes }: SlotFacts): string =>
  retainedBytes === null ? "" : `, keeps ${formatMebibytes(retainedBytes)} of WAL`;
