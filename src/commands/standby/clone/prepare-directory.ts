import type { CloneStep } from "../../../decide/clone.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import type { Uses } from "../../../context.js";
import { readDataDirectoryState, secureDataDirectory } from "../../../postgres/data-directory.js";
import {
  describeFailure,
  emptyDirectory,
  inspectPath,
  makeDirectory,
  systemCode,
} from "../../../system/directories.js";
import { endProcess, findProcess } from "../../../system/process-table.js";

type PrepareStep = Extract<CloneStep, { readonly kind: "prepare-directory" }>;

const ORPHAN_TIMEOUT_MS = 10_000;
const ORPHAN_POLL_MS = 50;

/** Leaves an empty directory that pg_basebackup accepts. Looks again first: time has passed since the plan. */
export async function prepareDirectory(
  context: Uses<"reporter" | "clock">,
  step: PrepareStep,
): Promise<void> {
  const { reporter } = context;
  const { path, action } = step;
  for (const pid of step.orphanPids) await endOrphan(context, pid);
  await refuseChangedDirectory(step);
  try {
    if (action === "create") {
      reporter.info(`creating directory "${path}"...`);
      await makeDirectory(path, 0o700);
      return;
    }
    if (action === "delete-contents") {
      reporter.notice(
        step.isDataDirectory
          ? `-F/--force provided - deleting existing data directory "${path}"`
          : `deleting existing directory "${path}"`,
      );
      await emptyDirectory(path);
      for (const leftover of step.leftovers) await emptyLeftover(leftover);
    }
    reporter.info(`checking and correcting permissions on existing directory "${path}"`);
    await secureDataDirectory(path);
  } catch (error) {
    if (systemCode(error) === null) throw error;
    const problem = { message: `unable to prepare data directory "${path}"`, detail: describeFailure(error) };
    throw new UserError(exitCodes.badConfiguration, problem, error);
  }
}

async function refuseChangedDirectory({ path, action }: PrepareStep): Promise<void> {
  const state = await readDataDirectoryState(path);
  if (state.kind !== "directory") return;
  const isTaken = state.serverPid !== null || (action !== "delete-contents" && state.entries.length > 0);
  if (!isTaken) return;
  const message = `data directory "${path}" has been taken into use in the meantime`;
  throw new UserError(exitCodes.badConfiguration, {
    message,
    hint: "nothing was changed; look what uses it",
  });
}

async function emptyLeftover(path: string): Promise<void> {
  if ((await inspectPath(path)).kind === "directory") await emptyDirectory(path);
}

/** The pg_basebackup of a killed clone may live on for a moment; two of them in one directory would mix their files. */
async function endOrphan({ reporter, clock }: Uses<"reporter" | "clock">, pid: number): Promise<void> {
  reporter.notice(`ending the pg_basebackup of the unfinished clone (process ID: ${pid})`);
  endProcess(pid);
  const deadline = clock.monotonic() + ORPHAN_TIMEOUT_MS;
  while ((await findProcess(pid)) !== null) {
    if (clock.monotonic() > deadline) {
      const message = `process ${pid} still writes to the data directory`;
      throw new UserError(exitCodes.badConfiguration, { message, hint: `end it with: kill -KILL ${pid}` });
    }
    await clock.sleep(ORPHAN_POLL_MS);
  }
}
