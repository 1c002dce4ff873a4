import { exitCodes, type ExitCode } from "../errors/exit-codes.js";
import type { Problem } from "../model/problem.js";
import type { Reporter } from "../output/reporter.js";

/** Shows every reason for a refusal; the command ends with the returned code. */
export function reportProblems(
  reporter: Reporter,
  problems: readonly Problem[],
  exitCode: ExitCode = exitCodes.badConfiguration,
): ExitCode {
  for (const { message, ...continuation } of problems) reporter.error(message, continuation);
  return exitCode;
}

export function reportWarnings(reporter: Reporter, warnings: readonly Problem[]): void {
  for (const { message, ...continuation } of warnings) reporter.warning(message, continuation);
}
