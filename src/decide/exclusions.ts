import type { NodeId } from "../model/node-record.js";
import type { SyncExclusion } from "../model/sync-exclusion.js";
import { findMember, isWitness } from "./election.js";
import type { DaemonState, Observation, Situation, Step } from "./watch-types.js";

export type ExclusionRefusal =
  /** Something newer is on record. */
  | "epoch-used"
  | "not-members"
  /** A vote, or a primary, of a later term: the one that asks has been replaced, or will be. */
  | "term-used"
  /** A vote may have been given before the state file was lost. */
  | "votes-forgotten";

/**
 * Whether a witness puts on record what a primary asks: that it may go on without a standby, for which the witness then
 * does not vote, or that this is over. Null: it does. The caller writes it to the state file first.
 */
export function judgeExclusion(
  wish: SyncExclusion,
  { daemon, now }: Pick<Situation, "daemon" | "now">,
): ExclusionRefusal | null {
  const { memory, voter } = daemon;
  const { vote, exclusion: known } = memory;
  if (known !== null && wish.epoch <= known.epoch) return "epoch-used";
  if (!isDataNode(daemon, wish.holder) || wish.node === wish.holder) return "not-members";
  if (wish.node !== null && !isDataNode(daemon, wish.node)) return "not-members";
  if (vote === null && now < voter.holdUntil) return "votes-forgotten";
  const isOutvoted = vote !== null && isLater(vote.term, vote.candidate, wish);
  const isReplaced = known !== null && isLater(known.term, known.holder, wish);
  return isOutvoted || isReplaced ? "term-used" : null;
}

/** A term has one primary. */
const isLater = (term: number, primary: NodeId, wish: SyncExclusion): boolean =>
  wish.term < term || (wish.term === term && wish.holder !== primary);

function isDataNode(daemon: DaemonState, id: NodeId): boolean {
  const member = findMember(daemon, id);
  return member !== undefined && member.type !== "witness";
}

/** The witness's part of a look at its own server: keeps the newest wish, and writes again what its database lacks. */
export function answerExclusions(situation: Situation, observation: Observation): Step {
  const { daemon, settings } = situation;
  if (observation.kind !== "local-seen" || !isWitness(daemon) || settings.sync_mode === "off") return {};
  const { memory } = daemon;
  const [wish] = observation.sessions.exclusions
    .filter((one) => judgeExclusion(one, situation) === null)
    .sort((a, b) => b.epoch - a.epoch || Number(a.node === null) - Number(b.node === null));
  if (wish !== undefined)
    return {
      memory: { ...memory, exclusion: wish },
      actions: [{ kind: "record-exclusion", exclusion: wish }],
    };
  const known = memory.exclusion;
  if (known === null || (observation.server.exclusion?.epoch ?? 0) >= known.epoch) return {};
  return { actions: [{ kind: "record-exclusion", exclusion: known }] };
}

/** The database outlives a state file that was lost. */
export function recallExclusion(daemon: DaemonState): DaemonState {
  const { memory, local } = daemon;
  const recorded = local?.exclusion ?? null;
  if (recorded === null || !isWitness(daemon) || recorded.epoch <= (memory.exclusion?.epoch ?? 0))
    return daemon;
  const { epoch, node, holder, term } = recorded;
  return { ...daemon, memory: { ...memory, exclusion: { epoch, node, holder, term } } };
}
