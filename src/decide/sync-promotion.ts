import type { NodeId } from "../model/node-record.js";
import type { Problem } from "../model/problem.js";
import type { SyncState } from "../model/sync-state.js";
import { compareLogPositions, type LogPosition } from "../model/vote.js";
import { coversAcknowledged, syncSetsOf } from "./sync-set.js";

export interface HandPromotionFacts {
  readonly own: { readonly nodeId: NodeId; readonly position: LogPosition };
  readonly state: SyncState | null;
  readonly dataNodes: readonly { readonly nodeId: NodeId; readonly nodeName: string }[];
  /** Data nodes that answered. */
  readonly others: readonly {
    readonly nodeId: NodeId;
    readonly position: LogPosition;
    /** It has voted for this one, detached; who has more of the log refuses that. */
    readonly hasGranted: boolean;
  }[];
  /** Null where nothing can be on its record. */
  readonly witness: {
    readonly nodeName: string;
    readonly isAnswering: boolean;
    /** Without which standby the primary may have gone on. */
    readonly excluded: NodeId | null;
  } | null;
}

/**
 * Whether this node has every row that was acknowledged. A person stands in for the majority, but not for the log: of
 * each set enough members must have stopped receiving, and none of them may have more. Null when it may be promoted.
 */
export function judgeHandPromotion(facts: HandPromotionFacts): Problem | null {
  const { own, state, dataNodes, others } = facts;
  const grants = others.filter(({ hasGranted }) => hasGranted);
  const further = others.find(({ position }) => compareLogPositions(position, own.position) > 0);
  const nameOf = (id: NodeId): string =>
    `"${dataNodes.find(({ nodeId }) => nodeId === id)?.nodeName ?? String(id)}"`;
  const hint =
    'see "service status" for the daemons, which detach and vote; -F/--force promotes all the same, and may lose acknowledged rows';
  if (further !== undefined) {
    return {
      message: "this standby does not have every acknowledged row",
      detail: `node ${nameOf(further.nodeId)} has more of the log`,
      hint: `execute "standby promote" on node ${nameOf(further.nodeId)}`,
    };
  }
  const isAlone = grants.length === 0;
  const exclusion = isAlone ? judgeExcluded(facts) : null;
  if (exclusion !== null) return { ...exclusion, hint };
  const holders = new Set([own.nodeId, ...grants.map(({ nodeId }) => nodeId)]);
  const sets = syncSetsOf(
    state,
    dataNodes.map(({ nodeId }) => nodeId),
  );
  if (coversAcknowledged(sets, holders)) return null;
  const missing = sets.flatMap(({ members }) => members).filter((id) => !holders.has(id));
  return {
    message: "it is unknown whether this standby has every acknowledged row",
    detail: `not detached for this promotion: ${[...new Set(missing)].map(nameOf).join(", ")}`,
    hint,
  };
}

/** With the other data node's log before it, a standby that was left out is judged like any other. */
function judgeExcluded({ witness, own }: HandPromotionFacts): Omit<Problem, "hint"> | null {
  if (witness === null) return null;
  const { nodeName, isAnswering, excluded } = witness;
  const message = "this standby may lack acknowledged rows";
  if (!isAnswering)
    return {
      message,
      detail: `the witness "${nodeName}", which knows whether the primary has gone on without it, does not answer`,
    };
  return excluded === own.nodeId
    ? { message, detail: `the primary went on without it, as the witness "${nodeName}" has on record` }
    : null;
}
