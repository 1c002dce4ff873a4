import type { CloneStep } from "../../../decide/clone.js";
import type { ConfigurationFileCopy } from "../../../decide/configuration-files.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { describeFailure, systemCode } from "../../../system/directories.js";
import {
  discardStagedFile,
  placeStagedFile,
  stageFile,
  type StagedFile,
} from "../../../system/staged-files.js";
import type { CommandContext } from "../../define-command.js";

type CopyStep = Extract<CloneStep, { readonly kind: "copy-configuration-files" }>;
type CopyContext = Pick<CommandContext, "processes" | "reporter">;

/**
 * Writes all files beside their places before the first one is put in place, so that a full disk changes nothing.
 * Throws UserError (2); with `--force` the clone goes on without the files, as in the reference.
 */
export async function copyConfigurationFiles(context: CopyContext, step: CopyStep): Promise<void> {
  const { reporter } = context;
  reporter.info(`copying ${step.copies.length} configuration files from host "${step.host}"`);
  const staged: StagedFile[] = [];
  const placed: string[] = [];
  try {
    for (const { source, destination } of step.copies) {
      staged.push(await stageFile(destination.path, source.content));
    }
    for (const [index, file] of staged.entries()) {
      const copy = step.copies[index];
      if (copy === undefined) continue;
      await giveToOwner(context, copy, file);
      await placeStagedFile(file, copy.source.mode);
      placed.push(file.path);
    }
  } catch (error) {
    if (systemCode(error) === null) throw error;
    const failure = describeIncomplete(error, { step, placed });
    if (!step.isOptional) throw new UserError(exitCodes.badRsync, failure, error);
    reporter.warning(failure.message, { detail: failure.detail });
  } finally {
    await Promise.all(staged.map(discardStagedFile));
  }
}

/** An ordinary user may only give a file to a group of its own; the owner is then this user, as with rsync. */
async function giveToOwner(
  { processes, reporter }: CopyContext,
  { source: { owner, group } }: ConfigurationFileCopy,
  { path, temporaryPath }: StagedFile,
): Promise<void> {
  const run = async (program: string, name: string): Promise<boolean> =>
    (await processes.run(program, ["--", name, temporaryPath])).exitCode === 0;
  if (await run("chown", `${owner}:${group}`)) return;
  await run("chgrp", group);
  reporter.warning(`"${path}" does not belong to "${owner}:${group}" as on the source node`, {
    detail: "this user may not give files away, or there is no such user or group here",
  });
}

function describeIncomplete(
  error: unknown,
  { step, placed }: { readonly step: CopyStep; readonly placed: readonly string[] },
) {
  const done = placed.length === 0 ? "none was copied" : `copied: ${placed.join(", ")}`;
  return {
    message: "unable to copy the configuration files",
    detail: `${describeFailure(error)}; ${done}; a copy that is not a standby yet is left in "${step.path}"`,
    hint: "run the command again with -F/--force to clone again",
  };
}
