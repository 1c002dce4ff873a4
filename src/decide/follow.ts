import { slotNameOf, type NodeRecord } from "../model/node-record.js";
import type { Plan } from "../model/plan.js";
import type { Problem } from "../model/problem.js";
import type { WalPosition } from "../model/wal-record.js";
import { judgeAttach, type AttachFacts } from "./attach.js";
import type { RecoveryParameters } from "./recovery-parameters.js";
import type { SlotCreator } from "./replication-slots.js";
import { judgeUpstreamSlot, recordBelow, type UpstreamCandidate } from "./upstream.js";

export interface FollowFacts {
  readonly own: NodeRecord;
  readonly target: UpstreamCandidate;
  readonly attach: AttachFacts;
  /** The node from which this one has streamed by its record, or that still holds its slot; null without, or when it is the target. */
  readonly formerUpstream: NodeRecord | null;
  /** Within which the local log breaks off where the target left its timeline. */
  readonly incompleteRecord: WalPosition | null;
  /** What `postgresql.auto.conf` says now. */
  readonly currentConninfo: string | null;
}

export interface FollowRules {
  readonly useReplicationSlots: boolean;
  readonly parameters: RecoveryParameters;
  readonly restarts: boolean;
  /** The command line that copies the target over this node. */
  readonly recloneCommand: string;
}

export type FollowStep =
  | { readonly kind: "create-slot"; readonly name: string; readonly creator: SlotCreator }
  /** Stops the server. */
  | { readonly kind: "discard-incomplete-record"; readonly record: WalPosition }
  | { readonly kind: "write-configuration"; readonly parameters: RecoveryParameters }
  | { readonly kind: "apply-configuration"; readonly by: "reload" | "restart" | "start" }
  | { readonly kind: "record-upstream"; readonly record: NodeRecord }
  | { readonly kind: "await-attachment" }
  | { readonly kind: "drop-former-slot"; readonly name: string; readonly upstream: NodeRecord };

export interface FollowOutlook {
  readonly finding: Problem;
}

/** The steps that make a running standby stream from the target (reference: repmgr-cli 1.8); none when it does already. */
export function planFollow(facts: FollowFacts, rules: FollowRules): Plan<FollowStep, FollowOutlook> {
  const verdict = judgeAttach(facts.attach, "follow");
  if (verdict.kind !== "can-attach")
    return { kind: "refused", problems: [adviseCopy(facts, verdict.problem, rules)] };
  const slotName = rules.useReplicationSlots ? (facts.own.slotName ?? slotNameOf(facts.own.nodeId)) : null;
  const isConfigured = facts.currentConninfo === rules.parameters.get("primary_conninfo");
  const problems =
    slotName === null ? [] : judgeUpstreamSlot({ ...facts, isConfigured, purpose: "follow" }, slotName);
  if (problems.length > 0) return { kind: "refused", problems };
  const outlook = { finding: verdict.finding };
  const { formerUpstream } = facts;
  const dropping: readonly FollowStep[] =
    slotName === null || formerUpstream === null
      ? []
      : [{ kind: "drop-former-slot", name: slotName, upstream: formerUpstream }];
  if (isFollowing(facts, rules, slotName))
    return { kind: "ready", warnings: [], steps: dropping, ...outlook };

  const steps: FollowStep[] = [];
  const { slot, slotCreator } = facts.target;
  if (slotName !== null && slot === null && slotCreator !== null) {
    steps.push({ kind: "create-slot", name: slotName, creator: slotCreator });
  }
  const record = recordBelow(facts, slotName);
  // Before there is anybody to stream from: a server that is started with it as it is may end with PANIC.
  const { incompleteRecord } = facts;
  if (incompleteRecord !== null) steps.push({ kind: "discard-incomplete-record", record: incompleteRecord });
  steps.push(
    { kind: "write-configuration", parameters: rules.parameters },
    {
      kind: "apply-configuration",
      by: incompleteRecord !== null ? "start" : rules.restarts ? "restart" : "reload",
    },
    { kind: "record-upstream", record },
    { kind: "await-attachment" },
    ...dropping,
  );
  return { kind: "ready", warnings: [], steps, ...outlook };
}

function adviseCopy({ attach }: FollowFacts, problem: Problem, { recloneCommand }: FollowRules): Problem {
  if (attach.sharesTimeline !== false) return problem;
  return { ...problem, hint: `to give up what it holds, stop this server and execute: ${recloneCommand}` };
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
