import { askMembers } from "./campaign.js";
import type { FoundPrimary } from "./election.js";
import type { StandbySeen } from "./standby-watch.js";
import type { Grid, Situation, Step, WitnessState, Action } from "./watch-types.js";

/** A witness sees what a standby sees; it never ranks and is never promoted, but it votes in each of its states. */
export type WitnessSeen = Exclude<StandbySeen, { kind: "out-of-recovery" | "moved" }>;

type Of<Kind extends WitnessState["kind"]> = Extract<WitnessState, { kind: Kind }>;

const stay = (): Step => ({});
const become = (state: WitnessState, actions: readonly Action[] = []): Step => ({
  watch: { role: "witness", state },
  actions,
});

function seek(state: WitnessState, situation: Situation): Step {
  const retryAt = situation.now + situation.settings.monitor_interval_secs;
  return become({ kind: "seeking", upstream: state.upstream, retryAt }, [askMembers(situation)]);
}

/** For a witness to follow is to copy the metadata of that primary from now on. */
function attach(state: WitnessState, { nodeId }: FoundPrimary, { daemon }: Situation): Step {
  if (daemon.memory.isPaused) return stay();
  return become({ kind: "attaching", upstream: state.upstream, primary: nodeId }, [
    { kind: "run-follow", primary: nodeId },
  ]);
}

const attachToAnother = (
  state: Of<"watching" | "reconnecting">,
  found: FoundPrimary,
  situation: Situation,
): Step => (found.nodeId === state.upstream ? stay() : attach(state, found, situation));

function seeUpstream(
  state: Of<"watching" | "reconnecting">,
  { inRecovery }: { inRecovery: boolean | null },
  situation: Situation,
): Step {
  if (inRecovery === true) return seek(state, situation);
  return state.kind === "watching" ? stay() : become({ kind: "watching", upstream: state.upstream });
}

/** A witness and what it does: each state against each observation. */
export const witnessWatch: Grid<WitnessState, WitnessSeen> = {
  watching: {
    "upstream-seen": seeUpstream,
    "upstream-lost": ({ upstream }, _seen, situation) =>
      situation.settings.reconnect_attempts === 0
        ? seek({ kind: "watching", upstream }, situation)
        : become({ kind: "reconnecting", upstream, attempt: 1 }),
    "primary-found": attachToAnother,
    "primary-alive": stay,
    "no-primary": stay,
    "member-seen": stay,
    "command-ended": stay,
    tick: stay,
  },
  reconnecting: {
    "upstream-seen": seeUpstream,
    "upstream-lost": (state, _seen, situation) =>
      state.attempt < situation.settings.reconnect_attempts
        ? become({ ...state, attempt: state.attempt + 1 })
        : seek(state, situation),
    "primary-found": attachToAnother,
    "primary-alive": stay,
    "no-primary": stay,
    "member-seen": stay,
    "command-ended": stay,
    tick: stay,
  },
  seeking: {
    "upstream-seen": (state, { inRecovery }) =>
      inRecovery === false && state.upstream !== null
        ? become({ kind: "watching", upstream: state.upstream })
        : stay(),
    "upstream-lost": stay,
    "primary-found": attach,
    "primary-alive": stay,
    "no-primary": stay,
    "member-seen": stay,
    "command-ended": stay,
    tick: (state, _seen, situation) => (situation.now >= state.retryAt ? seek(state, situation) : stay()),
  },
  attaching: {
    "upstream-seen": stay,
    "upstream-lost": stay,
    "primary-found": stay,
    "primary-alive": stay,
    "no-primary": stay,
    "member-seen": stay,
    "command-ended": (state, { command, succeeded }, situation) => {
      if (command !== "follow") return stay();
      return succeeded ? become({ kind: "watching", upstream: state.primary }) : seek(state, situation);
    },
    tick: stay,
  },
};
