import { askToPause, type PauseOutcome } from "../../coordination/pause.js";
import { findStateDirectory } from "../../coordination/state-directory.js";
import { emptyState, readState, stateFileOf, writeState } from "../../coordination/state-file.js";
import { DatabaseError } from "../../errors/database-error.js";
import { exitCodes, type ExitCode } from "../../errors/exit-codes.js";
import { findTruePrimary } from "../../metadata/find-primary.js";
import { leavePauseWish } from "../../metadata/pause-wishes.js";
import { describeNode, type NodeRecord } from "../../model/node-record.js";
import { parseConninfo } from "../../model/conninfo.js";
import { ConnectionError } from "../../postgres/connection-error.js";
import { readSystemIdentifier } from "../../postgres/server-state.js";
import { describeFailure } from "../../system/directories.js";
import { defineCommand, type Command, type CommandContext } from "../define-command.js";
import { readLocalRecords } from "./status/gather.js";

export const servicePause = definePause(true);
export const serviceUnpause = definePause(false);

function definePause(isPaused: boolean): Command {
  const verb = isPaused ? "pause" : "unpause";
  return defineCommand({
    name: `service ${verb}`,
    summary: isPaused
      ? "let no daemon of the cluster promote or follow until it is unpaused"
      : "let the daemons of the cluster act again",
    options: { "dry-run": "check that every node can be reached, and change nothing" },
    effect: "changes",
    configuration: "required",
    exitCodes: ["success", "badConfiguration", "databaseConnection", "repmgrdPause"],
    examples: [`service ${verb}`],
    run: async (context, options): Promise<ExitCode> => {
      const records = await readLocalRecords(context);
      const outcomes = await Promise.all(
        records.map((record) =>
          options["dry-run"] ? tryNode(context, record) : pauseNode(context, record, isPaused),
        ),
      );
      const failures = outcomes.filter(
        (outcome, index) =>
          !report(context, { outcome, record: records[index], verb, isDryRun: options["dry-run"] }),
      );
      if (failures.length === 0) return exitCodes.success;
      context.reporter.error(`unable to ${verb} ${failures.length} node(s)`, {
        hint: `execute "${context.environment.programName} service status" to see which daemons are paused`,
      });
      return exitCodes.repmgrdPause;
    },
  });
}

async function tryNode(
  { databases, interrupted }: CommandContext,
  { conninfo }: NodeRecord,
): Promise<PauseOutcome> {
  try {
    const database = await databases.connect(parseConninfo(conninfo), { signal: interrupted });
    void database.close();
    return { kind: "done" };
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    return { kind: "failed", reason: error.message };
  }
}

/** Where no daemon runs, the next one finds the wish: in its state file here, in the metadata elsewhere. */
async function pauseNode(
  context: CommandContext,
  record: NodeRecord,
  isPaused: boolean,
): Promise<PauseOutcome> {
  const outcome = await askToPause(record, isPaused, context);
  if (outcome.kind !== "no-daemon") return outcome;
  try {
    if (record.nodeId === context.settings.node_id) await writeOwnState(context, record, isPaused);
    else await leaveWish(context, record, isPaused);
    return { kind: "done" };
  } catch (error) {
    return { kind: "failed", reason: `no daemon runs there, and ${describeFailure(error)}` };
  }
}

async function writeOwnState(context: CommandContext, record: NodeRecord, isPaused: boolean): Promise<void> {
  const { databases, settings, environment, clock } = context;
  const directory = await findStateDirectory(settings, environment);
  if (directory.kind === "missing") throw new Error(directory.reason);
  const database = await databases.connect(parseConninfo(record.conninfo));
  const owner = { systemIdentifier: await readSystemIdentifier(database), nodeId: record.nodeId };
  await database.close();
  const path = stateFileOf(directory.path, owner);
  const reading = await readState(path, owner);
  if (reading.kind === "unusable") throw new Error(`its state file cannot be used: ${reading.reason}`);
  const state = reading.kind === "read" ? reading.state : emptyState;
  await writeState(path, owner, { ...state, isPaused, pauseChangedAt: clock.now() });
}

async function leaveWish(context: CommandContext, record: NodeRecord, isPaused: boolean): Promise<void> {
  const { databases, interrupted, clock } = context;
  const { primary } = await findTruePrimary(databases, await readLocalRecords(context), interrupted);
  if (primary === null) throw new Error("there is no primary to leave the wish on");
  try {
    await leavePauseWish(primary.database, record.nodeId, { isPaused, at: clock.now() });
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    throw new Error(`the wish cannot be left in the metadata: ${error.message}`, { cause: error });
  } finally {
    void primary.database.close();
  }
}

interface Reported {
  readonly outcome: PauseOutcome;
  readonly record: NodeRecord | undefined;
  readonly verb: string;
  readonly isDryRun: boolean;
}

function report({ reporter }: CommandContext, { outcome, record, verb, isDryRun }: Reported): boolean {
  if (record === undefined) return true;
  const node = describeNode(record);
  if (outcome.kind === "done") {
    if (isDryRun) reporter.info(`would ${verb} node ${node}`);
    else reporter.notice(`node ${record.nodeId} (${record.nodeName}) ${verb}d`);
    return true;
  }
  reporter.warning(`unable to ${verb} node ${node}`, {
    ...(outcome.kind === "failed" ? { detail: outcome.reason } : {}),
  });
  return false;
}
