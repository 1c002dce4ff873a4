import { formatLsn, type Lsn } from "../model/lsn.js";
import type { NodeId, NodeRecord } from "../model/node-record.js";
import type { Plan } from "../model/plan.js";
import { describeNode } from "../model/node-record.js";
import type { Problem } from "../model/problem.js";
import type { SwitchoverTrace } from "../model/switchover-trace.js";
import { reachableSiblings, type SiblingFacts } from "./siblings.js";
import { checkSwitchover } from "./switchover-checks.js";
import type { SwitchoverFacts, SwitchoverProblem, SwitchoverRules } from "./switchover-facts.js";

export type SwitchoverStep =
  | { readonly kind: "pause-daemons"; readonly nodes: readonly NodeRecord[] }
  | { readonly kind: "stop-primary"; readonly timeoutMs: number; readonly command: string }
  | { readonly kind: "promote" }
  | { readonly kind: "rejoin"; readonly rewinds: boolean }
  | { readonly kind: "follow"; readonly siblings: readonly NodeRecord[] }
  | { readonly kind: "drop-slots"; readonly names: readonly string[] }
  | { readonly kind: "unpause-daemons"; readonly nodes: readonly NodeId[] };

/** How far an earlier run has come. */
export type SwitchoverProgress = "not-begun" | "primary-stopped" | "promoted";

/** The whole of a switchover, or every reason against it. */
export function planSwitchover(
  facts: SwitchoverFacts,
  rules: SwitchoverRules,
): Plan<SwitchoverStep, unknown, SwitchoverProblem> {
  const { problems, warnings } = checkSwitchover(facts, rules);
  if (problems.length > 0) return { kind: "refused", problems };
  const isPausing =
    rules.pauses && facts.daemons.some(({ state }) => state === "running" || state === "paused");
  const pausing = facts.daemons.filter(({ state }) => state === "running").map(({ record }) => record);
  const paused = rules.forceUnpause
    ? facts.daemons.map(({ record }) => record.nodeId)
    : [...new Set([...pausing.map(({ nodeId }) => nodeId), ...facts.pausedBefore])];
  const command = facts.remote.kind === "usable" ? facts.remote.stopCommand : "";
  return {
    kind: "ready",
    warnings,
    steps: [
      ...(isPausing && pausing.length > 0 ? [{ kind: "pause-daemons" as const, nodes: pausing }] : []),
      { kind: "stop-primary", timeoutMs: rules.shutdownTimeoutMs, command },
      { kind: "promote" },
      ...planAttachments({ ...facts, followed: [] }, rules),
      ...(isPausing && paused.length > 0 ? [{ kind: "unpause-daemons" as const, nodes: paused }] : []),
    ],
  };
}

interface Attachments {
  readonly own: NodeRecord;
  readonly siblings: readonly SiblingFacts[];
  /** Nodes that follow the new primary already, in a run that was cut off. */
  readonly followed: readonly NodeRecord[];
}

function planAttachments(
  { own, siblings, followed }: Attachments,
  { siblingsFollow, forceRewind }: Pick<SwitchoverRules, "siblingsFollow" | "forceRewind">,
): readonly SwitchoverStep[] {
  const following = siblingsFollow ? reachableSiblings(siblings) : [];
  const names = [own, ...followed, ...following].flatMap(({ slotName }) => slotName ?? []);
  return [
    { kind: "rejoin", rewinds: forceRewind },
    ...(following.length === 0 ? [] : [{ kind: "follow" as const, siblings: following }]),
    ...(names.length === 0 ? [] : [{ kind: "drop-slots" as const, names }]),
  ];
}

