import type { Settings } from "../config/settings-table.js";
import { exitCodes } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";
import { parseLogLevel, type LogLevel } from "../output/log-level.js";
import { renderFileLines } from "../output/log-lines.js";
import {
  createJsonSink,
  createSyslogSink,
  createTextSink,
  type TextDestination,
} from "../output/log-sinks.js";
import { createReporter, type LogSink, type Reporter } from "../output/reporter.js";
import { flushStandardStreams, writeStderr } from "../output/standard-streams.js";
import type { Clock } from "../system/clock.js";
import { describeFailure } from "../system/directories.js";
import { openLogFile } from "../system/log-file.js";
import { isSyslogFacility, openSyslog } from "../system/syslog.js";

/** The daemon's log, whose level and destination change while it runs. */
export interface DaemonLog {
  readonly reporter: Reporter;
  /** Whether log lines are seen on standard error. */
  isOnTerminal(): boolean;
  /** Takes these settings, and opens the destination again, as logrotate needs. Throws UserError; the log stays then. */
  reconfigure(settings: Settings): Promise<void>;
  flush(): Promise<void>;
}

interface Destination {
  readonly sink: LogSink;
  readonly isTerminal: boolean;
  close(): Promise<void>;
}

interface LogRequest {
  readonly settings: Settings;
  readonly programName: string;
  readonly clock: Clock;
  readonly isVerbose: boolean;
  /** `-L`, which holds until the first reload; null without. */
  readonly level: LogLevel | null;
}

/** Throws UserError when the log file cannot be opened. */
export async function createDaemonLog(request: LogRequest): Promise<DaemonLog> {
  const { settings, programName, clock, isVerbose } = request;
  let destination = await openDestination(settings, programName);
  const makeReporter = (threshold: LogLevel): Reporter =>
    createReporter({
      sink: { write: (record) => destination.sink.write(record), flush: () => destination.sink.flush() },
      threshold,
      isVerbose,
      isTerse: false,
      now: () => clock.now(),
      // Standard output is /dev/null in the background; nothing of the daemon is data.
      writeData: () => undefined,
      writeAside: writeStderr,
    });
  let current = makeReporter(request.level ?? levelOf(settings));
  return {
    reporter: delegateTo(() => current),
    isOnTerminal: () => destination.isTerminal,
    reconfigure: async (fresh) => {
      const former = destination;
      destination = await openDestination(fresh, programName);
      current = makeReporter(levelOf(fresh));
      await former.close();
    },
    flush: () => destination.close(),
  };
}

const levelOf = ({ log_level }: Settings): LogLevel => parseLogLevel(log_level) ?? "INFO";

function delegateTo(current: () => Reporter): Reporter {
  return {
    log: (...record) => current().log(...record),
    debug: (...record) => current().debug(...record),
    info: (...record) => current().info(...record),
    notice: (...record) => current().notice(...record),
    warning: (...record) => current().warning(...record),
    error: (...record) => current().error(...record),
    data: (text) => current().data(text),
    aside: (text) => current().aside(text),
    get isVerbose() {
      return current().isVerbose;
    },
    get isTerse() {
      return current().isTerse;
    },
    get threshold() {
      return current().threshold;
    },
  };
}

/** syslog goes before the file, as with the reference. */
async function openDestination(settings: Settings, programName: string): Promise<Destination> {
  const facility = settings.log_facility.toUpperCase();
  if (isSyslogFacility(facility)) {
    const sink = createSyslogSink(openSyslog(programName, facility));
    return { sink, isTerminal: false, close: () => sink.flush() };
  }
  const terminal: TextDestination = { write: writeStderr, flush: flushStandardStreams };
  if (settings.log_file === "") {
    const sink = await makeSink(settings, terminal, programName);
    return { sink, isTerminal: true, close: () => sink.flush() };
  }
  try {
    const file = openLogFile(settings.log_file, writeStderr);
    const sink = await makeSink(settings, file, programName);
    return { sink, isTerminal: false, close: async () => file.close() };
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

async function makeSink(
  { log_format }: Settings,
  destination: TextDestination,
  programName: string,
): Promise<LogSink> {
  return log_format === "json"
    ? await createJsonSink(destination, programName)
    : createTextSink(destination, renderFileLines);
}
