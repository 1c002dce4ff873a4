import { parseLogLevel, type LogLevel } from "../output/log-level.js";
import { readGetopt, type OptionGrammar, type UnknownOption } from "./read-getopt.js";

/** The options of the daemon (reference: repmgrd 1.1), each with what help says; null: understood, not shown. */
const optionTable = {
  help: { short: "?", value: "none", section: "General options", help: "show this help, then exit" },
  version: { short: "V", value: "none", section: "General options", help: "show the version, then exit" },
  "config-file": {
    short: "f",
    value: "required",
    argument: "PATH",
    section: "Configuration options",
    help: "path of repmgr.conf",
  },
  "daemonize-short": { short: "d", value: "none", section: "Process options", help: null },
  daemonize: {
    value: "optional",
    argument: "BOOLEAN",
    section: "Process options",
    help: "run in the background (default: true)",
  },
  "pid-file": {
    short: "p",
    value: "required",
    argument: "PATH",
    section: "Process options",
    help: "write the process number to this file",
  },
  "show-pid-file": {
    short: "s",
    value: "none",
    section: "Process options",
    help: "show the path of the pid file, then exit",
  },
  "no-pid-file": { value: "none", section: "Process options", help: "write no pid file" },
  "log-level": {
    short: "L",
    value: "required",
    argument: "LEVEL",
    section: "Logging options",
    help: "DEBUG, INFO, NOTICE, WARNING, ERROR … (INFO)",
  },
  verbose: { short: "v", value: "none", section: "Logging options", help: "show more of what is looked at" },
  "monitoring-history": { short: "m", value: "none", section: "Monitoring options", help: null },
} as const satisfies Readonly<
  Record<
    string,
    {
      readonly short?: string;
      readonly value: "none" | "required" | "optional";
      readonly argument?: string;
      readonly section: string;
      readonly help: string | null;
    }
  >
>;

type DaemonOptionName = keyof typeof optionTable;

export interface DaemonOptions {
  readonly help: boolean;
  readonly version: boolean;
  readonly configFile: string | null;
  readonly isDetaching: boolean;
  readonly pidFile: string | null;
  readonly showsPidFile: boolean;
  readonly hasNoPidFile: boolean;
  /** Null: what repmgr.conf says. */
  readonly logLevel: LogLevel | null;
  readonly verbose: boolean;
  readonly keepsMonitoringHistory: boolean;
}

export interface ParsedDaemonArguments {
  readonly options: DaemonOptions;
  readonly unknown: readonly UnknownOption[];
  /** Values that do not fit. */
  readonly errors: readonly string[];
}

const names = Object.keys(optionTable) as DaemonOptionName[];

const grammar: OptionGrammar<DaemonOptionName> = {
  longNames: new Map(names.map((name) => [name, name])),
  shortNames: new Map(
    names.flatMap((name): [string, DaemonOptionName][] => {
      const option = optionTable[name];
      return "short" in option ? [[option.short, name]] : [];
    }),
  ),
  valueOf: (name) => optionTable[name].value,
  isAdded: () => false,
  endsReading: new Set<DaemonOptionName>(["help", "version"]),
};

const booleanWords: Readonly<Record<string, boolean>> = {
  ...{ "1": true, true: true, on: true, yes: true, t: true, y: true },
  ...{ "0": false, false: false, off: false, no: false, f: false, n: false },
};

/** Reads the daemon's command line; words that are no options are ignored, as by the reference. */
export function parseDaemonArguments(argv: readonly string[]): ParsedDaemonArguments {
  const { options, unknown } = readGetopt(argv, grammar);
  const errors: string[] = [];
  const isGiven = (name: DaemonOptionName): boolean => options.some((option) => option.name === name);
  const valueOf = (name: DaemonOptionName): string | null =>
    options.findLast((option) => option.name === name)?.value ?? null;
  const level = valueOf("log-level");
  if (level !== null && parseLogLevel(level) === null) errors.push(`invalid log level "${level}" provided`);
  const detaching = options.findLast(({ name }) => name === "daemonize" || name === "daemonize-short");
  const word = detaching?.value ?? "true";
  const isDetaching = booleanWords[word.toLowerCase()];
  if (isDetaching === undefined)
    errors.push(`value "${word}" provided for --daemonize is not a boolean, such as true or false`);
  return {
    options: {
      help: isGiven("help"),
      version: isGiven("version"),
      configFile: valueOf("config-file"),
      isDetaching: isDetaching ?? true,
      pidFile: valueOf("pid-file"),
      showsPidFile: isGiven("show-pid-file"),
      hasNoPidFile: isGiven("no-pid-file"),
      logLevel: level === null ? null : parseLogLevel(level),
      verbose: isGiven("verbose"),
      keepsMonitoringHistory: isGiven("monitoring-history"),
    },
    unknown,
    errors,
  };
}

const OPTION_COLUMN = 32;

/** What `--help` shows. */
export function renderDaemonHelp(programName: string, pidFile: string): string {
  const sections = [...new Set(names.map((name) => optionTable[name].section))];
  const blocks = sections.map((section) => {
    const lines = names
      .filter((name) => optionTable[name].section === section)
      .flatMap((name) => describeOption(name));
    return lines.length === 0 ? "" : `\n${section}:\n${lines.join("")}`;
  });
  return [
    `${programName}: failover and monitoring daemon for PostgreSQL replication clusters\n\n`,
    `Usage:\n    ${programName} [OPTIONS]\n`,
    ...blocks,
    `\nPid file without -p/--pid-file and repmgrd_pid_file: ${pidFile}\n`,
    "TERM and INT end the daemon; HUP makes it read repmgr.conf and open its log\n",
    "file again.\n",
  ].join("");
}

function describeOption(name: DaemonOptionName): readonly string[] {
  const option = optionTable[name];
  if (option.help === null) return [];
  const short = name === "daemonize" ? "d" : "short" in option ? option.short : null;
  const argument = "argument" in option ? option.argument : "";
  const value = { none: "", required: `=${argument}`, optional: `[=${argument}]` }[option.value];
  const spelling = `  ${short === null ? "" : `-${short}, `}--${name}${value}`;
  const start =
    spelling.length < OPTION_COLUMN
      ? spelling.padEnd(OPTION_COLUMN)
      : `${spelling}\n${" ".repeat(OPTION_COLUMN)}`;
  return [`${start}${option.help}\n`];
}
