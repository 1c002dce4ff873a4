import type { Problem } from "../model/problem.js";
import { describeNode, type NodeId, type NodeRecord } from "../model/node-record.js";
import type { ArmedRules } from "./armed.js";
import { chooseQuorumRule, hasMajority } from "./quorum.js";

/** How far a node that was added or removed has become known. */
export interface MembershipSpread {
  /** The records before the change: a majority of those must know of it before the next one. */
  readonly before: readonly NodeRecord[];
  readonly reached: ReadonlySet<NodeId>;
}

/** `told`: a cluster in which nobody votes, or --force, takes it for done all the same. */
export type MembershipVerdict =
  { readonly kind: "done" } | { readonly kind: "told" | "failed"; readonly problem: Problem };

/**
 * Two majorities could arise where a change is unknown to half of the nodes: those that have it, and those that have
 * not. Scripts made for repmgr register node after node while others are down; they fail only where votes count.
 */
export function judgeMembership(
  { before, reached }: MembershipSpread,
  rules: ArmedRules,
  force: boolean,
): MembershipVerdict {
  if (before.length === 0 || hasMajority(before, reached)) return { kind: "done" };
  const names = (isReached: boolean): string =>
    before
      .filter(({ nodeId }) => reached.has(nodeId) === isReached)
      .map(describeNode)
      .join(", ");
  const problem = {
    message: "the change has not reached more than half of the nodes",
    detail: `nodes that have it: ${names(true) || "none"}; nodes that have not: ${names(false)}`,
    hint: "until they have it, do not add or remove another node",
  };
  return { kind: needsMajority(before, rules) && !force ? "failed" : "told", problem };
}

/** Whether anybody may ever be elected by the votes of these nodes. */
export function needsMajority(before: readonly NodeRecord[], rules: ArmedRules): boolean {
  const isStrict = rules.failover_quorum === "strict" || before.length >= 3;
  return rules.failover === "automatic" && isStrict && chooseQuorumRule(before, rules) === "votes";
}
