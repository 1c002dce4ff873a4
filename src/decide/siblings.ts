import { describeNode, type NodeId, type NodeRecord } from "../model/node-record.js";
import type { Problem } from "../model/problem.js";

/** A node that hangs on the same upstream as the one to promote, and why its host cannot be used. */
export interface SiblingFacts {
  readonly record: NodeRecord;
  /** Null when its host answers and has the program, or when nobody asked. */
  readonly problem: Problem | null;
}

/** What the server to promote has room for. */
export interface RoomFacts {
  readonly maxWalSenders: number;
  readonly usedWalSenders: number;
  readonly maxSlots: number;
  readonly activeSlots: number;
}

/** Active standbys and witnesses below `upstream`, without the node to promote itself (reference: repmgr-cli 1.7). */
export function findSiblings(
  records: readonly NodeRecord[],
  { own, upstream }: { readonly own: NodeId; readonly upstream: NodeId | null },
): readonly NodeRecord[] {
  return records.filter(
    ({ nodeId, active, type, upstreamNodeId }) =>
      active && type !== "primary" && nodeId !== own && upstreamNodeId === upstream,
  );
}

export const reachableSiblings = (siblings: readonly SiblingFacts[]): readonly NodeRecord[] =>
  siblings.filter(({ problem }) => problem === null).map(({ record }) => record);

const listNodes = (records: readonly NodeRecord[]): string =>
  records
    .map(
      ({ nodeName, nodeId, type }) =>
        `\n  ${nodeName} (node ID: ${nodeId}${type === "witness" ? ", witness server" : ""})`,
    )
    .join("");

/** Without `--siblings-follow`: who stays where they are. */
export function warnAboutSiblings(siblings: readonly NodeRecord[]): Problem | null {
  if (siblings.length === 0) return null;
  return {
    message: `${siblings.length} sibling nodes found, but option "--siblings-follow" not specified`,
    detail: `these nodes will remain attached to the current primary:${listNodes(siblings)}`,
    hint: 'execute "standby follow" on each of them afterwards, or add --siblings-follow',
  };
}

/** With it: every sibling that cannot be told to follow. */
export function judgeUnreachableSiblings(siblings: readonly SiblingFacts[]): Problem | null {
  const unreachable = siblings.filter(({ problem }) => problem !== null);
  if (unreachable.length === 0) return null;
  const reasons = unreachable.map(({ record, problem }) => {
    const { message = "", detail } = problem ?? {};
    return `node ${describeNode(record)}: ${message}${detail === undefined ? "" : `: ${detail}`}`;
  });
  const hint = unreachable[0]?.problem?.hint;
  return {
    message: `${unreachable.length} of ${siblings.length} sibling nodes cannot be told to follow`,
    detail: reasons.join("\n"),
    hint: [...(hint === undefined ? [] : [hint]), "with -F/--force these nodes are left where they are"].join(
      "; ",
    ),
  };
}

/** What a new primary needs for the standbys that are to stream from it. */
export function needOf(
  formerPrimary: NodeRecord | null,
  siblings: readonly NodeRecord[],
): { readonly walSenders: number; readonly slots: number } {
  const standbys = [...(formerPrimary === null ? [] : [formerPrimary]), ...siblings].filter(
    ({ type }) => type !== "witness",
  );
  return {
    walSenders: standbys.length,
    slots: standbys.filter(({ slotName }) => slotName !== null).length,
  };
}

/** Whether the node to promote can feed all who are to stream from it. */
export function judgeRoom(
  node: NodeRecord,
  room: RoomFacts,
  needed: { readonly walSenders: number; readonly slots: number },
): { readonly walSenders: Problem | null; readonly slots: Problem | null } {
  const freeWalSenders = room.maxWalSenders - room.usedWalSenders;
  const freeSlots = room.maxSlots - room.activeSlots;
  return {
    walSenders:
      freeWalSenders >= needed.walSenders
        ? null
        : {
            message: `insufficient free walsenders on node ${describeNode(node)}`,
            detail: `at least ${needed.walSenders} walsenders required but only ${freeWalSenders} free walsenders on promotion candidate`,
            hint: `increase parameter "max_wal_senders" by at least ${needed.walSenders - freeWalSenders}`,
          },
    slots:
      freeSlots >= needed.slots
        ? null
        : {
            message: `insufficient free replication slots on node ${describeNode(node)}`,
            detail: `at least ${needed.slots} replication slots required but only ${freeSlots} free replication slots available on promotion candidate`,
            hint: `increase parameter "max_replication_slots" by at least ${needed.slots - freeSlots}`,
          },
  };
}
