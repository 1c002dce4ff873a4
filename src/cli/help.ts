import type { Command } from "../commands/define-command.js";
import { nouns, verbsOf } from "../commands/index.js";
import { optionTable, type OptionName } from "../commands/option-table.js";

const OPTION_COLUMN = 36;

function describeOption(name: OptionName, text: string): string {
  const { short, argument, type } = optionTable[name];
  const value =
    argument === undefined ? "" : type.startsWith("optional-") ? `[=${argument}]` : `=${argument}`;
  const spelling = `  ${short === undefined ? "" : `-${short}, `}--${name}${value}`;
  const gap =
    spelling.length < OPTION_COLUMN
      ? " ".repeat(OPTION_COLUMN - spelling.length)
      : `\n${" ".repeat(OPTION_COLUMN)}`;
  return `${spelling}${gap}${text}\n`;
}

const section = (title: string, options: Partial<Record<OptionName, string>>): string =>
  `${title}:\n${describeOptions(options)}\n`;

function describeOptions(options: Partial<Record<OptionName, string>>): string {
  return (Object.entries(options) as [OptionName, string][])
    .map(([name, text]) => describeOption(name, text))
    .join("");
}

const heading = (programName: string): string =>
  `${programName}: replication management for PostgreSQL, without a server extension\n\nUsage:\n`;

/** What `--help` shows without a command. */
export function renderGeneralHelp(programName: string, defaults: { readonly osUser: string }): string {
  const usage = nouns.map(
    (noun) => `    ${programName} [OPTIONS] ${noun.padEnd(8)}{${verbsOf(noun).join("|")}}\n`,
  );
  return `${heading(programName)}${usage.join("")}
  "${programName} {${nouns.join("|")}} --help" shows the options of each command

${section("General options", {
  help: "show this help, then exit",
  version: "show the version, then exit",
  "version-number": "show the version as a number, then exit",
})}${section("Configuration options", {
    "config-file": "path of repmgr.conf",
    pg_bindir: "directory of the PostgreSQL programs",
    force: "do what is refused as dangerous otherwise",
    "dry-run": "show what would be done, and change nothing",
    "dump-config": "show every setting as name|value, then exit",
  })}${section("Database connection options", {
    dbname: 'database name or connection string (default: "postgres")',
    host: "database server host",
    port: 'database server port (default: "5432")',
    username: `database user name (default: "${defaults.osUser}")`,
  })}${section("Logging options", {
    "log-level": "DEBUG, INFO, NOTICE, WARNING, ERROR, ALERT, CRIT or EMERG (default: INFO)",
    "log-to-file": "log to log_file or log_facility as set in repmgr.conf",
    quiet: "log errors only",
    terse: "show no DETAIL, HINT or warning blocks",
    verbose: "show more, among it the reasons of failed connections",
  })}`
    .trimEnd()
    .concat("\n");
}

/** What `NOUN --help` and `NOUN VERB --help` show: the given commands, each with its options. */
export function renderCommandsHelp(programName: string, commands: readonly Command[]): string {
  const usage = commands.map(
    ({ name, takesHost }) => `    ${programName} [OPTIONS] ${name}${takesHost ? " [HOST]" : ""}\n`,
  );
  const blocks = commands.map(
    ({ name, summary, options }) => `${name.toUpperCase()}\n\n  ${summary}\n\n${describeOptions(options)}`,
  );
  return `${heading(programName)}${usage.join("")}\n${blocks.join("\n")}`;
}
