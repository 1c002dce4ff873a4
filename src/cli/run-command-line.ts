import type { Command } from "../commands/define-command.js";
import { loadCommands } from "../commands/index.js";
import { dumpSettings } from "../config/dump-settings.js";
import { loadConfiguration, type LoadedConfiguration } from "../config/load-configuration.js";
import { renderConfigurationProblems } from "../config/render-problems.js";
import type { Environment } from "../context.js";
import { exitCodes } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";
import { parseLogLevel } from "../output/log-level.js";
import { renderTerminalLines } from "../output/log-lines.js";
import { writeStderr, writeStdout } from "../output/standard-streams.js";
import { systemClock } from "../system/clock.js";
import { checkOptions } from "./check-options.js";
import { renderCommandsHelp, renderGeneralHelp } from "./help.js";
import { interpretWords, type Interpretation } from "./interpret-words.js";
import { longOptionNames } from "./normalise-arguments.js";
import { parseArguments, type ParsedArguments } from "./parse-arguments.js";
import { describeVersion, REFERENCE_VERSION_NUMBER } from "./program-identity.js";
import { readEnvironment } from "./read-environment.js";
import { runCommand } from "./run-command.js";
import { suggest } from "./suggest.js";

/**
 * Everything between argv and the command. The order of the steps decides which of several errors a script sees,
 * and is the reference's (repmgr 5.5, order of processing in main).
 */
export async function runCommandLine(programPath: string, words: readonly string[]): Promise<number> {
  try {
    return await processCommandLine(readEnvironment(programPath), words);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    writeStderr(renderTerminalLines({ time: systemClock.now(), level: "ERROR", ...problemOf(error) }));
    return error.exitCode;
  }
}

const problemOf = ({
  message,
  detail,
  hint,
}: UserError): { message: string; detail?: string; hint?: string } => ({
  message,
  ...(detail === undefined ? {} : { detail }),
  ...(hint === undefined ? {} : { hint }),
});

async function processCommandLine(environment: Environment, words: readonly string[]): Promise<number> {
  const { programName } = environment;
  const parsed = parseArguments(words);
  if (parsed.options.version) return printData(`${describeVersion(programName)}\n`);
  if (parsed.options["version-number"]) return printData(`${REFERENCE_VERSION_NUMBER}\n`);
  for (const { message, typed } of parsed.unknown)
    writeStderr(`${programName}: ${message}${nearOption(typed)}\n`);
  if (process.geteuid?.() === 0 && !parsed.options.help) return refuseRoot(programName);
  if (parsed.errors.length > 0) return refuseArguments(programName, parsed.errors, null);

  const found = interpretWords(parsed.words, programName);
  if (parsed.options.help) return showHelp(environment, found);
  const command = (await found.load?.()) ?? null;
  const hosted = takeHost(command, found.rest, parsed);
  const loaded = loadConfiguration({ explicitFile: parsed.options["config-file"] ?? null, environment });
  const problems = renderConfigurationProblems(loaded, { isTerse: parsed.options.terse });
  for (const line of problems) writeStderr(`${line}\n`);
  if (loaded.errors.length > 0) return exitCodes.badConfiguration;
  if (parsed.options["dump-config"]) return dumpConfiguration(loaded, parsed);

  const verdict = command === null ? { errors: [], warnings: [] } : checkOptions(command, hosted.parsed);
  const errors = [...found.errors, ...hosted.errors, ...checkLogLevel(parsed), ...verdict.errors];
  if (errors.length > 0) return refuseArguments(programName, errors, found.noun);
  if (parsed.unknown.length > 0) return printTryHelp(programName, found.noun, writeStdout);
  if (command === null) return exitCodes.badConfiguration;
  if (verdict.warnings.length > 0 && !parsed.options.terse) {
    writeStderr(
      indented("WARNING: following problems with command line parameters detected:", verdict.warnings),
    );
  }
  requireConfiguration(command, loaded, hosted.parsed);
  return runCommand({ environment, command, loaded, parsed: hosted.parsed });
}

function printData(text: string): number {
  writeStdout(text);
  return exitCodes.success;
}

function nearOption(typed: string | null): string {
  const near = typed === null ? null : suggest(typed, longOptionNames);
  return near === null ? "" : `; did you mean '--${near}'?`;
}

function refuseRoot(programName: string): number {
  writeStderr(
    `${programName}: cannot be run as root\n` +
      'Please log in (using, e.g., "su") as the (unprivileged) user that owns the data directory.\n',
  );
  return exitCodes.badConfiguration;
}

const indented = (heading: string, lines: readonly string[]): string =>
  `${heading}\n${lines.map((line) => `  ${line}\n`).join("")}`;

function refuseArguments(programName: string, errors: readonly string[], noun: string | null): number {
  writeStderr(indented("The following command line errors were encountered:", errors));
  return printTryHelp(programName, noun, writeStderr);
}

function printTryHelp(programName: string, noun: string | null, write: (text: string) => void): number {
  const ofNoun = noun === null ? "" : ` or "${programName} ${noun} --help"`;
  write(`Try "${programName} --help"${ofNoun} for more information.\n`);
  return exitCodes.badConfiguration;
}

async function showHelp({ programName, osUser }: Environment, found: Interpretation): Promise<number> {
  if (found.noun === null) return printData(renderGeneralHelp(programName, { osUser }));
  const commands = found.load === null ? await loadCommands(found.noun) : [await found.load()];
  return printData(renderCommandsHelp(programName, commands));
}

/** A third word is the source host of `standby clone`; it does not count as a connection option of its own. */
function takeHost(
  command: Command | null,
  rest: readonly string[],
  parsed: ParsedArguments,
): { readonly parsed: ParsedArguments; readonly errors: readonly string[] } {
  const [host, ...extra] = command?.takesHost === true ? rest : [undefined, ...rest];
  const errors =
    extra[0] === undefined ? [] : [`too many command-line arguments (first extra is "${extra[0]}")`];
  if (host === undefined) return { parsed, errors };
  if (parsed.connection.has("host")) {
    return {
      parsed,
      errors: [...errors, `host name provided both as "${host}" and with a connection option`],
    };
  }
  return { parsed: { ...parsed, connection: new Map([["host", host], ...parsed.connection]) }, errors };
}

function checkLogLevel(parsed: ParsedArguments): readonly string[] {
  const level = parsed.options["log-level"];
  return level === undefined || parseLogLevel(level) !== null
    ? []
    : [`invalid log level "${level}" provided`];
}

function dumpConfiguration({ settings }: LoadedConfiguration, { words }: ParsedArguments): number {
  if (words.length === 0) return printData(dumpSettings(settings).join("\n").concat("\n"));
  throw new UserError(exitCodes.badConfiguration, {
    message: "--dump-config cannot be used together with a command",
    hint: "leave out the command",
  });
}

/** A command that acts as a node needs to know which one it is. */
function requireConfiguration(command: Command, loaded: LoadedConfiguration, parsed: ParsedArguments): void {
  if (command.configuration === "optional" || loaded.file !== null) return;
  if (command.configuration === "unless-connection-given" && parsed.connection.size > 0) return;
  throw new UserError(exitCodes.badConfiguration, {
    message: "no configuration file was found",
    detail:
      "looked for ./repmgr.conf, /etc/repmgr.conf and repmgr.conf in the system's configuration directories",
    hint: "provide the file of this node with -f/--config-file",
  });
}
