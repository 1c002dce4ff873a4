import type { Lsn } from "../model/lsn.js";
import { describeNode, type NodeId, type NodeRecord } from "../model/node-record.js";
import type { Plan } from "../model/plan.js";
import type { Problem } from "../model/problem.js";
import {
  findSiblings,
  judgeRoom,
  judgeUnreachableSiblings,
  needOf,
  reachableSiblings,
  type RoomFacts,
  type SiblingFacts,
  warnAboutSiblings,
} from "./siblings.js";

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
  /** With `--siblings-follow`: who is to follow, and what this server has room for. */
  readonly following: { readonly siblings: readonly SiblingFacts[]; readonly room: RoomFacts } | null;
}

export interface PromotionRules {
  readonly force: boolean;
  /** `service_promote_command`, empty when not set. */
  readonly configuredCommand: string;
  /** What runs when neither that is set nor pg_promote() may be called. */
  readonly controlCommand: string;
}

export type PromotionMethod =
  { readonly kind: "function" } | { readonly kind: "command"; readonly command: string };

export type PromotionStep =
  | { readonly kind: "promote"; readonly method: PromotionMethod }
  | { readonly kind: "record-primary"; readonly node: NodeId }
  | { readonly kind: "follow"; readonly siblings: readonly NodeRecord[] };

/** A promotion that was refused ends with code 8 (reference: repmgr-cli 1.7). */
export function planPromotion(facts: PromotionFacts, rules: PromotionRules): Plan<PromotionStep> {
  if (facts.livePrimary !== null)
    return { kind: "refused", problems: [alreadyActive(facts, facts.livePrimary)] };
  const siblings = judgeFollowing(facts);
  if (siblings.length > 0 && !rules.force) return { kind: "refused", problems: siblings };
  const following = reachableSiblings(facts.following?.siblings ?? []);
  const last: readonly PromotionStep[] = [
    { kind: "record-primary", node: facts.own.nodeId },
    ...(following.length === 0 ? [] : [{ kind: "follow" as const, siblings: following }]),
  ];
  if (facts.isPromoted) return { kind: "ready", warnings: siblings, steps: last };
  const { own, records } = facts;
  const staying = findSiblings(records, { own: own.nodeId, upstream: own.upstreamNodeId });
  const stay = facts.following === null ? warnAboutSiblings(staying) : null;
  const warnings = [...siblings, stay, warnAboutReplay(facts)].filter((warning) => warning !== null);
  return {
    kind: "ready",
    warnings,
    steps: [{ kind: "promote", method: choosePromotionMethod(facts, rules) }, ...last],
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

/** What stands against `--siblings-follow`, unless `-F` is given. */
function judgeFollowing({ own, following }: PromotionFacts): readonly Problem[] {
  if (following === null) return [];
  const reachable = reachableSiblings(following.siblings);
  const { walSenders, slots } = judgeRoom(own, following.room, needOf(null, reachable));
  return [judgeUnreachableSiblings(following.siblings), walSenders, slots].filter(
    (problem) => problem !== null,
  );
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

export function choosePromotionMethod(
  facts: Pick<PromotionFacts, "mayCallPromote">,
  rules: PromotionRules,
): PromotionMethod {
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
