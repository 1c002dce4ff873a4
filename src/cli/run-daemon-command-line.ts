import { dirname, resolve } from "node:path";
import { loadConfiguration, type LoadedConfiguration } from "../config/load-configuration.js";
import { renderConfigurationProblems } from "../config/render-problems.js";
import type { Settings } from "../config/settings-table.js";
import type { Environment } from "../context.js";
import type { DaemonContext } from "../daemon/daemon-context.js";
import { runDaemon } from "../daemon/run-daemon.js";
import { reportBug } from "../daemon/start-loop.js";
import { exitCodes } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";
import { renderTerminalLines } from "../output/log-lines.js";
import { writeStderr, writeStdout } from "../output/standard-streams.js";
import { createDatabases } from "../postgres/connect.js";
import { createCleanupStack } from "../system/cleanup-stack.js";
import { systemClock } from "../system/clock.js";
import {
  changeDirectory,
  setProcessTitle,
  startDetached,
  takeReadyReport,
} from "../system/detached-process.js";
import { onEscapedError } from "../system/escaped-errors.js";
import { holdPidFile } from "../system/pid-file.js";
import { systemProcesses } from "../system/processes.js";
import { onDaemonSignals } from "../system/signals.js";
import { isSyslogFacility } from "../system/syslog.js";
import { createDaemonLog } from "./create-daemon-log.js";
import { parseDaemonArguments, renderDaemonHelp, type DaemonOptions } from "./daemon-options.js";
import { failureOf } from "./failure-of.js";
import { describeVersion } from "./program-identity.js";
import { readEnvironment } from "./read-environment.js";
import { isRoot, printTryHelp, refuseArguments, refuseRoot } from "./refusals.js";

/** Everything between argv and the running daemon, in the reference's order (repmgrd 1.2). */
export async function runDaemonCommandLine(argv: readonly string[]): Promise<number> {
  const [, programPath = "tsrepmgrd", ...words] = argv;
  const reportReady = takeReadyReport();
  try {
    const environment = readEnvironment(programPath);
    return await processDaemonCommandLine({ argv, environment, reportReady }, words);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    showOnTerminal(error);
    return error.exitCode;
  }
}

function showOnTerminal({ message, detail, hint }: UserError): void {
  const record = { time: systemClock.now(), level: "ERROR" as const, message };
  writeStderr(
    renderTerminalLines({
      ...record,
      ...(detail === undefined ? {} : { detail }),
      ...(hint === undefined ? {} : { hint }),
    }),
  );
}

interface Surroundings {
  readonly argv: readonly string[];
  readonly environment: Environment;
  /** Null: not started in the background by ourselves. */
  readonly reportReady: (() => void) | null;
}

async function processDaemonCommandLine(
  surroundings: Surroundings,
  words: readonly string[],
): Promise<number> {
  const { argv, environment, reportReady } = surroundings;
  const { programName } = environment;
  const { options, unknown, errors } = parseDaemonArguments(words);
  if (options.version) return printData(`${describeVersion(programName)}\n`);
  if (options.help) return printData(renderDaemonHelp(programName, defaultPidFile(environment)));
  if (isRoot()) return refuseRoot(programName);
  for (const { message } of unknown) writeStderr(`${programName}: ${message}\n`);
  if (unknown.length > 0) return printTryHelp(programName, null, writeStderr);
  if (errors.length > 0) return refuseArguments(programName, errors, null);

  const loaded = loadConfiguration({ explicitFile: options.configFile, environment });
  const isTerse = reportReady !== null;
  // In the background they have been shown by who started us.
  if (!isTerse) for (const line of renderConfigurationProblems(loaded, { isTerse })) writeStderr(`${line}\n`);
  if (loaded.errors.length > 0) return exitCodes.badConfiguration;
  const pidFile = choosePidFile(options, loaded.settings, environment);
  if (options.showsPidFile) return printData(`${pidFile ?? ""}\n`);
  requireNode(loaded);
  requireFailoverCommands(loaded.settings);

  if (options.isDetaching && reportReady === null) return detach(programName, argv, loaded.settings);
  setProcessTitle([programName, ...words].join(" "));
  return runInProcess(surroundings, { options, loaded, pidFile });
}

function printData(text: string): number {
  writeStdout(text);
  return exitCodes.success;
}

/** The log stays on the standard error of whoever started us when repmgr.conf names no other place, as with repmgrd. */
async function detach(
  programName: string,
  argv: readonly string[],
  { log_file, log_facility }: Settings,
): Promise<number> {
  const keepsStandardError = log_file === "" && !isSyslogFacility(log_facility.toUpperCase());
  const start = await startDetached(argv, { keepsStandardError, onStandardError: writeStderr });
  if (start.kind === "ready") return exitCodes.success;
  if (start.kind === "ended") return start.exitCode ?? exitCodes.systemFailure;
  writeStderr(`${programName}: unable to start in the background: ${start.reason}\n`);
  return exitCodes.systemFailure;
}

