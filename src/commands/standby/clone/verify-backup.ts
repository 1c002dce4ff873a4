import { CLONE_MARKER } from "../../../clone-sources/clone-marker.js";
import type { CloneStep } from "../../../decide/clone.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import type { CommandContext } from "../../define-command.js";

/** Holds the copy against its backup manifest. Throws UserError (14) when they differ. */
export async function verifyBackup(
  { processes, reporter, interrupted }: Pick<CommandContext, "processes" | "reporter" | "interrupted">,
  { program, path }: Extract<CloneStep, { readonly kind: "verify-backup" }>,
): Promise<void> {
  reporter.info("verifying the backup (using pg_verifybackup)...");
  const result = await processes.run(program, ["-i", CLONE_MARKER, path], {
    env: { LC_ALL: "C" },
    signal: interrupted,
  });
  if (result.exitCode === 0) {
    reporter.info("backup successfully verified");
    return;
  }
  const words = `${result.stdout}${result.stderr}`.trim();
  throw new UserError(exitCodes.badBaseBackup, {
    message: interrupted.aborted ? "standby clone was interrupted" : "verification of the backup failed",
    detail: words === "" ? `the unverified copy is left in "${path}"` : words,
    hint: "run the command again with -F/--force to clone again",
  });
}