/** What is left of a switchover that was cut off. */
export function planResumption(
  facts: Attachments & { readonly trace: SwitchoverTrace; readonly progress: SwitchoverProgress },
  rules: Pick<SwitchoverRules, "siblingsFollow" | "forceRewind" | "shutdownTimeoutMs">,
): readonly SwitchoverStep[] {
  const { progress, trace } = facts;
  return [
    ...(progress === "promoted"
      ? []
      : [{ kind: "stop-primary" as const, timeoutMs: rules.shutdownTimeoutMs, command: "" }]),
    { kind: "promote" },
    ...planAttachments(facts, rules),
    ...(trace.paused.length === 0 ? [] : [{ kind: "unpause-daemons" as const, nodes: trace.paused }]),
  ];
}

/** How the old primary ended, by `node status --is-shutdown-cleanly` there. */
export type ShutdownReport =
  | { readonly kind: "SHUTDOWN"; readonly checkpointLsn: Lsn }
  | { readonly kind: "UNCLEAN_SHUTDOWN" | "RUNNING" | "UNKNOWN" };

export type ShutdownVerdict =
  | { readonly kind: "promote"; readonly isBehind: boolean }
  | { readonly kind: "wait-for-wal" }
  | { readonly kind: "abort"; readonly problem: Problem };

interface Reception {
  readonly primary: NodeRecord;
  /** The furthest of received and replayed. */
  readonly reachedLsn: Lsn | null;
  readonly waitedMs: number;
  readonly timeoutMs: number;
  readonly force: boolean;
  readonly alwaysPromote: boolean;
}

/**
 * Whether this node may become the primary. The shutdown checkpoint is the last record that the old primary wrote, and a
 * standby that has not got it left the old timeline before its end: so its position has to lie beyond the beginning of it.
 */
export function judgeReception(report: ShutdownReport, reception: Reception): ShutdownVerdict {
  const { primary, reachedLsn, waitedMs, timeoutMs } = reception;
  const node = `node ${describeNode(primary)}`;
  if (report.kind === "UNCLEAN_SHUTDOWN" && reception.force) return { kind: "promote", isBehind: true };
  if (report.kind !== "SHUTDOWN") return { kind: "abort", problem: describeBadShutdown(report, node) };
  if (reachedLsn !== null && reachedLsn > report.checkpointLsn) return { kind: "promote", isBehind: false };
  if (waitedMs < timeoutMs) return { kind: "wait-for-wal" };
  if (reception.alwaysPromote) return { kind: "promote", isBehind: true };
  const reached = reachedLsn === null ? "unknown" : formatLsn(reachedLsn);
  return {
    kind: "abort",
    problem: {
      message: `local node has not received all WAL that ${node} wrote before its shutdown`,
      detail: `local node last receive LSN is ${reached}, primary shutdown checkpoint LSN is ${formatLsn(report.checkpointLsn)}`,
      hint: 'raise "wal_receive_check_timeout", or promote all the same with --always-promote: then --force-rewind is needed as well',
    },
  };
}

function describeBadShutdown({ kind }: ShutdownReport, node: string): Problem {
  if (kind === "UNCLEAN_SHUTDOWN")
    return {
      message: `${node} was not shut down cleanly`,
      detail: "it may have accepted transactions that this node never received",
    };
  return kind === "RUNNING"
    ? {
        message: `shutdown of the primary server ${node} has not completed in time`,
        hint: 'see its log for what it waits for; "shutdown_check_timeout" is how long it may take',
      }
    : { message: `unable to tell how the server of ${node} ended` };
}

export interface StoppedCandidate {
  readonly isRunning: boolean;
  /** pg_control's words. */
  readonly state: string | null;
  readonly hasStandbySignal: boolean;
}

/**
 * Whether a promotion that was asked for can no more take place: only a server that is down, was a standby to the last
 * and starts as one proves it, and only then the old primary may accept writes again.
 */
export function provesNoPromotion({ isRunning, state, hasStandbySignal }: StoppedCandidate): boolean {
  return (
    !isRunning && hasStandbySignal && (state === "shut down in recovery" || state === "in archive recovery")
  );
}
