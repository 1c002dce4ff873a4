import { exitCodes, type ExitCode } from "../../errors/exit-codes.js";
import { UserError } from "../../errors/user-error.js";
import { parseConninfo, mergeConninfo } from "../../model/conninfo.js";
import { describeNode, nodeId } from "../../model/node-record.js";
import { readControlFile } from "../../postgres/control-file.js";
import type { Database } from "../../postgres/database.js";
import {
  buildServerCommand,
  controlDirectory,
  quoteForShell,
  runServerCommand,
  serverActions,
  type ServerAction,
} from "../../postgres/service-control.js";
import { openDatabaseOrFail } from "../connect-local.js";
import { renderShutdownState } from "../../decide/shutdown-state.js";
import { readDataDirectoryState } from "../../postgres/data-directory.js";
import { defineCommand, type CommandContext } from "../define-command.js";
import { awaitShutdown } from "./status/shutdown.js";

export const nodeService = defineCommand({
  name: "node service",
  summary: "start, stop, restart, reload or promote the server of this node with the configured command",
  options: {
    action: "start, stop, restart, reload or promote",
    "list-actions": "show the command of every action, or of --action alone, and run nothing",
    checkpoint: "issue a CHECKPOINT before a stop or a restart, which makes them shorter",
    superuser: "issue the CHECKPOINT as this user",
    wait: "with stop: wait until the server is down, at most SECONDS, and show how it ended",
    force: "with start: end a shutdown that hangs with an immediate stop first",
    "dry-run": "show the command, and do not run it",
  },
  effect: "changes",
  configuration: "required",
  exitCodes: ["success", "badConfiguration", "localCommand", "databaseConnection"],
  examples: ["node service --list-actions", "node service --action=stop --checkpoint"],
  checkOptions: (options) => [
    ...(options.action === undefined && !options["list-actions"]
      ? ["--action or --list-actions is required when executing NODE SERVICE"]
      : []),
    ...(options.wait !== undefined && options.action?.toLowerCase() !== "stop"
      ? ["--wait can only be used with --action=stop when executing NODE SERVICE"]
      : []),
  ],
  run: async (context, options): Promise<ExitCode> => {
    const { reporter, settings } = context;
    const action = options.action === undefined ? null : readAction(options.action);
    if (options["list-actions"] || action === null) {
      reporter.data(action === null ? listActions(context) : `${commandOf(context, action)}\n`);
      return exitCodes.success;
    }
    const isDryRun = options["dry-run"];
    if (options.checkpoint && (action === "stop" || action === "restart"))
      await checkpoint(context, { superuser: options.superuser, isDryRun });
    const command = commandOf(context, action);
    if (isDryRun) {
      reporter.info(`would execute server command "${command}"`);
      return exitCodes.success;
    }
    if (action === "start" && options.force && (await endShutdown(context)) === "running") {
      reporter.notice("this server is running");
      return exitCodes.success;
    }
    await runAction(context, action, command);
    if (options.wait !== undefined) {
      const timeoutMs = options.wait === true ? settings.shutdown_check_timeout : options.wait * 1000;
      reporter.data(renderShutdownState(await awaitShutdown(context, timeoutMs)));
    }
    return exitCodes.success;
  },
});

function readAction(text: string): ServerAction {
  const action = serverActions.find((known) => known === text.toLowerCase());
  if (action !== undefined) return action;
  throw new UserError(exitCodes.badConfiguration, {
    message: `unknown value "${text}" provided for parameter --action`,
    hint: 'valid values are "start", "stop", "restart", "reload" and "promote"',
  });
}

/** Where configuration lies outside the data directory, pg_ctl needs the directory with postgresql.conf. */
function commandOf({ settings }: CommandContext, action: ServerAction): string {
  return buildServerCommand(settings, action, {
    directory: controlDirectory(settings),
  });
}

function listActions(context: CommandContext): string {
  const width = Math.max(...serverActions.map(({ length }) => length));
  const lines = serverActions.map(
    (action) => `  ${action.padStart(width)}: "${commandOf(context, action)}"\n`,
  );
  return `Following commands would be executed for each action:\n\n${lines.join("")}\n`;
}

