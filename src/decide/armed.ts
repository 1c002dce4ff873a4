import type { Member } from "../model/member-report.js";
import type { NodeId } from "../model/node-record.js";
import type { FailoverSettings } from "./failover-settings.js";
import { chooseQuorumRule, hasMajority } from "./quorum.js";

/** What is known of one node's daemon; null: its server does not answer, or no daemon runs there. */
export interface MemberDaemon {
  readonly member: Member & { readonly nodeName: string };
  readonly isServerReachable: boolean;
  readonly daemon: { readonly isPaused: boolean } | null;
}

/** Whether the loss of the primary would lead to a failover, and every reason why not. */
export interface ArmedVerdict {
  readonly isArmed: boolean;
  readonly reasons: readonly string[];
  /** What holds although it is armed. */
  readonly notes: readonly string[];
}

export type ArmedRules = Pick<
  FailoverSettings,
  "failover" | "failover_quorum" | "primary_isolation_timeout" | "sync_mode"
>;

/** Judges as if the primary were lost now; `rules` are those of the node at hand, which have to be equal on all. */
export function judgeArmed(
  nodes: readonly MemberDaemon[],
  primary: NodeId | null,
  rules: ArmedRules,
): ArmedVerdict {
  const members = nodes.map(({ member }) => member);
  const others = nodes.filter(({ member }) => member.nodeId !== primary);
  const missing = others.filter(({ daemon }) => daemon === null);
  const paused = nodes.filter(({ daemon }) => daemon?.isPaused === true);
  const able = others.filter(({ daemon }) => daemon?.isPaused === false);
  const candidates = able.filter(
    ({ member }) =>
      member.type === "standby" &&
      member.priority > 0 &&
      (primary === null || member.upstreamNodeId === primary),
  );
  const byVotes = chooseQuorumRule(members, rules) === "votes";
  const isShort = byVotes && !hasMajority(members, new Set(able.map(({ member }) => member.nodeId)));
  const reasons = [
    ...(rules.failover === "manual" ? ['"failover" is "manual" on this node'] : []),
    ...(paused.length > 0 ? [`paused: ${list(paused)}`] : []),
    ...(candidates.length === 0 ? ["no standby that could be promoted has a running daemon"] : []),
    ...(isShort ? ["no majority possible without the primary"] : []),
    ...(missing.length > 0 && (isShort || candidates.length === 0)
      ? [`daemon missing on ${list(missing)}`]
      : []),
  ];
  const notes = [
    ...(missing.length > 0 && reasons.length === 0 ? [`daemon missing on ${list(missing)}`] : []),
    ...(byVotes ? [] : [describeNoVotes(members.length)]),
  ];
  // A pause anywhere is somebody's maintenance: it disarms that node, and with it its vote.
  const isArmed = rules.failover === "automatic" && candidates.length > 0 && !isShort && paused.length === 0;
  return { isArmed, reasons, notes };
}

function describeNoVotes(count: number): string {
  return count <= 2
    ? "no majority possible with two nodes: a standby that loses sight of the primary is promoted; a witness would help"
    : '"failover_quorum" is "visible": nodes are counted, no votes are asked for';
}

const list = (nodes: readonly MemberDaemon[]): string =>
  nodes.map(({ member }) => `"${member.nodeName}" (ID: ${member.nodeId})`).join(", ");
