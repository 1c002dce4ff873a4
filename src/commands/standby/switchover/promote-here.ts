import { join } from "node:path";
import { choosePromotionMethod } from "../../../decide/promote.js";
import { provesNoPromotion } from "../../../decide/switchover.js";
import { DatabaseError } from "../../../errors/database-error.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { mergeConninfo, parseConninfo } from "../../../model/conninfo.js";
import type { Problem } from "../../../model/problem.js";
import { ConnectionError } from "../../../postgres/connection-error.js";
import { readControlFile } from "../../../postgres/control-file.js";
import { readDataDirectoryState } from "../../../postgres/data-directory.js";
import type { Database } from "../../../postgres/database.js";
import { isInRecovery } from "../../../postgres/server-state.js";
import { buildServerCommand, configuredCommand } from "../../../postgres/service-control.js";
import { inspectPath } from "../../../system/directories.js";
import { runServerAction } from "../../attach-standby.js";
import type { CommandContext } from "../../define-command.js";
import { carryOutPromotion } from "../promote/execute.js";
import { readMayCallPromote } from "../promote/gather.js";
import type { PausedPoolers } from "../../poolers.js";
import { problemOf } from "../../remote-program.js";
import { abandonSwitchover } from "./undo.js";
import type { Switchover } from "./switchover.js";

/** A session by which this server can be promoted, and how; made ready while the old primary still runs. */
export interface PromotionReadiness {
  readonly session: Database;
  readonly method: ReturnType<typeof choosePromotionMethod>;
}

export async function preparePromotion(
  context: CommandContext,
  { local, rules }: Pick<Switchover, "local" | "rules">,
): Promise<PromotionReadiness> {
  const { settings, databases } = context;
  const { superuser } = rules;
  const conninfo = parseConninfo(settings.conninfo);
  const session =
    superuser === null || local.isSuperuser
      ? local
      : await databases.connect(mergeConninfo(conninfo, new Map([["user", superuser]])));
  if (session !== local) context.cleanup.push(() => session.close());
  const method = choosePromotionMethod(
    { mayCallPromote: await readMayCallPromote(session) },
    {
      force: rules.force,
      configuredCommand: configuredCommand(settings, "promote"),
      controlCommand: buildServerCommand(settings, "promote", {
        directory: settings.config_directory || settings.data_directory,
      }),
    },
  );
  return { session, method };
}

/**
 * Makes this server the primary, unless an earlier run did so, and records it. Resolves to a session on it. Throws
 * UserError: then either it is proven that no promotion takes place and the old primary runs again, or the old primary
 * stays down.
 */
export async function promoteHere(
  context: CommandContext,
  switchover: Switchover,
  { session, method, poolers }: PromotionReadiness & { readonly poolers: PausedPoolers },
): Promise<Database> {
  const { own } = switchover;
  const record = { kind: "record-primary" as const, node: own.nodeId };
  try {
    const isPromoted = !(await isInRecovery(session));
    if (isPromoted && own.type === "primary" && own.active) {
      await poolers.redirect(own.conninfo);
      return await openLocal(context);
    }
    const promotion = { local: session, own, poolers };
    await carryOutPromotion(context, {
      ...promotion,
      steps: isPromoted ? [record] : [{ kind: "promote", method }, record],
    });
    return await openLocal(context);
  } catch (error) {
    if (!(error instanceof UserError || error instanceof DatabaseError || error instanceof ConnectionError))
      throw error;
    return settle(context, switchover, { error, poolers });
  }
}

async function openLocal({ databases, settings, cleanup }: CommandContext): Promise<Database> {
  const database = await databases.connect(parseConninfo(settings.conninfo));
  cleanup.push(() => database.close());
  return database;
}

/** A promotion that went wrong may have taken place all the same. */
async function settle(
  context: CommandContext,
  switchover: Switchover,
  { error, poolers }: { readonly error: Error; readonly poolers: PausedPoolers },
): Promise<Database> {
  const { reporter } = context;
  if (!(await isPromotedNow(context))) return settlePromotion(context, switchover, problemOf(error));
  reporter.warning(error.message);
  const database = await openLocal(context);
  await carryOutPromotion(context, {
    local: database,
    own: switchover.own,
    poolers,
    steps: [{ kind: "record-primary", node: switchover.own.nodeId }],
  });
  return database;
}

/**
 * A promotion that was asked for may take place at any moment, and two servers must never take writes: this one is
 * stopped before the old primary is started again. Always throws UserError.
 */
export async function settlePromotion(
  context: CommandContext,
  switchover: Switchover,
  reason: Problem,
): Promise<never> {
  const { reporter } = context;
  reporter.error(
    "this server was not promoted",
    reason.detail === undefined
      ? { detail: reason.message }
      : { detail: `${reason.message}\n${reason.detail}` },
  );
  if (await stopStandby(context)) {
    const failure = await abandonSwitchover(context, switchover, { reason, wasStopped: true });
    reporter.notice("starting this server again, as a standby");
    const start = await runServerAction(context, "start");
    if (start !== null)
      reporter.warning("unable to start this server", { detail: `${start.command}: ${start.reason}` });
    throw failure;
  }
  throw new UserError(exitCodes.switchoverFailed, {
    message: "it is unknown whether this server will be promoted",
    detail: `${reason.message}\nthe old primary stays down: two servers must not take writes`,
    hint: `see the log of this server; when it runs, execute again: ${switchover.trace.command}`,
  });
}

async function isPromotedNow(context: CommandContext): Promise<boolean> {
  try {
    return !(await isInRecovery(await openLocal(context)));
  } catch (error) {
    if (error instanceof ConnectionError || error instanceof DatabaseError) return false;
    throw error;
  }
}

/** True when this server is down and proves that it was a standby to the last, and starts as one. */
async function stopStandby(context: CommandContext): Promise<boolean> {
  const { settings, processes } = context;
  const directory = settings.data_directory;
  const readPid = async (): Promise<number | "unknown" | null> => {
    const state = await readDataDirectoryState(directory);
    return state.kind === "directory" ? state.serverPid : null;
  };
  if ((await readPid()) !== null) await runServerAction(context, "stop");
  // Where the configured command fails nothing is left but PostgreSQL's own: without a proof both servers stay useless.
  if ((await readPid()) !== null)
    await runServerAction({ ...context, settings: { ...settings, service_stop_command: "" } }, "stop");
  const isRunning = (await readPid()) !== null;
  const control = await readControlFile(processes, {
    binDirectory: settings.pg_bindir,
    dataDirectory: directory,
  });
  const signal = await inspectPath(join(directory, "standby.signal"));
  return provesNoPromotion({
    isRunning,
    state: control.kind === "read" ? control.control.state : null,
    hasStandbySignal: signal.kind === "not-a-directory",
  });
}
