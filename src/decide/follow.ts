import type { Conninfo } from "../model/conninfo.js";
import { describeNode, slotNameOf, type NodeRecord } from "../model/node-record.js";
import type { Plan } from "../model/plan.js";
import type { Problem } from "../model/problem.js";
import { judgeAttach, type AttachFacts } from "./attach.js";
import type { RecoveryParameters } from "./recovery-parameters.js";
import type { SlotCreator } from "./replication-slots.js";

export interface FollowTarget {
  readonly record: NodeRecord;
  readonly conninfo: Conninfo;
  /** How the own standby stands there: its state, null when it may not be seen or it is not attached. */
  readonly attachment: { readonly attached: boolean; readonly state: string | null };
  readonly slot: { readonly isPhysical: boolean; readonly isActive: boolean } | null;
  readonly usedSlots: number;
  readonly maxSlots: number;
  readonly slotCreator: SlotCreator | null;
}

export interface FollowFacts {
  readonly own: NodeRecord;
  readonly target: FollowTarget;
  readonly attach: AttachFacts;
  /** The node from which this one has streamed by its record; null when that is gone or the target itself. */
  readonly formerUpstream: NodeRecord | null;
  /** What `postgresql.auto.conf` says now. */
  readonly currentConninfo: string | null;
}

export interface FollowRules {
  readonly useReplicationSlots: boolean;
  readonly parameters: RecoveryParameters;
  readonly restarts: boolean;
}

export type FollowStep =
  | { readonly kind: "create-slot"; readonly name: string; readonly creator: SlotCreator }
  | { readonly kind: "write-configuration"; readonly parameters: RecoveryParameters }
  | { readonly kind: "apply-configuration"; readonly by: "reload" | "restart" }
  | { readonly kind: "record-upstream"; readonly record: NodeRecord }
  | { readonly kind: "await-attachment" }
  | { readonly kind: "drop-former-slot"; readonly name: string; readonly upstream: NodeRecord };

export interface FollowOutlook {
  readonly finding: Problem;
}

/** The steps that make a running standby stream from the target (reference: repmgr-cli 1.8); none when it does already. */
export function planFollow(facts: FollowFacts, rules: FollowRules): Plan<FollowStep, FollowOutlook> {
  const verdict = judgeAttach(facts.attach, "follow");
  if (verdict.kind !== "can-attach") return { kind: "refused", problems: [verdict.problem] };
  const slotName = rules.useReplicationSlots ? (facts.own.slotName ?? slotNameOf(facts.own.nodeId)) : null;
  const problems = slotName === null ? [] : judgeSlot(facts, slotName);
  if (problems.length > 0) return { kind: "refused", problems };
  const outlook = { finding: verdict.finding };
  if (isFollowing(facts, rules, slotName)) return { kind: "ready", warnings: [], steps: [], ...outlook };

  const steps: FollowStep[] = [];
  const { slot, slotCreator } = facts.target;
  if (slotName !== null && slot === null && slotCreator !== null) {
    steps.push({ kind: "create-slot", name: slotName, creator: slotCreator });
  }
  const record: NodeRecord = {
    ...facts.own,
    type: "standby",
    active: true,
    upstreamNodeId: facts.target.record.nodeId,
    slotName: slotName ?? facts.own.slotName,
  };
  steps.push(
    { kind: "write-configuration", parameters: rules.parameters },
    { kind: "apply-configuration", by: rules.restarts ? "restart" : "reload" },
    { kind: "record-upstream", record },
    { kind: "await-attachment" },
  );
  if (slotName !== null && facts.formerUpstream !== null) {
    steps.push({ kind: "drop-former-slot", name: slotName, upstream: facts.formerUpstream });
  }
  return { kind: "ready", warnings: [], steps, ...outlook };
}

/** Attached to the target, configured for it and recorded so. */
function isFollowing(
  { own, target, currentConninfo }: FollowFacts,
  rules: FollowRules,
  slotName: string | null,
): boolean {
  const streams = target.attachment.attached && (target.attachment.state ?? "streaming") === "streaming";
  return (
    streams &&
    own.active &&
    own.type === "standby" &&
    own.upstreamNodeId === target.record.nodeId &&
    (slotName === null || (own.slotName === slotName && target.slot?.isActive === true)) &&
    currentConninfo === rules.parameters.get("primary_conninfo")
  );
}

function judgeSlot({ target, own }: FollowFacts, name: string): readonly Problem[] {
  const on = `follow target node ${describeNode(target.record)}`;
  if (target.slot !== null) return judgeExistingSlot(target, own, name);
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
  { slot, record }: FollowTarget,
  own: NodeRecord,
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
  if (slot?.isActive !== true || own.upstreamNodeId === record.nodeId) return [];
  return [
    {
      message: `slot "${name}" already exists as an active slot`,
      detail: `somebody else streams from node ${describeNode(record)} through it`,
      hint: "check that no other server has the same node_id",
    },
  ];
}
