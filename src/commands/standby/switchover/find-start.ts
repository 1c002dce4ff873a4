import { judgeServerVersion } from "../../../decide/schema.js";
import type { SwitchoverRules } from "../../../decide/switchover-facts.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { findTruePrimary, type PrimarySearch } from "../../../metadata/find-primary.js";
import { readSwitchoverTrace } from "../../../metadata/switchover-trace.js";
import { describeNode, nodeId, type NodeRecord } from "../../../model/node-record.js";
import type { SwitchoverTrace } from "../../../model/switchover-trace.js";
import { parseConninfo } from "../../../model/conninfo.js";
import type { Database } from "../../../postgres/database.js";
import { isInRecovery } from "../../../postgres/server-state.js";
import { openDatabaseOrFail } from "../../connect-local.js";
import type { CommandContext } from "../../define-command.js";
import { readNodeRecords } from "../../read-node-records.js";
import type { Participants } from "./gather.js";

/** Where the switchover begins: at its beginning, or where an earlier run was cut off. */
export type Start =
  | (Participants & { readonly progress: "not-begun" })
  | {
      readonly progress: "primary-stopped" | "promoted";
      readonly own: NodeRecord;
      readonly primary: NodeRecord;
      readonly records: readonly NodeRecord[];
      readonly local: Database;
      readonly trace: SwitchoverTrace;
    };

/** Finds the two nodes. Throws UserError. */
export async function findStart(context: CommandContext, rules: SwitchoverRules): Promise<Start> {
  const { databases, interrupted, settings } = context;
  const local = await openLocal(context);
  const tooOld = judgeServerVersion(local.serverVersion);
  if (tooOld !== null) throw new UserError(exitCodes.badConfiguration, tooOld);
  const records = await readNodeRecords(context, local);
  const [inRecovery, trace] = [await isInRecovery(local), await readSwitchoverTrace(local)];
  const ownId = nodeId(settings.node_id);
  const own = findOwn(records, ownId);
  const former =
    trace?.candidate === ownId ? records.find((record) => record.nodeId === trace.formerPrimary) : undefined;
  if (!inRecovery) {
    if (trace !== null && former !== undefined)
      return { progress: "promoted", own, primary: former, records, local, trace };
    throw new UserError(exitCodes.switchoverFailed, {
      message: "STANDBY SWITCHOVER can only be executed on a standby node",
      detail: "this server is not in recovery",
      hint: 'execute it on the standby that is to become the primary; "cluster show" lists the nodes',
    });
  }
  const others = records.filter((record) => record.nodeId !== ownId);
  const search = await findTruePrimary(databases, others, interrupted);
  const { primary } = search;
  if (primary === null) {
    if (trace !== null && former !== undefined)
      return { progress: "primary-stopped", own, primary: former, records, local, trace };
    throw noPrimary(search);
  }
  context.cleanup.push(() => primary.database.close());
  refuseOther(trace, { own, records, force: rules.force });
  const primaryDatabase = primary.database;
  const current = await readNodeRecords(context, primaryDatabase);
  return {
    progress: "not-begun",
    own: current.find((record) => record.nodeId === ownId) ?? own,
    primary: primary.record,
    records: current,
    local,
    primaryDatabase,
    trace,
  };
}

/** A session that outlives Ctrl-C: what was begun is taken back over it. */
async function openLocal(context: CommandContext): Promise<Database> {
  const steady = { ...context, interrupted: new AbortController().signal };
  return openDatabaseOrFail(steady, parseConninfo(context.settings.conninfo), {
    exitCode: exitCodes.databaseConnection,
    message: "connection to database failed",
    hint: 'check that this server is running and that "conninfo" in repmgr.conf is right',
  });
}

function findOwn(records: readonly NodeRecord[], id: number): NodeRecord {
  const own = records.find((record) => record.nodeId === id);
  if (own === undefined) {
    throw new UserError(exitCodes.databaseQuery, {
      message: `no record found for this node (ID: ${id})`,
      hint: 'execute "standby register" on this node',
    });
  }
  if (own.type === "standby" || own.type === "primary") return own;
  throw new UserError(exitCodes.badConfiguration, {
    message: "STANDBY SWITCHOVER can only be executed on a standby node",
    detail: `this node is registered as ${own.type}`,
  });
}

function noPrimary({ unanswered }: PrimarySearch): UserError {
  const detail = unanswered
    .map(({ record, error }) => `node ${describeNode(record)}: ${error.message}`)
    .join("\n");
  return new UserError(exitCodes.databaseConnection, {
    message: "unable to connect to the current primary",
    ...(detail === "" ? {} : { detail }),
    hint: 'if it will not come back, "standby promote" makes this node the primary',
  });
}

function refuseOther(
  trace: SwitchoverTrace | null,
  {
    own,
    records,
    force,
  }: { readonly own: NodeRecord; readonly records: readonly NodeRecord[]; readonly force: boolean },
): void {
  if (trace === null || trace.candidate === own.nodeId || force) return;
  const candidate = records.find(({ nodeId: id }) => id === trace.candidate);
  throw new UserError(exitCodes.switchoverFailed, {
    message: `a switchover to node ${candidate === undefined ? trace.candidate : describeNode(candidate)} is not finished`,
    hint: `execute on that node: ${trace.command}`,
  });
}
