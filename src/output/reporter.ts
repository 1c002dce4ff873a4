import { isShown, type LogLevel } from "./log-level.js";

/** What follows a message. Several details or hints become a line of their own each. */
interface Continuation {
  readonly detail?: string | readonly string[];
  readonly hint?: string | readonly string[];
}

/** Where log records go: the terminal, a file, syslog. */
export interface LogSink {
  write(record: LogRecord): void;
  /** Resolves when everything written so far has left the process. */
  flush(): Promise<void>;
}

export interface LogRecord extends Continuation {
  readonly message: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly level: LogLevel;
}

/** Everything that the program says. Log lines go to the log, data to standard output; nothing else writes. */
export interface Reporter {
  log(level: LogLevel, message: string, continuation?: Continuation): void;
  debug(message: string, continuation?: Continuation): void;
  info(message: string, continuation?: Continuation): void;
  notice(message: string, continuation?: Continuation): void;
  warning(message: string, continuation?: Continuation): void;
  error(message: string, continuation?: Continuation): void;
  /** Data output: tables, CSV, JSON, help. The text is written as it is, with its own newlines. */
  data(text: string): void;
  /** Text for the terminal that belongs to no log record, such as the warning block under a table. */
  aside(text: string): void;
  /** `-v`: extra messages and the full reason of connection attempts that are allowed to fail. */
  readonly isVerbose: boolean;
  /** `-t`: no DETAIL, no HINT, no warnings about the configuration. */
  readonly isTerse: boolean;
  readonly threshold: LogLevel;
}

export interface ReporterOptions {
  readonly sink: LogSink;
  readonly threshold: LogLevel;
  readonly isVerbose: boolean;
  readonly isTerse: boolean;
  readonly now: () => number;
  readonly writeData: (text: string) => void;
  readonly writeAside: (text: string) => void;
}

export function createReporter(options: ReporterOptions): Reporter {
  const { sink, threshold, isVerbose, isTerse, now, writeData, writeAside } = options;
  const log: Reporter["log"] = (level, message, continuation = {}) => {
    if (!isShown(level, threshold)) return;
    sink.write({ time: now(), level, message, ...(isTerse ? {} : continuation) });
  };
  return {
    log,
    debug: (message, continuation) => log("DEBUG", message, continuation),
    info: (message, continuation) => log("INFO", message, continuation),
    notice: (message, continuation) => log("NOTICE", message, continuation),
    warning: (message, continuation) => log("WARNING", message, continuation),
    error: (message, continuation) => log("ERROR", message, continuation),
    data: writeData,
    aside: writeAside,
    isVerbose,
    isTerse,
    threshold,
  };
}
