import { type BaseBackupOutcome, runBaseBackup } from "../../../clone-sources/base-backup.js";
import {
  CLONE_MARKER,
  identifyDirectories,
  markProcess,
  removeCloneMarker,
  writeCloneMarker,
} from "../../../clone-sources/clone-marker.js";
import { renderCommandLine } from "../../../decide/base-backup-command.js";
import type { CloneStep } from "../../../decide/clone.js";
import type { CloneRequest } from "../../../decide/clone-facts.js";
import { formatSize } from "../../../decide/clone-target.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { createProgress, type Progress } from "../../../output/progress.js";
import { childEnvironment } from "../../../postgres/child-environment.js";
import { inspectPath, makeDirectory, readFreeBytes, systemCode } from "../../../system/directories.js";
import { currentProcessId } from "../../../system/process-table.js";
import type { CommandContext } from "../../define-command.js";
import { flushEarly } from "./flush-early.js";

type BackupStep = Extract<CloneStep, { readonly kind: "base-backup" }>;

/** Runs pg_basebackup into the prepared directory. Throws UserError that says what is left there. */
export async function takeBackup(
  context: CommandContext,
  request: CloneRequest,
  step: BackupStep,
): Promise<void> {
  const { reporter, clock, interrupted } = context;
  const { dataDirectory } = request;
  const patience = "this may take some time; consider using the -c/--fast-checkpoint option";
  reporter.notice(
    "starting backup (using pg_basebackup)...",
    request.fastCheckpoint ? {} : { hint: patience },
  );
  reporter.info(`executing:\n  ${renderCommandLine(step.command)}`);
  // Made here, so that the marker can say which directories they are.
  for (const path of step.externalDirectories) await makeIfAbsent(path);
  const progress = createProgress("copying", { reporter, now: () => clock.monotonic() });
  const ended = new AbortController();
  void tellWaiting(context, progress, ended.signal);
  const flushing = request.baseBackupOptions.noSync
    ? null
    : flushEarly(clock, [dataDirectory, ...step.externalDirectories], ended.signal);
  let marking: Promise<void> | null = null;
  flushing?.catch(() => undefined);
  const copied = await runBaseBackup(context.processes, {
    ...step.command,
    env: childEnvironment(request.source).env,
    signal: interrupted,
    onProgress: (doneKb, totalKb) => {
      // Not earlier: pg_basebackup wants an empty directory, and has looked at it when it first reports.
      marking ??= markDirectory(dataDirectory, step);
      marking.catch(() => undefined);
      progress.update(doneKb, totalKb);
    },
  }).finally(() => {
    ended.abort();
    progress.stop();
  });
  await settle(marking);
  const outcome = judgeStored(copied, await flushing);
  if (outcome.kind === "complete") return;
  const remains = await describeRemains(dataDirectory, step);
  if (interrupted.aborted) {
    throw new UserError(exitCodes.badBaseBackup, { message: "standby clone was interrupted", ...remains });
  }
  const again = "mend the cause that pg_basebackup names and run the same command again";
  throw new UserError(exitCodes.badBaseBackup, {
    message: "unable to take a base backup of the source server",
    detail: `${outcome.reason}\n${remains.detail}`,
    hint: outcome.diskFull ? await describeShortage(dataDirectory, step) : (remains.hint ?? again),
  });
}

/** pg_basebackup's own word, unless a part of its copy has not reached the disk. */
function judgeStored(copied: BaseBackupOutcome, unstored: Error | null): BaseBackupOutcome {
  if (copied.kind === "failed" || unstored === null) return copied;
  const diskFull = ["ENOSPC", "EDQUOT"].includes(systemCode(unstored) ?? "");
  return { kind: "failed", reason: `the copy could not be written to disk: ${unstored.message}`, diskFull };
}

/** Where that is refused, pg_basebackup says so. */
async function makeIfAbsent(path: string): Promise<void> {
  if ((await inspectPath(path)).kind !== "absent") return;
  await makeDirectory(path, 0o700).catch((error: unknown) => {
    if (systemCode(error) === null) throw error;
  });
}

const WAIT_POLL_MS = 1000;

/** Until `ended` aborts. */
async function tellWaiting({ clock }: CommandContext, progress: Progress, ended: AbortSignal): Promise<void> {
  const sleep = (): Promise<boolean> =>
    clock.sleep(WAIT_POLL_MS, ended).then(
      () => true,
      () => false,
    );
  while (await sleep()) progress.wait();
}

async function markDirectory(dataDirectory: string, step: BackupStep): Promise<void> {
  await writeCloneMarker(dataDirectory, {
    program: await markProcess(currentProcessId()),
    createdSlot: step.createdSlot,
    externalDirectories: await identifyDirectories(step.externalDirectories),
  });
}

/** Without a marker the clone is as good; only a later run after a crash would know less. */
async function settle(marking: Promise<void> | null): Promise<void> {
  await marking?.catch(() => undefined);
}

/** pg_basebackup cleans up after an error of its own, but not when a signal ends it; so look. */
async function describeRemains(
  dataDirectory: string,
  { externalDirectories }: BackupStep,
): Promise<{ readonly detail: string; readonly hint?: string }> {
  const facts = await inspectPath(dataDirectory);
  const entries = facts.kind === "directory" ? facts.entries : [];
  if (entries.length === 1 && entries[0] === CLONE_MARKER) await removeCloneMarker(dataDirectory);
  const remains = entries.some((entry) => entry !== CLONE_MARKER) ? [dataDirectory] : [];
  for (const path of externalDirectories) {
    const external = await inspectPath(path);
    if (external.kind === "directory" && external.entries.length > 0) remains.push(path);
  }
  if (remains.length === 0) return { detail: `nothing is left in data directory "${dataDirectory}"` };
  return {
    detail: `an unfinished copy is left in ${remains.map((path) => `"${path}"`).join(", ")}`,
    hint: "run the command again with -F/--force to delete it and to clone again",
  };
}

async function describeShortage(dataDirectory: string, { installationBytes }: BackupStep): Promise<string> {
  const free = await readFreeBytes(dataDirectory);
  const sizes = [
    free === null ? null : `${formatSize(free)} are free now`,
    installationBytes === null ? null : `the databases of the source take ${formatSize(installationBytes)}`,
  ].filter((part) => part !== null);
  return `make room on the file system of "${dataDirectory}" and clone again (${sizes.join(", ")}; WAL comes on top)`;
}
