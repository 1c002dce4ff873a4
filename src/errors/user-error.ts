import type { Problem } from "../model/problem.js";
import type { ExitCode } from "./exit-codes.js";

/** What a user can cause and mend. Shown as one ERROR with its DETAIL and HINT; anything else that is thrown is a bug. */
export class UserError extends Error implements Problem {
  readonly exitCode: ExitCode;
  readonly detail?: string;
  readonly hint?: string;

  constructor(exitCode: ExitCode, problem: Problem, cause?: unknown) {
    super(problem.message, cause === undefined ? undefined : { cause });
    this.name = "UserError";
    this.exitCode = exitCode;
    if (problem.detail !== undefined) this.detail = problem.detail;
    if (problem.hint !== undefined) this.hint = problem.hint;
  }
}