async function runAction(context: CommandContext, action: ServerAction, command: string): Promise<void> {
  const { reporter, processes, interrupted } = context;
  reporter.info(`executing action "${action}" on this server`, {
    detail: `executing server command "${command}"`,
  });
  const result = await runServerCommand(processes, command, interrupted);
  interrupted.throwIfAborted();
  const output = result.stderr.trim();
  if (result.exitCode === 0) {
    if (output !== "") reporter.debug("the server command said", { detail: output });
    return;
  }
  const ending =
    result.startFailure ?? (result.exitCode === null ? "ended by a signal" : `exit code ${result.exitCode}`);
  throw new UserError(exitCodes.localCommand, {
    message: `unable to execute action "${action}" on this server`,
    detail: [`command "${command}": ${ending}`, ...(output === "" ? [] : [output])].join("\n"),
    hint: `run the command by hand as this user, or set "service_${action}_command" in repmgr.conf`,
  });
}

/** How long a shutdown that is nearly through may take on its own. */
const LAST_MOMENTS_MS = 2000;

/** A server that hangs in its shutdown takes no connections and would never come back; a crash recovery loses nothing. */
async function endShutdown(context: CommandContext): Promise<"running" | "down"> {
  const { reporter, processes, settings } = context;
  const directory = await readDataDirectoryState(settings.data_directory);
  if (directory.kind !== "directory" || directory.serverPid === null) return "down";
  const control = await readControlFile(processes, {
    binDirectory: settings.pg_bindir,
    dataDirectory: settings.data_directory,
  });
  if (await takesConnections(context)) return "running";
  const state = control.kind === "read" ? control.control.state : "unknown";
  const { kind } = await awaitShutdown(context, LAST_MOMENTS_MS);
  if (kind === "SHUTDOWN" || kind === "UNCLEAN_SHUTDOWN") return "down";
  reporter.warning("ending the shutdown of this server, which hangs, with an immediate stop", {
    detail: `its state is "${state}"; it recovers when it is started`,
  });
  const bindir = settings.pg_bindir === "" ? "" : `${settings.pg_bindir.replace(/\/+$/, "")}/`;
  const target = quoteForShell(settings.data_directory);
  const command = `${bindir}pg_ctl -D ${target} -w -m immediate stop`;
  const result = await runServerCommand(processes, command);
  if (result.exitCode === 0) return "down";
  throw new UserError(exitCodes.localCommand, {
    message: "unable to end the shutdown of this server",
    detail: `${command}: ${result.stderr.trim()}`,
    hint: "see its log; end its processes by hand, then start it",
  });
}

const takesConnections = async ({ databases, settings }: CommandContext): Promise<boolean> =>
  (await databases.ping(parseConninfo(settings.conninfo))) === "accepting";

/** Without the right to it the action goes on: the shutdown itself writes a checkpoint, only later. */
async function checkpoint(
  context: CommandContext,
  { superuser, isDryRun }: { readonly superuser: string | undefined; readonly isDryRun: boolean },
): Promise<void> {
  const { reporter, settings } = context;
  const user = superuser === undefined ? [] : ([["user", superuser]] as const);
  const database = await openDatabaseOrFail(
    context,
    mergeConninfo(parseConninfo(settings.conninfo), new Map(user)),
    {
      exitCode: exitCodes.databaseConnection,
      message: "connection to database failed",
      hint: 'check that this server is running and that "conninfo" in repmgr.conf is right',
    },
  );
  const node = describeNode({ nodeId: nodeId(settings.node_id), nodeName: settings.node_name });
  if (!(await mayCheckpoint(database))) {
    reporter.warning("a superuser connection is required to issue a CHECKPOINT", {
      detail: `user "${database.conninfo.get("user") ?? ""}" is not allowed to`,
      hint: "provide a superuser with -S/--superuser",
    });
  } else if (isDryRun) {
    reporter.info(`a CHECKPOINT would be issued on node ${node}`);
  } else {
    reporter.notice(`issuing CHECKPOINT on node ${node}`);
    await database.query("CHECKPOINT");
  }
  await database.close();
}

async function mayCheckpoint(database: Database): Promise<boolean> {
  if (database.isSuperuser) return true;
  const [row] = await database.query<{ allowed: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_roles
                     WHERE rolname = 'pg_checkpoint' AND pg_catalog.pg_has_role(oid, 'USAGE')) AS allowed`,
  );
  return row?.allowed ?? false;
}
