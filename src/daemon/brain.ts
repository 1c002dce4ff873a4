import { decide } from "../decide/transitions.js";
import type { Action, DaemonState, Observation } from "../decide/watch-types.js";
import type { DaemonContext } from "./daemon-context.js";
import { reportBug } from "./start-loop.js";

/** One thread of decisions: observations come from everywhere, each is judged after the one before is done with. */
export interface Brain {
  state(): DaemonState;
  submit(observation: Observation): Promise<void>;
}

interface BrainParts {
  /**
   * Carries out one action that was decided at `now`; what takes its time goes on beside and is reported as an
   * observation. False: it failed.
   */
  readonly carryOut: (action: Action, now: number) => Promise<boolean>;
  readonly onTransition: (before: DaemonState, after: DaemonState) => void;
}

export function createBrain(
  { clock, settings, reporter }: Pick<DaemonContext, "clock" | "settings" | "reporter">,
  initial: DaemonState,
  { carryOut, onTransition }: BrainParts,
): Brain {
  let state = initial;
  let last: Promise<void> = Promise.resolve();
  const turn = async (observation: Observation): Promise<void> => {
    const before = state;
    const now = clock.monotonic();
    const next = decide(before, observation, { settings: settings(), now });
    const [first, ...others] = next.actions;
    // A vote that is not on disk was not given.
    if (first?.kind === "write-memory" && !(await carryOut(first, now))) return;
    state = next.state;
    if (next.state.watch !== before.watch) onTransition(before, next.state);
    const rest = first === undefined || first.kind === "write-memory" ? others : next.actions;
    for (const action of rest) if (!(await carryOut(action, now))) return;
  };
  return {
    state: () => state,
    submit: (observation) => {
      last = last.then(() => turn(observation)).catch((error: unknown) => reportBug(reporter, error));
      return last;
    },
  };
}
