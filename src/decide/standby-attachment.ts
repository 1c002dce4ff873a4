import type { NodeId } from "../model/node-record.js";
import { retryTime } from "./campaign.js";
import { findLivingPrimary, findMember, type FoundPrimary } from "./election.js";
import { announce, become, degrade, elect, stay, type Of, type Searching } from "./standby-step.js";
import type { LongCommand, Situation, Step, Upstream } from "./watch-types.js";

function mayAttach({ attachment }: FoundPrimary, { settings }: Situation): boolean {
  return attachment === "follow" || (attachment === "rejoin" && settings.auto_rejoin);
}

export function attach(from: Searching, found: FoundPrimary, situation: Situation): Step {
  const { daemon, settings } = situation;
  const retryAt = retryTime(situation, from.round);
  if (daemon.memory.isPaused) return degrade(from, "paused", retryAt);
  if (settings.failover === "manual" && !isPutBack(from, found, situation))
    return degrade(from, "follow-by-hand", retryAt);
  if (!mayAttach(found, situation)) return degrade(from, "cannot-follow", retryAt);
  const primary = found.nodeId;
  const { upstream, round } = from;
  return become({ kind: "attaching", primary, upstream, round, retryAt: null }, [
    { kind: found.attachment === "follow" ? "run-follow" : "run-rejoin", primary },
  ]);
}

/** What was detached for a vote streams again from where it did, also where a person decides whom it follows. */
function isPutBack(
  { upstream }: Pick<Searching, "upstream">,
  found: FoundPrimary,
  { daemon }: Situation,
): boolean {
  const isSame = upstream?.nodeId === found.nodeId && found.attachment === "follow";
  return isSame && daemon.local?.isDetached === true;
}

/** Somebody has let this standby follow another node: that is watched from now on. */
export function watchNewUpstream(
  { upstream }: { readonly upstream: Upstream | null },
  { to }: { readonly to: NodeId },
  { daemon }: Situation,
): Step {
  if (upstream?.nodeId === to) return stay();
  const isPrimary = findMember(daemon, to)?.type === "primary";
  return become({ kind: "watching", upstream: { nodeId: to, isPrimary } });
}

export function endAttachment(
  state: Of<"attaching">,
  { command, succeeded }: { command: LongCommand; succeeded: boolean },
  situation: Situation,
): Step {
  const { memory } = situation.daemon;
  const retryAt = retryTime(situation, state.round);
  if (!succeeded && command === "rejoin")
    return become({ ...state, round: state.round + 1, retryAt: Math.max(retryAt, situation.now + 1000) });
  if (!succeeded) return degrade(state, "attach-failed", retryAt);
  const step = become({ kind: "watching", upstream: { nodeId: state.primary, isPrimary: true } }, [
    announce("repmgrd_failover_follow", state.primary),
  ]);
  return memory.wasPrimary === null ? step : { ...step, memory: { ...memory, wasPrimary: null } };
}

/** The rejoin needs the server down, and only the command can tell from its files what it needs. */
export function rejoinAgain(state: Of<"attaching">, _seen: unknown, situation: Situation): Step {
  const { daemon, now } = situation;
  if (state.retryAt === null || now < state.retryAt) return stay();
  if (daemon.local !== null) return elect(state, situation);
  if (daemon.memory.isPaused || !situation.settings.auto_rejoin) return stay();
  const primary = findLivingPrimary(daemon);
  if (primary === null) return stay();
  return become({ ...state, primary, retryAt: null }, [{ kind: "run-rejoin", primary }]);
}

/** A standby moves when another is the primary now, when it cannot stream from its own, or when its receiver is off. */
export function meetPrimaryWhileWatching(
  state: Of<"watching">,
  found: FoundPrimary,
  situation: Situation,
): Step {
  const { upstream } = state;
  const isSame = upstream.nodeId === found.nodeId;
  const isDetached = situation.daemon.local?.isDetached === true;
  const isStranded = isDetached || found.attachment !== "follow";
  const mayStayAway = !upstream.isPrimary && !isDetached && found.attachment === "follow";
  if (isSame ? !isStranded : mayStayAway) return stay();
  const { daemon, settings } = situation;
  const isAllowed = settings.failover === "automatic" || isPutBack(state, found, situation);
  const mayMove = !daemon.memory.isPaused && isAllowed && mayAttach(found, situation);
  return mayMove ? attach({ upstream, round: 0 }, found, situation) : stay();
}
