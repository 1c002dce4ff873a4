import type { ExitCode } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";
import type { CommandContext } from "./define-command.js";

interface Interruptible<Step> {
  readonly command: string;
  readonly exitCode: ExitCode;
  readonly steps: readonly Step[];
  /** What the step does, in the infinitive. */
  readonly describe: (step: Step) => string;
}

/**
 * Carries out steps one after the other until Ctrl-C or SIGTERM, which ends with one message: what was done, what is
 * left, and that the same command finishes it. Throws UserError, or whatever a step throws by itself.
 */
export async function runInterruptibly<Step>(
  { interrupted }: Pick<CommandContext, "interrupted">,
  work: Interruptible<Step>,
  carryOut: (step: Step) => Promise<void>,
): Promise<void> {
  let done = 0;
  try {
    for (const step of work.steps) {
      interrupted.throwIfAborted();
      await carryOut(step);
      done += 1;
    }
  } catch (error) {
    if (!interrupted.aborted || error instanceof UserError) throw error;
    throw new UserError(work.exitCode, describeInterruption(work, done), error);
  }
}

function describeInterruption<Step>(
  { command, steps, describe }: Interruptible<Step>,
  done: number,
): { readonly message: string; readonly detail: string; readonly hint: string } {
  const list = (part: readonly Step[]): string =>
    part.length === 0 ? " nothing" : part.map((step) => `\n  - ${describe(step)}`).join("");
  return {
    message: `${command} was interrupted`,
    detail: `done:${list(steps.slice(0, done))}\nleft:${list(steps.slice(done))}`,
    hint: "run the same command again to finish it",
  };
}
