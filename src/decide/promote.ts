import type { Lsn } from "../model/lsn.js";
import { describeNode, type NodeId, type NodeRecord } from "../model/node-record.js";
import type { Plan } from "../model/plan.js";
import type { Problem } from "../model/problem.js";

export interface PromotionFacts {
  readonly own: NodeRecord;
  /** Out of recovery already, though its record does not say so: an earlier run did not come to its end. */
  readonly isPromoted: boolean;
  /** The rows as this standby knows them. */
  readonly records: readonly NodeRecord[];
  /** A server out of recovery, if one answered. */
  readonly livePrimary: NodeRecord | null;
  readonly replay: {
    readonly isPaused: boolean;
    readonly received: Lsn | null;
    readonly replayed: Lsn | null;
    /** `recovery_min_apply_delay` in milliseconds. */
    readonly delayMs: number;
  };
  readonly mayCallPromote: boolean;
}

export interface PromotionRules {
  /** `service_promote_command`, empty when not set. */
  readonly configuredCommand: string;
  /** What runs when neither that is set nor pg_promote() may be called. */
  readonly controlCommand: string;
}

export type PromotionMethod =
  { readonly kind: "function" } | { readonly kind: "command"; readonly command: string };

export type PromotionStep =
  | { readonly kind: "promote"; readonly method: PromotionMethod }
  | { readonly kind: "record-primary"; readonly node: NodeId };

/** A promotion that was refused ends with code 8 (reference: repmgr-cli 1.7). */
export function planPromotion(facts: PromotionFacts, rules: PromotionRules): Plan<PromotionStep> {
  if (facts.livePrimary !== null)
    return { kind: "refused", problems: [alreadyActive(facts, facts.livePrimary)] };
  const recording: PromotionStep = { kind: "record-primary", node: facts.own.nodeId };
  if (facts.isPromoted) return { kind: "ready", warnings: [], steps: [recording] };
  const warnings = [warnAboutSiblings(facts), warnAboutReplay(facts)].filter((warning) => warning !== null);
  return {
    kind: "ready",
    warnings,
    steps: [{ kind: "promote", method: chooseMethod(facts, rules) }, recording],
  };
}

function alreadyActive({ isPromoted }: PromotionFacts, primary: NodeRecord): Problem {
  const too = isPromoted ? "; this server is out of recovery as well" : "";
  return {
    message: "this replication cluster already has an active primary server",
    detail: `current primary is ${describeNode(primary)}${too}`,
    hint: `stop that server first, or exchange the roles with "standby switchover"`,
  };
}

/** Standbys and witnesses that hang on the same upstream as this node does now. */
function siblingsOf({ own, records }: Pick<PromotionFacts, "own" | "records">): readonly NodeRecord[] {
  return records.filter(
    ({ nodeId, active, upstreamNodeId, type }) =>
      active && nodeId !== own.nodeId && type !== "primary" && upstreamNodeId === own.upstreamNodeId,
  );
}

function warnAboutSiblings(facts: PromotionFacts): Problem | null {
  const siblings = siblingsOf(facts);
  if (siblings.length === 0) return null;
  const list = siblings.map(({ nodeName, nodeId }) => `\n  ${nodeName} (node ID: ${nodeId})`);
  return {
    message: `${siblings.length} sibling nodes found, which do not follow by themselves`,
    detail: `these nodes will remain attached to the current primary:${list.join("")}`,
    hint: 'execute "standby follow" on each of them afterwards',
  };
}

/** A promotion ends a pause and a delay, and first replays what was received: that can take its time. */
function warnAboutReplay({ replay }: PromotionFacts): Problem | null {
  const { received, replayed, isPaused, delayMs } = replay;
  const pending = received === null || replayed === null ? 0n : received - replayed;
  if (pending <= 0n || !(isPaused || delayMs > 0)) return null;
  return {
    message: isPaused ? "WAL replay is paused on this node" : "WAL replay is delayed on this node",
    detail: `${pending} bytes of received WAL will be replayed before the promotion completes`,
    hint: 'if there is much to replay, raise "promote_check_timeout"',
  };
}

function chooseMethod(facts: PromotionFacts, rules: PromotionRules): PromotionMethod {
  if (rules.configuredCommand !== "") return { kind: "command", command: rules.configuredCommand };
  return facts.mayCallPromote ? { kind: "function" } : { kind: "command", command: rules.controlCommand };
}

/** What is to be done after a look at the server that was told to promote. */
export type PromotionProgress = "wait" | "promoted" | "timed-out" | "connection-lost";

/** `elapsedMs` since the promotion was asked for. */
export function judgePromotion(
  look: "in-recovery" | "out-of-recovery" | "no-answer",
  { elapsedMs, timeoutMs }: { readonly elapsedMs: number; readonly timeoutMs: number },
): PromotionProgress {
  if (look === "out-of-recovery") return "promoted";
  if (elapsedMs < timeoutMs) return "wait";
  return look === "no-answer" ? "connection-lost" : "timed-out";
}
