import { removeCloneMarker } from "../../../clone-sources/clone-marker.js";
import type { CloneStep, OwnSlot } from "../../../decide/clone.js";
import type { CloneRequest } from "../../../decide/clone-facts.js";
import { DatabaseError } from "../../../errors/database-error.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import type { Conninfo } from "../../../model/conninfo.js";
import { describeNode } from "../../../model/node-record.js";
import { ConnectionError } from "../../../postgres/connection-error.js";
import { secureDataDirectory } from "../../../postgres/data-directory.js";
import { keepDbname, writeRecoverySettings } from "../../../postgres/recovery-settings.js";
import { removeRewindMarker } from "../../../postgres/rewind-marker.js";
import { readServerIdentity } from "../../../postgres/server-facts.js";
import { describeFailure, removeEmptyDirectory, systemCode } from "../../../system/directories.js";
import type { CommandContext } from "../../define-command.js";
import { createOwnSlot, dropOwnSlot } from "../../own-slot.js";
import { copyConfigurationFiles } from "./copy-configuration-files.js";
import { prepareDirectory } from "./prepare-directory.js";
import { takeBackup } from "./take-backup.js";
import { verifyBackup } from "./verify-backup.js";

export interface CloneRun {
  readonly request: CloneRequest;
  /** As its server numbers itself. */
  readonly sourceVersion: number;
}

/**
 * Carries the steps out in order. What a step made and a failed clone has no use for (slots, an empty directory) is on
 * the cleanup stack until the last step is done, so that an error and Ctrl-C remove it as well.
 */
export async function executeClone(
  context: CommandContext,
  run: CloneRun,
  steps: readonly CloneStep[],
): Promise<void> {
  const undoings: (() => void)[] = [];
  const undoUnlessDone = (release: () => Promise<void>): void => {
    undoings.push(context.cleanup.push(release));
  };
  for (const step of steps) {
    if (context.interrupted.aborted) throw interrupted(run.request, steps, step);
    await executeStep({ context, run, undoUnlessDone }, step);
  }
  for (const withdraw of undoings) withdraw();
}

function interrupted(
  { dataDirectory }: CloneRequest,
  steps: readonly CloneStep[],
  next: CloneStep,
): UserError {
  const hasCopy = steps.findIndex(({ kind }) => kind === "base-backup") < steps.indexOf(next);
  const detail = hasCopy
    ? `a copy that is not a standby yet is left in "${dataDirectory}"`
    : `nothing was copied to "${dataDirectory}"`;
  const hint = "run the command again with -F/--force to delete it and to clone again";
  const problem = { message: "standby clone was interrupted", detail, ...(hasCopy ? { hint } : {}) };
  return new UserError(exitCodes.badBaseBackup, problem);
}

interface StepSurroundings {
  readonly context: CommandContext;
  readonly run: CloneRun;
  /** Withdrawn when the whole clone has succeeded. */
  readonly undoUnlessDone: (release: () => Promise<void>) => void;
}

async function executeStep(surroundings: StepSurroundings, step: CloneStep): Promise<void> {
  const { context, run, undoUnlessDone } = surroundings;
  switch (step.kind) {
    case "prepare-directory":
      await prepareDirectory(context, step);
      if (step.action === "create") undoUnlessDone(() => removeEmptyDirectory(step.path));
      return;
    case "create-slot":
      return createSlotOnSource(surroundings, step);
    case "base-backup":
      return takeBackup(context, run.request, step);
    case "move-slot":
      return moveSlot(surroundings, step);
    case "verify-backup":
      return verifyBackup(context, step);
    case "copy-configuration-files":
      return copyConfigurationFiles(context, step);
    case "write-configuration":
      return writeConfiguration(run, step);
  }
}

async function createSlotOnSource(
  { context, run, undoUnlessDone }: StepSurroundings,
  { slot, wasMadeByUs }: Extract<CloneStep, { readonly kind: "create-slot" }>,
): Promise<void> {
  const { source } = run.request;
  const isNew = await createSlotOrFail(context, source, { slot, place: "the source node" });
  if (isNew || wasMadeByUs) undoUnlessDone(() => dropOwnSlot(context, source, slot));
}

/** A slot that cannot be made ends the clone with the reference's code 7. */
async function createSlotOrFail(
  context: CommandContext,
  server: Conninfo,
  { slot, place }: { readonly slot: OwnSlot; readonly place: string },
): Promise<boolean> {
  try {
    return await createOwnSlot(context, server, slot);
  } catch (error) {
    if (!(error instanceof DatabaseError || error instanceof ConnectionError)) throw error;
    const message = `unable to create replication slot "${slot.name}" on ${place}`;
    throw new UserError(exitCodes.databaseQuery, { message, detail: error.message }, error);
  }
}

/** The standby streams from its upstream, so the slot belongs there; the one on the source only served the copy. */
async function moveSlot(
  { context, run, undoUnlessDone }: StepSurroundings,
  { slot, upstream, conninfo }: Extract<CloneStep, { readonly kind: "move-slot" }>,
): Promise<void> {
  const { reporter } = context;
  const { source } = run.request;
  const isSame = await isSameServer(context, source, conninfo);
  if (isSame === true) return;
  if (isSame === null) {
    reporter.warning(`unable to connect to upstream node ${describeNode(upstream)}`, {
      detail: `replication slot "${slot.name}" is on the source node`,
      hint: `create it on the upstream node before starting this standby: SELECT pg_create_physical_replication_slot('${slot.name}', true)`,
    });
    return;
  }
  reporter.notice(`creating replication slot "${slot.name}" on upstream node ${upstream.nodeId}`);
  const isNew = await createSlotOrFail(context, conninfo, {
    slot,
    place: `upstream node ${describeNode(upstream)}`,
  });
  if (isNew) {
    undoUnlessDone(() => dropOwnSlot(context, conninfo, slot));
  }
  await dropOwnSlot(context, source, slot);
}

/** Null when the second one cannot be asked. */
async function isSameServer(
  { databases }: CommandContext,
  source: Conninfo,
  upstream: Conninfo,
): Promise<boolean | null> {
  const readIdentity = async (server: Conninfo): Promise<string> => {
    const database = await databases.connect(server);
    try {
      return await readServerIdentity(database);
    } finally {
      await database.close();
    }
  };
  try {
    const [atUpstream, atSource] = [await readIdentity(upstream), await readIdentity(source)];
    return atUpstream === atSource;
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    return null;
  }
}

async function writeConfiguration(
  { sourceVersion }: CloneRun,
  { path, parameters }: Extract<CloneStep, { readonly kind: "write-configuration" }>,
): Promise<void> {
  try {
    await writeRecoverySettings(path, await keepDbname(path, sourceVersion, parameters));
    await secureDataDirectory(path);
    // An earlier rewind that did not finish was one of what lay here before.
    await removeRewindMarker(path);
    await removeCloneMarker(path);
  } catch (error) {
    if (systemCode(error) === null) throw error;
    const message = `unable to write the replication configuration into "${path}"`;
    throw new UserError(exitCodes.badConfiguration, { message, detail: describeFailure(error) }, error);
  }
}
