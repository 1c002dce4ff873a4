import type { Settings } from "../config/settings-table.js";
import { exitCodes } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";
import type { AllOptionValues } from "../commands/option-table.js";
import { parseLogLevel, type LogLevel } from "../output/log-level.js";
import { renderFileLines, renderTerminalLines } from "../output/log-lines.js";
import {
  createJsonSink,
  createSyslogSink,
  createTextSink,
  type TextDestination,
} from "../output/log-sinks.js";
import { createReporter, type LogSink, type Reporter } from "../output/reporter.js";
import { flushStandardStreams, writeStderr, writeStdout } from "../output/standard-streams.js";
import type { Clock } from "../system/clock.js";
import { describeFailure } from "../system/directories.js";
import { openLogFile } from "../system/log-file.js";
import { isSyslogFacility, openSyslog } from "../system/syslog.js";

export interface ReporterRequest {
  readonly options: AllOptionValues;
  readonly settings: Settings;
  readonly programName: string;
  readonly clock: Clock;
  /** Takes log text for standard error. */
  readonly writeLog: (text: string) => void;
}

/** The reporter of a command: `-L -q -v -t --log-to-file` over what `repmgr.conf` says. Throws UserError. */
export async function createCommandReporter(
  request: ReporterRequest,
): Promise<{ readonly reporter: Reporter; readonly sink: LogSink }> {
  const { options, settings, clock } = request;
  const sink = await openSink(request);
  const reporter = createReporter({
    sink,
    threshold: decideThreshold(options, settings),
    isVerbose: options.verbose,
    isTerse: options.terse,
    now: () => clock.now(),
    writeData: writeStdout,
    writeAside: writeStderr,
  });
  return { reporter, sink };
}

/** The order is the reference's: `--dry-run` shows at least INFO, and `-q` beats everything. */
function decideThreshold(options: AllOptionValues, settings: Settings): LogLevel {
  if (options.quiet) return "ERROR";
  const level = parseLogLevel(options["log-level"] ?? settings.log_level) ?? "INFO";
  return options["dry-run"] && level !== "DEBUG" ? "INFO" : level;
}

async function openSink({ options, settings, programName, writeLog }: ReporterRequest): Promise<LogSink> {
  const terminal: TextDestination = { write: writeLog, flush: flushStandardStreams };
  if (options["log-to-file"]) {
    const facility = settings.log_facility.toUpperCase();
    if (isSyslogFacility(facility)) return createSyslogSink(openSyslog(programName, facility));
    if (settings.log_file !== "") return openFileSink(settings, programName, writeLog);
  }
  if (settings.log_format === "json") return createJsonSink(terminal, programName);
  return createTextSink(terminal, options["log-to-file"] ? renderFileLines : renderTerminalLines);
}

async function openFileSink(
  settings: Settings,
  programName: string,
  writeLog: (text: string) => void,
): Promise<LogSink> {
  try {
    // A record for which the file has no room is better seen on the terminal than lost.
    const file = openLogFile(settings.log_file, writeLog);
    writeStderr(`NOTICE: redirecting logging output to "${settings.log_file}"\n`);
    return settings.log_format === "json"
      ? await createJsonSink(file, programName)
      : createTextSink(file, renderFileLines);
  } catch (error) {
    throw new UserError(
      exitCodes.badConfiguration,
      {
        message: `unable to open log file "${settings.log_file}"`,
        detail: describeFailure(error),
        hint: 'check "log_file" in repmgr.conf and the permissions of its directory',
      },
      error,
    );
  }
}
