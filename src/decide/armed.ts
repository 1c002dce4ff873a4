import type { Member } from "../model/member-report.js";
import type { NodeId } from "../model/node-record.js";
import type { FailoverSettings } from "./failover-settings.js";
import { chooseQuorumRule, hasMajority } from "./quorum.js";

/** What a running daemon tells of itself. */
interface ArmedDaemon {
  readonly isPaused: boolean;
  /** For so long it gives no vote to others; 0: it is free. In milliseconds. */
  readonly heldForMs: number;
  /** Its hold does not keep it from standing itself. */
  readonly hasVotedForItself: boolean;
  /** `manual`: it promotes nothing. `forgetful`: it has no state file, so its votes end with its process. */
  readonly shortcoming: "manual" | "forgetful" | null;
}

/** What is known of one node's daemon; null: its server does not answer, or no daemon runs there. */
export interface MemberDaemon {
  readonly member: Member & { readonly nodeName: string };
  readonly isServerReachable: boolean;
  /** Its conninfo leads to a connection pooler: no vote is asked for or counted through it. */
  readonly isThroughPooler: boolean;
  readonly daemon: ArmedDaemon | null;
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
  const pooled = nodes.filter(({ isThroughPooler }) => isThroughPooler);
  const missing = others.filter((node) => node.daemon === null && !pooled.includes(node));
  const paused = nodes.filter(({ daemon }) => daemon?.isPaused === true);
  const able = others.filter((node) => node.daemon?.isPaused === false && !pooled.includes(node));
  const standbys = able.filter(
    ({ member }) =>
      member.type === "standby" &&
      member.priority > 0 &&
      (primary === null || member.upstreamNodeId === primary),
  );
  const candidates = standbys.filter(({ daemon }) => daemon?.shortcoming !== "manual");
  const manual = standbys.filter(({ daemon }) => daemon?.shortcoming === "manual");
  const byVotes = chooseQuorumRule(members, rules) === "votes";
  const isEnough = (voters: readonly MemberDaemon[]): boolean =>
    !byVotes || hasMajority(members, new Set(voters.map(({ member }) => member.nodeId)));
  const isShort = !isEnough(able);
  const held = able.filter(({ daemon }) => daemon !== null && daemon.heldForMs > 0);
  const free = able.filter((node) => !held.includes(node));
  const mayStandNow = candidates.some(
    (node) => (!held.includes(node) || node.daemon?.hasVotedForItself === true) && isEnough([...free, node]),
  );
  const isHeld = candidates.length > 0 && !isShort && !mayStandNow;
  const forgetful = byVotes ? able.filter(({ daemon }) => daemon?.shortcoming === "forgetful") : [];
  const isForgetful = !isShort && !isEnough(able.filter((node) => !forgetful.includes(node)));
  const reasons = [
    ...(rules.failover === "manual" ? ['"failover" is "manual" on this node'] : []),
    ...(pooled.length > 0 ? [describePooled(pooled)] : []),
    ...(paused.length > 0 ? [`paused: ${list(paused)}`] : []),
    ...(candidates.length === 0 ? ["no standby that could be promoted has a running daemon"] : []),
    ...(candidates.length === 0 && manual.length > 0 ? [`"failover" is "manual" on ${list(manual)}`] : []),
    ...(isShort ? ["no majority possible without the primary"] : []),
    ...(missing.length > 0 && (isShort || candidates.length === 0)
      ? [`daemon missing on ${list(missing)}`]
      : []),
    ...(isShort ? describeWayOut(missing) : []),
    ...(isHeld ? [describeHold(held)] : []),
    ...(isForgetful ? [describeForgetful(forgetful)] : []),
  ];
  const notes = [
    ...(missing.length > 0 && reasons.length === 0 ? [`daemon missing on ${list(missing)}`] : []),
    ...(candidates.length > 0 && manual.length > 0 ? [`"failover" is "manual" on ${list(manual)}`] : []),
    ...(forgetful.length > 0 && !isForgetful ? [describeForgetful(forgetful)] : []),
    ...(byVotes ? [] : [describeNoVotes(members.length)]),
  ];
  // A pause anywhere is somebody's maintenance: it disarms that node, and with it its vote.
  const isArmed =
    rules.failover === "automatic" &&
    candidates.length > 0 &&
    paused.length === 0 &&
    pooled.length === 0 &&
    !(isShort || isHeld || isForgetful);
  return { isArmed, reasons, notes };
}

/** Also where the others are enough: its standbys and candidates would not be told from those that the pooler leads to. */
const describePooled = (nodes: readonly MemberDaemon[]): string =>
  `"conninfo" leads to a connection pooler instead of the server: ${list(nodes)}`;

/** A node counts as long as it is registered, so that one which is gone for good takes its votes along. */
function describeWayOut(missing: readonly MemberDaemon[]): readonly string[] {
  const gone = missing.filter(({ isServerReachable }) => !isServerReachable);
  if (gone.length === 0) return [];
  return [
    `to be unregistered if gone for good: ${list(gone)}; a witness or "failover_quorum=visible" would help as well`,
  ];
}

/** A daemon that was started without a state file, or has just voted, gives no vote for the time of `vote_hold`. */
function describeHold(held: readonly MemberDaemon[]): string {
  const longestMs = Math.max(...held.map(({ daemon }) => daemon?.heldForMs ?? 0));
  return `votes are on hold for ${Math.ceil(longestMs / 1000)} more seconds after a start or a vote: ${list(held)}`;
}

const describeForgetful = (nodes: readonly MemberDaemon[]): string =>
  `no state directory that can be written, so that votes are forgotten or not given: ${list(nodes)}`;

function describeNoVotes(count: number): string {
  return count <= 2
    ? "no majority possible with two nodes: a standby that loses sight of the primary is promoted; a witness would help"
    : '"failover_quorum" is "visible": nodes are counted, no votes are asked for';
}

const list = (nodes: readonly MemberDaemon[]): string =>
  nodes.map(({ member }) => `"${member.nodeName}" (ID: ${member.nodeId})`).join(", ");
