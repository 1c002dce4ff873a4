import { exitCodes, type ExitCode } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";
import { renderJsonLine } from "../output/json.js";
import { createCleanupStack } from "../system/cleanup-stack.js";
import { formatLocalTimestamp } from "../system/local-time.js";
import type { CommandContext } from "./define-command.js";
import { continuationOf, describeFailedCommand } from "./describe-failed-command.js";

interface Heading {
  /** The command's name. */
  readonly name: string;
  readonly intervalMs: number;
}

export interface Watch<Facts> extends Heading {
  /** Looks again. Throws UserError. */
  readonly gather: (context: CommandContext) => Promise<Facts>;
  /** Shows what was seen; with JSON as one line. */
  readonly show: (facts: Facts, time: number) => void;
}

const CLEAR_SCREEN = "\x1b[H\x1b[2J";

/**
 * Shows something again and again until Ctrl-C or SIGTERM, which is the end that the user wants: exit code 0. On a
 * terminal each picture replaces the last; elsewhere they follow each other, each below its time. A look that fails is
 * reported and tried again, unless it is the first.
 */
export async function watch<Facts>(context: CommandContext, watched: Watch<Facts>): Promise<ExitCode> {
  const { interrupted, clock } = context;
  try {
    for (let isFirst = true; !interrupted.aborted; isFirst = false) {
      const failure = await showOnce(context, watched);
      if (failure !== null && isFirst) return failure.exitCode;
      await clock.sleep(watched.intervalMs, interrupted);
    }
  } catch (error) {
    if (!interrupted.aborted) throw error;
  }
  return exitCodes.success;
}

/** What a look opens is closed before the next one. Resolves to the error that was shown instead. */
async function showOnce<Facts>(context: CommandContext, watched: Watch<Facts>): Promise<UserError | null> {
  const cleanup = createCleanupStack();
  try {
    const facts = await watched.gather({ ...context, cleanup });
    const now = context.clock.now();
    showHeading(context, watched, now);
    watched.show(facts, now);
    if (context.format !== "json") context.reporter.data("\n");
    return null;
  } catch (error) {
    if (context.interrupted.aborted || !(error instanceof UserError)) throw error;
    showFailure(context, watched, error);
    return error;
  } finally {
    await cleanup.unwind();
  }
}

function showHeading(
  { reporter, format, display }: CommandContext,
  { name, intervalMs }: Heading,
  now: number,
): void {
  if (format === "json") return;
  const time = formatLocalTimestamp(now, "without-zone");
  reporter.data(
    display.isTerminal
      ? `${CLEAR_SCREEN}${name}, every ${intervalMs / 1000} s, Ctrl-C ends it; ${time}\n\n`
      : `${time}\n`,
  );
}

function showFailure(context: CommandContext, watched: Heading, error: UserError): void {
  const { reporter, format, clock } = context;
  const now = clock.now();
  showHeading(context, watched, now);
  reporter.error(error.message, continuationOf(error));
  if (format === "json") {
    const time = new Date(now).toISOString();
    reporter.data(renderJsonLine({ ...describeFailedCommand(watched.name, error), time }));
  }
}
