import { removeRunMark, runMarkOf, wasCutOff, writeRunMark } from "../coordination/run-mark.js";
import { findStateDirectory, locateStateDirectory } from "../coordination/state-directory.js";
import type { CommandContext } from "./define-command.js";

type Marking = Pick<CommandContext, "settings" | "environment" | "clock" | "reporter">;

/** Tells a command whether it goes on with a run that was killed, and leaves a mark while it changes something. */
export interface MarkedRun {
  /** An earlier run of the same command on this node was killed and not repeated since. */
  readonly goesOn: boolean;
  /** Does the work of the command; the mark stays only when this process is killed meanwhile. */
  during<T>(work: () => Promise<T>): Promise<T>;
}

/**
 * Where nothing can be remembered the command works as ever, and refuses as the reference does what a killed run has
 * finished already.
 */
export async function markRun(context: Marking, command: string): Promise<MarkedRun> {
  const { settings, environment, clock, reporter } = context;
  const directory = await locateStateDirectory(settings, environment);
  if (directory.kind === "missing") return { goesOn: false, during: (work) => work() };
  const path = runMarkOf(directory.path, command, settings.data_directory);
  const goesOn = await wasCutOff(path, clock.now());
  if (goesOn) reporter.info(`going on with a run of "${command}" that was cut off`);
  return {
    goesOn,
    during: async (work) => {
      const made = await findStateDirectory(settings, environment);
      const isMarked =
        made.kind === "found" &&
        (await writeRunMark(path, clock.now()).then(
          () => true,
          () => false,
        ));
      try {
        return await work();
      } finally {
        if (isMarked) await removeRunMark(path).catch(() => undefined);
      }
    },
  };
}
