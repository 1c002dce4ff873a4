import { exitCodes } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";
import type { Problem } from "../model/problem.js";

/** The host answers, and has no program of that name where it was looked for. */
export class MissingProgramError extends UserError {
  constructor(problem: Problem) {
    super(exitCodes.badConfiguration, problem);
    this.name = "MissingProgramError";
  }
}
