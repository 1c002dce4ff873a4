import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { DatabaseError } from "../../../errors/database-error.js";
import { announceEvent } from "../../../events/announce-event.js";
import { removeSwitchoverTrace } from "../../../metadata/switchover-trace.js";
import { parseConninfo } from "../../../model/conninfo.js";
import { describeNode, type NodeId, type NodeRecord } from "../../../model/node-record.js";
import type { Problem } from "../../../model/problem.js";
import { ConnectionError } from "../../../postgres/connection-error.js";
import type { Database } from "../../../postgres/database.js";
import { isInRecovery } from "../../../postgres/server-state.js";
import type { CommandContext } from "../../define-command.js";
import { problemOf } from "../../remote-program.js";
import { spellPauseThere } from "../../pause-daemon.js";
import { setDaemonPaused } from "./daemons.js";
import { startPrimary } from "./remote-primary.js";
import type { Switchover } from "./switchover.js";

const POLL_MS = 50;

/**
 * Takes back what was done before the promotion, which must not have been asked for: the old primary takes writes again.
 * Returns the error that the command ends with.
 */
export async function abandonSwitchover(
  context: CommandContext,
  switchover: Switchover,
  { reason, wasStopped }: { readonly reason: Problem; readonly wasStopped: boolean },
): Promise<UserError> {
  const { primary, own } = switchover;
  const database = wasStopped
    ? await restartPrimary(context, switchover)
    : await reconnectPrimary(context, primary);
  const node = `node ${describeNode(primary)}`;
  await switchover.unpause();
  if (database !== null) {
    try {
      await removeSwitchoverTrace(database);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      context.reporter.warning("unable to remove the trace of the switchover", { detail: error.message });
    }
  }
  const details = `unable to switch over from ${describeNode(primary)} to ${describeNode(own)}: ${reason.message}`;
  await announceSwitchover(context, switchover, { successful: false, details, database });
  await database?.close();
  const fate =
    database === null
      ? `${node} does not answer as the primary`
      : wasStopped
        ? `${node} is the primary again`
        : `nothing was changed; ${node} is the primary`;
  const { message, detail, hint } = problemOf(reason);
  return new UserError(exitCodes.switchoverFailed, {
    message,
    detail: [...(detail === undefined ? [] : [detail]), fate].join("\n"),
    ...hintOf(hint, database === null ? switchover : null),
  });
}

function hintOf(hint: string | undefined, unfinished: Switchover | null): { hint?: string } {
  if (unfinished === null) return hint === undefined ? {} : { hint };
  return {
    hint: `${hint === undefined ? "" : `${hint}; `}to finish the switchover or take it back, execute again: ${unfinished.trace.command}`,
  };
}

/** Null, with a WARNING, when it does not come back. */
async function restartPrimary(context: CommandContext, { primary }: Switchover): Promise<Database | null> {
  const { reporter, clock, settings } = context;
  reporter.notice(`starting the old primary again: node ${describeNode(primary)}`);
  try {
    await startPrimary(context, primary);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    reporter.warning(`unable to start node ${describeNode(primary)}`, problemOf(error));
  }
  const deadline = clock.monotonic() + settings.standby_reconnect_timeout;
  for (;;) {
    const database = await reconnectPrimary(context, primary);
    if (database !== null) return database;
    if (clock.monotonic() >= deadline || (await isGone(context, primary))) return null;
    await clock.sleep(POLL_MS);
  }
}

/** Whether nothing listens there any more, so that waiting is in vain: a server that starts rejects sessions. */
async function isGone({ databases }: CommandContext, primary: NodeRecord): Promise<boolean> {
  return (await databases.ping(parseConninfo(primary.conninfo))) === "no-response";
}

async function reconnectPrimary(
  { databases }: CommandContext,
  primary: NodeRecord,
): Promise<Database | null> {
  let database: Database | null = null;
  try {
    database = await databases.connect(parseConninfo(primary.conninfo));
    if (!(await isInRecovery(database))) return database;
  } catch (error) {
    if (!(error instanceof ConnectionError || error instanceof DatabaseError)) throw error;
  }
  await database?.close();
  return null;
}

export async function announceSwitchover(
  context: CommandContext,
  { own, primary }: Switchover,
  outcome: {
    readonly successful: boolean;
    readonly details: string;
    /** Where the event is stored; null when there is no primary. */
    readonly database: Database | null;
  },
): Promise<void> {
  const { nodeId, nodeName, conninfo } = primary;
  await announceEvent(
    context,
    {
      event: "standby_switchover",
      nodeId: own.nodeId,
      subject: { nodeId, nodeName, conninfo },
      successful: outcome.successful,
      details: outcome.details,
    },
    outcome.database,
  );
}

/** What goes wrong is a WARNING with what is left to do. */
export async function unpauseDaemons(
  context: CommandContext,
  records: readonly NodeRecord[],
  nodes: readonly NodeId[],
): Promise<void> {
  const { reporter } = context;
  const wanted = records.filter(({ nodeId }) => nodes.includes(nodeId));
  if (wanted.length === 0) return;
  reporter.notice(`unpausing repmgrd on ${wanted.length} of ${records.length} nodes`);
  await Promise.all(
    wanted.map(async (record) => {
      const reason = await setDaemonPaused(context, record, false);
      if (reason === null) {
        reporter.debug(`repmgrd on node ${describeNode(record)} unpaused`);
        return;
      }
      reporter.warning(`unable to unpause repmgrd on node ${describeNode(record)}`, {
        detail: reason,
        hint: `execute there: ${spellPauseThere(context, record, false)}`,
      });
    }),
  );
}
