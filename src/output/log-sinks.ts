import { logLevels, type LogLevel } from "./log-level.js";
import { wordsOf } from "./log-lines.js";
import type { LogRecord, LogSink } from "./reporter.js";

/** A place that takes finished text, such as standard error or an open file. */
export interface TextDestination {
  write(text: string): void;
  flush(): Promise<void>;
}

/** Text records on `destination`, each rendered by `render`. */
export function createTextSink(destination: TextDestination, render: (record: LogRecord) => string): LogSink {
  return {
    write: (record) => destination.write(render(record)),
    flush: () => destination.flush(),
  };
}

/** One JSON object a line (`log_format=json`): time, level, program, pid, message, detail, hint. */
export async function createJsonSink(destination: TextDestination, program: string): Promise<LogSink> {
  const { default: pino } = await import("pino");
  const customLevels = Object.fromEntries(
    logLevels.map((level, index) => [level.toLowerCase(), (logLevels.length - index) * 10]),
  ) as Record<Lowercase<LogLevel>, number>;
  const logger = pino(
    {
      base: { program, pid: process.pid },
      customLevels,
      useOnlyCustomLevels: true,
      level: "debug",
      timestamp: false,
      messageKey: "message",
      formatters: { level: (label) => ({ level: label.toUpperCase() }) },
    },
    destination,
  );
  return {
    write: ({ time, level, message, ...continuation }) =>
      logger[level.toLowerCase() as Lowercase<LogLevel>](
        { time: new Date(time).toISOString(), ...continuation },
        message,
      ),
    flush: () => destination.flush(),
  };
}

/** Syslog: the severity goes to `send`, which knows the facility; the line carries no time of its own. */
export function createSyslogSink(syslog: {
  readonly send: (severity: number, text: string) => void;
  readonly flush: () => Promise<void>;
}): LogSink {
  return {
    write: (record) => {
      const severity = logLevels.indexOf(record.level);
      for (const [word, text] of wordsOf(record)) syslog.send(severity, `${word}: ${text}`);
    },
    flush: () => syslog.flush(),
  };
}
