import { chooseTarget } from "../../decide/unregister.js";
import { DatabaseError } from "../../errors/database-error.js";
import { exitCodes, type ExitCode } from "../../errors/exit-codes.js";
import { UserError } from "../../errors/user-error.js";
import { announceEvent } from "../../events/announce-event.js";
import {
  countHistory,
  deleteHistory,
  vacuumHistory,
  type HistorySelection,
} from "../../metadata/monitoring-history.js";
import { nodeId } from "../../model/node-record.js";
import type { Database } from "../../postgres/database.js";
import { connectToLocalNode } from "../connect-local.js";
import { connectToRegisteredPrimary } from "../connect-primary.js";
import { defineCommand, type CommandContext } from "../define-command.js";
import { readNodeRecords } from "../read-node-records.js";
import { reportProblems } from "../report-problems.js";

export const clusterCleanup = defineCommand({
  name: "cluster cleanup",
  summary: "delete old records of the monitoring history",
  options: {
    "dry-run": "show how many records would be deleted",
    "keep-history": "retain the records of this number of days (default: 0, delete all)",
    "node-id": "delete only the records of this standby",
  },
  effect: "changes",
  configuration: "required",
  exitCodes: ["success", "badConfiguration", "databaseConnection", "databaseQuery"],
  examples: ["cluster cleanup --keep-history=30"],
  run: async (context, options): Promise<ExitCode> => {
    const { reporter } = context;
    const local = await connectToLocalNode(context);
    reporter.info("connecting to primary server");
    const records = await readNodeRecords(context, local);
    const { database: primary } = await connectToRegisteredPrimary(context, records, {
      noPrimaryCode: exitCodes.databaseQuery,
    });
    const id = options["node-id"];
    const selection = {
      nodeId: id === undefined ? null : nodeId(id),
      keepDays: options["keep-history"] ?? 0,
    };
    if (selection.nodeId !== null) {
      const choice = chooseTarget(records, { nodeId: selection.nodeId, nodeName: null }, selection.nodeId);
      if (choice.kind === "unknown") return reportProblems(reporter, [choice.problem]);
    }
    const count = await orFail("unable to query number of monitoring records to clean up", () =>
      countHistory(primary, selection),
    );
    if (count === 0) {
      reporter.info("no monitoring records to delete");
      return exitCodes.success;
    }
    if (options["dry-run"]) {
      reporter.info(`would delete ${count} monitoring record(s)${describeSelection(selection)}`);
      return exitCodes.success;
    }
    await cleanUp(context, primary, selection);
    return exitCodes.success;
  },
});

async function cleanUp(
  context: CommandContext,
  primary: Database,
  selection: HistorySelection,
): Promise<void> {
  const { reporter, settings } = context;
  const event = { event: "cluster_cleanup", nodeId: nodeId(settings.node_id) } as const;
  await orFail(
    "unable to delete monitoring records",
    () => deleteHistory(primary, selection),
    (details) => announceEvent(context, { ...event, successful: false, details }, primary),
  );
  try {
    await vacuumHistory(primary);
    reporter.info('vacuum of table "repmgr.monitoring_history" completed');
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    reporter.warning('unable to vacuum table "repmgr.monitoring_history"', { detail: error.message });
  }
  const all = selection.keepDays === 0 ? "all " : "";
  const details = `${all}monitoring records deleted${describeSelection(selection)}`;
  await announceEvent(context, { ...event, successful: true, details }, primary);
  reporter.notice(details);
}

function describeSelection({ nodeId: id, keepDays }: HistorySelection): string {
  const node = id === null ? "" : ` for node ${id}`;
  return keepDays === 0 ? node : `${node}; records newer than ${keepDays} day(s) retained`;
}

async function orFail<T>(
  message: string,
  work: () => Promise<T>,
  onFailure?: (details: string) => Promise<void>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    await onFailure?.(`${message}: ${error.message}`);
    const hint = "check the rights of this user on the tables of schema repmgr on the primary";
    throw new UserError(exitCodes.databaseQuery, { message, detail: error.message, hint }, error);
  }
}