interface Start {
  readonly options: DaemonOptions;
  readonly loaded: LoadedConfiguration;
  readonly pidFile: string | null;
}

async function runInProcess(
  { environment, reportReady }: Surroundings,
  { options, loaded, pidFile }: Start,
): Promise<number> {
  const { programName } = environment;
  let settings: Settings = options.keepsMonitoringHistory
    ? { ...loaded.settings, monitoring_history: true }
    : loaded.settings;
  const level = options.logLevel;
  const clock = systemClock;
  const log = await createDaemonLog({ settings, programName, clock, isVerbose: options.verbose, level });
  const { reporter } = log;
  const signals = onDaemonSignals();
  const cleanup = createCleanupStack();
  const readiness = { isSaid: false };
  const stopHearing = onEscapedError((error) => reportBug(reporter, error));
  try {
    if (options.pidFile !== null && loaded.settings.repmgrd_pid_file !== "" && !options.hasNoPidFile)
      reporter.warning('"repmgrd_pid_file" is set in repmgr.conf, -p/--pid-file is used instead');
    if (pidFile !== null) await takePidFile(pidFile, cleanup);
    if (loaded.file !== null) changeDirectory(dirname(loaded.file));
    const context: DaemonContext = {
      clock,
      processes: systemProcesses,
      databases: createDatabases(environment, { warn: (message) => reporter.warning(message) }),
      reporter,
      environment,
      cleanup,
      interrupted: signals.stop,
      settings: () => settings,
      configFile: loaded.file,
      pidFile,
      signals,
      loadConfiguration: () => loadConfiguration({ explicitFile: loaded.file, environment }),
      useSettings: async (fresh) => {
        await log.reconfigure(fresh);
        settings = fresh;
      },
      reportReady: () => {
        readiness.isSaid = true;
        reportReady?.();
      },
    };
    return await runDaemon(context);
  } catch (error) {
    const failure = failureOf(error, reporter);
    const { message, detail, hint, exitCode } = failure;
    reporter.error(message, {
      ...(detail === undefined ? {} : { detail }),
      ...(hint === undefined ? {} : { hint }),
    });
    if (!readiness.isSaid && !log.isOnTerminal()) showOnTerminal(failure);
    return exitCode;
  } finally {
    await cleanup.unwind();
    signals.release();
    stopHearing();
    await log.flush();
  }
}

async function takePidFile(path: string, cleanup: DaemonContext["cleanup"]): Promise<void> {
  const outcome = await holdPidFile(path);
  switch (outcome.kind) {
    case "held":
      cleanup.push(async () => outcome.release());
      return;
    case "in-use":
      throw new UserError(exitCodes.badPidFile, {
        message: `pid file "${path}" exists and the daemon of process ${outcome.pid} is running`,
        hint: "stop that daemon first, or give this one another pid file with -p/--pid-file",
      });
    case "unreadable":
      throw new UserError(exitCodes.badPidFile, {
        message: `unable to read pid file "${path}"`,
        detail: outcome.reason,
        hint: "check its permissions, or choose another file with -p/--pid-file",
      });
    case "unwritable":
      throw new UserError(exitCodes.badConfiguration, {
        message: `unable to write pid file "${path}"`,
        detail: outcome.reason,
        hint: "make its directory writable for this user, or use --no-pid-file",
      });
  }
}

const defaultPidFile = ({ variables }: Environment): string => `${variables["TMPDIR"] ?? "/tmp"}/repmgrd.pid`;

function choosePidFile(
  options: DaemonOptions,
  { repmgrd_pid_file }: Settings,
  environment: Environment,
): string | null {
  if (options.hasNoPidFile) return null;
  const chosen = options.pidFile ?? (repmgrd_pid_file || defaultPidFile(environment));
  return resolve(environment.workingDirectory, chosen);
}

function requireNode({ file }: LoadedConfiguration): void {
  if (file !== null) return;
  throw new UserError(exitCodes.badConfiguration, {
    message: "no configuration file was found",
    detail:
      "looked for ./repmgr.conf, /etc/repmgr.conf and repmgr.conf in the system's configuration directories",
    hint: "provide the file of this node with -f/--config-file",
  });
}

/** A witness needs them too, by the reference's rule. */
function requireFailoverCommands(settings: Settings): void {
  if (settings.failover !== "automatic") return;
  const missing = (["promote_command", "follow_command"] as const).filter((name) => settings[name] === "");
  if (missing.length === 0) return;
  throw new UserError(exitCodes.badConfiguration, {
    message: `${missing.map((name) => `"${name}"`).join(" and ")} must be defined when "failover" is "automatic"`,
    hint:
      settings.service_promote_command === ""
        ? "see promote_command and follow_command in repmgr.conf.sample"
        : '"service_promote_command" does not stand in for "promote_command"',
  });
}
