import type { Conninfo } from "../model/conninfo.js";
import { describeNode, type NodeRecord } from "../model/node-record.js";
import type { Problem } from "../model/problem.js";
import type { AttachPurpose } from "./attach.js";
import type { SlotCreator } from "./replication-slots.js";

/** The node from which a standby is to stream. */
export interface UpstreamCandidate {
  readonly record: NodeRecord;
  readonly conninfo: Conninfo;
  /** How the own standby stands there: its state, null when it may not be seen or it is not attached. */
  readonly attachment: { readonly attached: boolean; readonly state: string | null };
  readonly slot: { readonly isPhysical: boolean; readonly isActive: boolean } | null;
  readonly usedSlots: number;
  readonly maxSlots: number;
  readonly slotCreator: SlotCreator | null;
}

interface Pair {
  readonly own: NodeRecord;
  readonly target: UpstreamCandidate;
  /** The own server is configured for the target, whatever its record says: a run that was killed came so far. */
  readonly isConfigured?: boolean;
}

/** The own row once the node streams from the target. */
export function recordBelow({ own, target }: Pair, slotName: string | null): NodeRecord {
  return {
    ...own,
    type: "standby",
    active: true,
    upstreamNodeId: target.record.nodeId,
    slotName: slotName ?? own.slotName,
  };
}

/** Whether the target can hold the slot of the own node; every reason against it. */
export function judgeUpstreamSlot(
  { own, target, isConfigured = false, purpose }: Pair & { readonly purpose: AttachPurpose },
  name: string,
): readonly Problem[] {
  const on = `${purpose} target node ${describeNode(target.record)}`;
  if (target.slot !== null) return judgeExistingSlot({ own, target, isConfigured }, name);
  if (target.usedSlots >= target.maxSlots) {
    return [
      {
        message: `no free replication slot on ${on}`,
        detail: `${target.usedSlots} replication slots exist, "max_replication_slots" is ${target.maxSlots}`,
        hint: 'drop slots that are no longer used, or raise "max_replication_slots" there and restart that server',
      },
    ];
  }
  if (target.slotCreator !== null) return [];
  return [
    {
      message: `no permission to create replication slot "${name}" on ${on}`,
      hint: "grant it with ALTER ROLE … REPLICATION to the user of its conninfo",
    },
  ];
}

function judgeExistingSlot(
  { own, target: { slot, record, attachment }, isConfigured }: Pair & { readonly isConfigured: boolean },
  name: string,
): readonly Problem[] {
  if (slot?.isPhysical === false) {
    return [
      {
        message: `replication slot "${name}" exists but is not a physical slot`,
        detail: `it lies on node ${describeNode(record)} and is not ours`,
        hint: "drop or rename it there",
      },
    ];
  }
  const isOurs = own.upstreamNodeId === record.nodeId || (isConfigured && attachment.attached);
  if (slot?.isActive !== true || isOurs) return [];
  return [
    {
      message: `slot "${name}" already exists as an active slot`,
      detail: `somebody else streams from node ${describeNode(record)} through it`,
      hint: "check that no other server has the same node_id",
    },
  ];
}
