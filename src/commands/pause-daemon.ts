import { askToPause, type PauseOutcome } from "../coordination/pause.js";
import { leavePauseNote, pauseNoteFile, readPauseNote } from "../coordination/pause-note.js";
import { findStateDirectory } from "../coordination/state-directory.js";
import { UserError } from "../errors/user-error.js";
import type { NodeRecord } from "../model/node-record.js";
import { describeFailure } from "../system/directories.js";
import type { CommandContext } from "./define-command.js";
import { quoteRemoteOutput, reachProgram } from "./remote-program.js";

/** A node whose daemon is to be paused. */
export type PauseTarget = Pick<NodeRecord, "nodeId" | "nodeName" | "conninfo" | "configFile">;

const TAKEN_WITHIN_MS = 2500;
const SHOWN_AGAIN_WITHIN_MS = 5000;
const POLL_EVERY_MS = 100;
const REMOTE_TIMEOUT_MS = 15_000;

/**
 * Pauses or unpauses the daemon of one node: by its server; where that does not answer, by a note on this host, and by our
 * program over SSH on another one. Here a note waits for a daemon, too; elsewhere `no-daemon` is the caller's business.
 */
export async function pauseDaemon(
  context: CommandContext,
  record: PauseTarget,
  isPaused: boolean,
): Promise<PauseOutcome> {
  const outcome = await askToPause(record, isPaused, context);
  const isHere = record.nodeId === context.settings.node_id;
  if (outcome.kind === "no-daemon" && isHere) return leaveNote(context, { isPaused, waitMs: 0 });
  if (outcome.kind !== "unreachable") return outcome;
  if (isHere) return leaveNote(context, { isPaused, waitMs: TAKEN_WITHIN_MS });
  return askOverSsh(context, record, { isPaused, reason: outcome.reason });
}

/**
 * Unpauses a daemon that is known to run: one whose server was just restarted shows itself there again after a while, and
 * would stay paused for ever if that were taken for no daemon.
 */
export async function unpauseRunningDaemon(
  context: CommandContext,
  record: PauseTarget,
): Promise<PauseOutcome> {
  const { clock, interrupted } = context;
  const deadline = clock.monotonic() + SHOWN_AGAIN_WITHIN_MS;
  for (;;) {
    const outcome = await pauseDaemon(context, record, false);
    if (outcome.kind !== "no-daemon") return outcome;
    if (clock.monotonic() >= deadline)
      return askOverSsh(context, record, { isPaused: false, reason: "its daemon does not show itself" });
    await clock.sleep(POLL_EVERY_MS, interrupted);
  }
}

/** Who is to be told how to do it there. */
export const spellPauseThere = (
  { environment }: Pick<CommandContext, "environment">,
  { configFile }: Pick<NodeRecord, "configFile">,
  isPaused: boolean,
): string =>
  `${environment.programName} -f ${configFile} service ${isPaused ? "pause" : "unpause"} --this-node`;

/** Whether it could be done there at all. */
export async function findWayToPause(context: CommandContext, record: PauseTarget): Promise<PauseOutcome> {
  try {
    await reachProgram(context, record);
    return { kind: "done" };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { kind: "failed", reason: describeError(error) };
  }
}

/** A daemon that runs takes it within a second, one that does not when it starts. */
async function leaveNote(
  { settings, environment, clock, interrupted }: CommandContext,
  { isPaused, waitMs }: { readonly isPaused: boolean; readonly waitMs: number },
): Promise<PauseOutcome> {
  const directory = await findStateDirectory(settings, environment);
  if (directory.kind === "missing") return { kind: "failed", reason: directory.reason };
  const path = pauseNoteFile(directory.path, settings.data_directory);
  try {
    await leavePauseNote(path, { isPaused, at: clock.now() });
  } catch (error) {
    return { kind: "failed", reason: describeFailure(error) };
  }
  const deadline = clock.monotonic() + waitMs;
  while ((await readPauseNote(path)) !== null && clock.monotonic() < deadline)
    await clock.sleep(POLL_EVERY_MS, interrupted);
  return { kind: "done" };
}

async function askOverSsh(
  context: CommandContext,
  record: PauseTarget,
  { isPaused, reason }: { readonly isPaused: boolean; readonly reason: string },
): Promise<PauseOutcome> {
  const words = ["service", isPaused ? "pause" : "unpause", "--this-node"];
  try {
    const there = await reachProgram(context, record);
    const result = await there.run(words, { timeoutMs: REMOTE_TIMEOUT_MS });
    if (result.exitCode === 0) return { kind: "done" };
    return { kind: "failed", reason: `${reason}\nover SSH: ${quoteRemoteOutput(result)}` };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { kind: "failed", reason: `${reason}\nover SSH: ${describeError(error)}` };
  }
}

const describeError = ({ message, detail }: UserError): string =>
  detail === undefined ? message : `${message}: ${detail}`;
