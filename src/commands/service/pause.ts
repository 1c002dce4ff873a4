import type { PauseOutcome } from "../../coordination/pause.js";
import { DatabaseError } from "../../errors/database-error.js";
import { exitCodes, type ExitCode } from "../../errors/exit-codes.js";
import { UserError } from "../../errors/user-error.js";
import { findTruePrimary } from "../../metadata/find-primary.js";
import { leavePauseWish } from "../../metadata/pause-wishes.js";
import { describeNode, nodeId } from "../../model/node-record.js";
import { parseConninfo } from "../../model/conninfo.js";
import { ConnectionError } from "../../postgres/connection-error.js";
import { describeFailure } from "../../system/directories.js";
import { defineCommand, type Command, type CommandContext } from "../define-command.js";
import { findWayToPause, pauseDaemon, spellPauseThere, type PauseTarget } from "../pause-daemon.js";
import { problemOf } from "../remote-program.js";
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
    options: {
      "dry-run": "check that every node can be reached, and change nothing",
      "this-node": "only the daemon of this node, also while its server is down",
      "remote-user": "user to log in with on the hosts of nodes whose server is down",
    },
    effect: "changes",
    configuration: "required",
    exitCodes: ["success", "badConfiguration", "databaseConnection", "repmgrdPause"],
    examples: [`service ${verb}`, `service ${verb} --this-node`],
    run: async (context, options): Promise<ExitCode> => {
      const records: readonly PauseTarget[] = options["this-node"]
        ? [describeOwn(context)]
        : await readRecords(context, isPaused);
      const outcomes = await Promise.all(
        records.map((record) =>
          options["dry-run"] ? tryNode(context, record) : pauseNode(context, record, isPaused),
        ),
      );
      const failures = outcomes.filter(
        (outcome, index) =>
          !report(context, { outcome, record: records[index], isPaused, isDryRun: options["dry-run"] }),
      );
      if (failures.length === 0) return exitCodes.success;
      context.reporter.error(`unable to ${verb} ${failures.length} node(s)`, {
        hint: `execute "${context.environment.programName} service status" to see which daemons are paused`,
      });
      return exitCodes.repmgrdPause;
    },
  });
}

/** Throws UserError. */
async function readRecords(context: CommandContext, isPaused: boolean): Promise<readonly PauseTarget[]> {
  try {
    return await readLocalRecords(context);
  } catch (error) {
    if (!(error instanceof UserError) || error.exitCode !== exitCodes.databaseConnection) throw error;
    const here = spellPauseThere(context, describeOwn(context), isPaused);
    const hint = `for the daemon of this node alone: ${here}; for all of them, execute it on a node whose server runs`;
    throw new UserError(error.exitCode, { ...problemOf(error), hint }, error);
  }
}

/** Its record may be out of reach. */
function describeOwn({ settings, configFile }: CommandContext): PauseTarget {
  const { node_id, node_name, conninfo } = settings;
  return { nodeId: nodeId(node_id), nodeName: node_name, conninfo, configFile: configFile ?? "" };
}

async function tryNode(context: CommandContext, record: PauseTarget): Promise<PauseOutcome> {
  const { databases, interrupted, settings } = context;
  const { conninfo } = record;
  try {
    const database = await databases.connect(parseConninfo(conninfo), { signal: interrupted });
    void database.close();
    return { kind: "done" };
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    if (record.nodeId === settings.node_id) return { kind: "done" };
    const { kind } = await findWayToPause(context, record);
    return kind === "done" ? { kind } : { kind: "failed", reason: error.message };
  }
}

/** Where no daemon runs, the next one finds the wish: in a note here, in the metadata elsewhere. */
async function pauseNode(
  context: CommandContext,
  record: PauseTarget,
  isPaused: boolean,
): Promise<PauseOutcome> {
  const outcome = await pauseDaemon(context, record, isPaused);
  if (outcome.kind !== "no-daemon") return outcome;
  try {
    await leaveWish(context, record, isPaused);
    return { kind: "done" };
  } catch (error) {
    return { kind: "failed", reason: `no daemon runs there, and ${describeFailure(error)}` };
  }
}

async function leaveWish(context: CommandContext, record: PauseTarget, isPaused: boolean): Promise<void> {
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
  readonly record: PauseTarget | undefined;
  readonly isPaused: boolean;
  readonly isDryRun: boolean;
}

function report(context: CommandContext, { outcome, record, isPaused, isDryRun }: Reported): boolean {
  if (record === undefined) return true;
  const { reporter } = context;
  const verb = isPaused ? "pause" : "unpause";
  const node = describeNode(record);
  if (outcome.kind === "done") {
    if (isDryRun) reporter.info(`would ${verb} node ${node}`);
    else reporter.notice(`node ${record.nodeId} (${record.nodeName}) ${verb}d`);
    return true;
  }
  reporter.warning(`unable to ${verb} node ${node}`, {
    ...(outcome.kind === "no-daemon" ? {} : { detail: outcome.reason }),
    hint: `execute there: ${spellPauseThere(context, record, isPaused)}`,
  });
  return false;
}
