import { exitCodes } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";
import type { Problem } from "../model/problem.js";

/** What went wrong, as far as a caller may want to act on it. */
export type SshErrorKind =
  "configuration" | "unreachable" | "timeout" | "host-key" | "authentication" | "no-shell" | "lost";

/** A host that could not be reached over SSH, or a connection that broke. Its exit code is `badSsh`. */
export class SshError extends UserError {
  readonly kind: SshErrorKind;

  constructor(kind: SshErrorKind, problem: Problem, cause?: unknown) {
    super(exitCodes.badSsh, problem, cause);
    this.name = "SshError";
    this.kind = kind;
  }
}
