import { askMembers } from "./campaign.js";
import { answeredOnly } from "./election.js";
import type { FailoverSettings } from "./failover-settings.js";
import { couldPromoteUnseen } from "./quorum.js";
import type { DaemonState, Observation, Situation, Step } from "./watch-types.js";

const SHORTEST_ROUND_MS = 500;
/** How often a voter looks whether its candidate is out of recovery, until the candidate's time is over. */
const WINNER_LOOK_MS = 200;

/** Even where all is well the others are asked now and then: a primary looks for a successor, a standby for a new one. */
export function keepAsking(situation: Situation, observation: Observation): Step {
  const { daemon, now } = situation;
  if (daemon.watch.role === "unknown") return {};
  const isDue =
    observation.kind === "tick"
      ? now - daemon.membersAskedAt >= askingInterval(situation)
      : observation.kind === "members-answered" && hasWaited(situation) && asksOn(situation);
  return isDue ? { actions: [askMembers(situation)] } : {};
}

function askingInterval(situation: Situation): number {
  const { daemon, settings } = situation;
  if (awaitsWinner(situation)) return WINNER_LOOK_MS;
  return (daemon.watch.role === "primary" ? 1 : 3) * settings.monitor_interval_secs;
}

/** In synchronous mode no commit is acknowledged before a voter streams from the one that it has voted for. */
function awaitsWinner({ daemon: { nodeId, memory, voter, watch }, settings, now }: Situation): boolean {
  if (memory.vote === null || memory.vote.candidate === nodeId) return false;
  const isElecting = watch.state.kind === "electing" || watch.state.kind === "degraded";
  return isElecting && now < voter.holdUntil - settings.vote_hold + settings.vote_timeout;
}

/** A campaign asks by itself. */
const asksOn = ({ daemon, settings }: Situation): boolean =>
  daemon.watch.state.kind === "leading" && insistsOnAnswers(daemon, settings);

/** Answers that come at once, such as refusals, are asked for again at the usual pace. */
const hasWaited = ({ daemon, now }: Situation): boolean => now - daemon.membersAskedAt >= SHORTEST_ROUND_MS;

/**
 * Whether `ask-members` tries for the whole of its second to reach who is silent: the others may have promoted one of
 * them, and until the link heals and tells of it, two servers are writable.
 */
export function insistsOnAnswers(daemon: DaemonState, settings: FailoverSettings): boolean {
  const { watch, membership, answers, nodeId: self, membersAnsweredAt } = daemon;
  if (watch.role !== "primary" || membersAnsweredAt === -Infinity) return false;
  if (watch.state.kind === "reasserting") return true;
  const answered = new Set(answeredOnly(answers).map(({ nodeId }) => nodeId));
  return (
    watch.state.kind === "leading" && couldPromoteUnseen(membership.members, { self, answered }, settings)
  );
}
