import type { Command } from "../commands/define-command.js";
import { loadCommands } from "../commands/index.js";
import { dumpSettings } from "../config/dump-settings.js";
import { completeSettings } from "../config/default-settings.js";
import { loadConfiguration, type LoadedConfiguration } from "../config/load-configuration.js";
import { renderConfigurationProblems } from "../config/render-problems.js";
import type { Environment } from "../context.js";
import { exitCodes } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";
import { parseLogLevel } from "../output/log-level.js";
import { renderTerminalLines } from "../output/log-lines.js";
import { writeStderr, writeStdout } from "../output/standard-streams.js";
import { createTerminalLogWriter } from "../output/terminal-log.js";
import { systemClock } from "../system/clock.js";
import { checkOptions } from "./check-options.js";
import { renderCommandsHelp, renderGeneralHelp } from "./help.js";
import { interpretWords, type Interpretation } from "./interpret-words.js";
import { longOptionNames } from "./normalise-arguments.js";
import { parseArguments, type ParsedArguments } from "./parse-arguments.js";
import { describeVersion, REFERENCE_VERSION_NUMBER } from "./program-identity.js";
import { readEnvironment } from "./read-environment.js";
import { indented, isRoot, printTryHelp, refuseArguments, refuseRoot } from "./refusals.js";
import { runCommand } from "./run-command.js";
import { suggest } from "../output/suggest.js";

/**
 * Everything between argv and the command. The order of the steps decides which of several errors a script sees,
 * and is the reference's (repmgr 5.5, order of processing in main).
 */
export async function runCommandLine(programPath: string, words: readonly string[]): Promise<number> {
  const writeLog = await createTerminalLogWriter(process.env);
  try {
    return await processCommandLine({ environment: readEnvironment(programPath), writeLog }, words);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    writeLog(renderTerminalLines({ time: systemClock.now(), level: "ERROR", ...problemOf(error) }));
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

interface Surroundings {
  readonly environment: Environment;
  readonly writeLog: (text: string) => void;
}

async function processCommandLine(surroundings: Surroundings, words: readonly string[]): Promise<number> {
  const { environment, writeLog } = surroundings;
  const { programName } = environment;
  const parsed = parseArguments(words);
  for (const { message, typed } of parsed.unknown)
    writeStderr(`${programName}: ${message}${nearOption(typed)}\n`);
  if (parsed.options.version) return printData(`${describeVersion(programName)}\n`);
  if (parsed.options["version-number"]) return printData(`${REFERENCE_VERSION_NUMBER}\n`);
  const found = interpretWords(parsed.words, programName);
  if (parsed.options.help) return showHelp(environment, found);
  const command = (await found.load?.()) ?? null;
  if (isRoot() && command?.isForRoot !== true) return refuseRoot(programName);
  const badValues = [...parsed.errors, ...checkLogLevel(parsed)];
  if (badValues.length > 0) return refuseArguments(programName, badValues, null);

  const hosted = takeHost(command, found.rest, parsed);
  const loaded = readConfiguration(surroundings, command, parsed);
  if (loaded.errors.length > 0 && !examines(command, parsed)) return exitCodes.badConfiguration;
  if (parsed.options["dump-config"]) return dumpConfiguration(loaded, parsed);

  const verdict = command === null ? null : checkOptions(command, hosted.parsed);
  const errors = [...found.errors, ...hosted.errors, ...(verdict?.errors ?? [])];
  if (errors.length > 0) return refuseArguments(programName, errors, found.typedNoun);
  if (parsed.unknown.length > 0) return printTryHelp(programName, found.typedNoun, writeStdout);
  if (command === null || verdict === null) return exitCodes.badConfiguration;
  if (verdict.warnings.length > 0 && !parsed.options.terse) {
    writeLog(
      indented("WARNING: following problems with command line parameters detected:", verdict.warnings),
    );
  }
  requireConfiguration(command, loaded, hosted.parsed);
  const chosen = { ...hosted.parsed, options: verdict.options };
  return runCommand({ environment, command, loaded, parsed: chosen, writeLog });
}

/** Reads `repmgr.conf` and shows what is wrong with it. */
function readConfiguration(
  { environment, writeLog }: Surroundings,
  command: Command | null,
  { options }: ParsedArguments,
): LoadedConfiguration {
  if (command?.configuration === "unused" && !options["dump-config"]) {
    const settings = completeSettings(new Map());
    return { file: null, isFoundBySearch: false, settings, warnings: [], errors: [] };
  }
  // As in the reference an empty path is none: scripts pass -f "$CONF" with a variable that need not be set.
  const explicitFile = options["config-file"] || null;
  if (examines(command, { options })) return examineConfiguration(environment, explicitFile);
  const loaded = loadConfiguration({ explicitFile, environment });
  if (options.verbose && loaded.file !== null) {
    writeLog(
      `NOTICE: using ${explicitFile === null ? "" : "provided "}configuration file "${loaded.file}"\n`,
    );
  }
  for (const line of renderConfigurationProblems(loaded, { isTerse: options.terse })) writeLog(`${line}\n`);
  return loaded;
}

const examines = (command: Command | null, { options }: Pick<ParsedArguments, "options">): boolean =>
  command?.configuration === "examined" && !options["dump-config"];

/** A file that cannot even be read is one more thing to tell. */
function examineConfiguration(environment: Environment, explicitFile: string | null): LoadedConfiguration {
  try {
    return loadConfiguration({ explicitFile, environment });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const message = [error.message, error.detail ?? error.hint].filter(Boolean).join(": ");
    const file = explicitFile ?? "repmgr.conf";
    const settings = completeSettings(new Map());
    return { file, isFoundBySearch: false, settings, warnings: [], errors: [{ file, line: null, message }] };
  }
}

function printData(text: string): number {
  writeStdout(text);
  return exitCodes.success;
}

function nearOption(typed: string | null): string {
  const near = typed === null ? null : suggest(typed, longOptionNames);
  return near === null ? "" : `; did you mean '--${near}'?`;
}

async function showHelp({ programName, osUser }: Environment, found: Interpretation): Promise<number> {
  const general = renderGeneralHelp(programName, { osUser, isRoot: isRoot() });
  if (found.noun === null) return printData(general);
  const commands = found.load === null ? await loadCommands(found.noun) : [await found.load()];
  return printData(commands.length === 0 ? general : renderCommandsHelp(programName, commands));
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
  if (["optional", "unused", "examined"].includes(command.configuration) || loaded.file !== null) return;
  if (command.configuration === "unless-connection-given" && parsed.connection.size > 0) return;
  throw new UserError(exitCodes.badConfiguration, {
    message: "no configuration file was found",
    detail:
      "looked for ./repmgr.conf, /etc/repmgr.conf and repmgr.conf in the system's configuration directories",
    hint: "provide the file of this node with -f/--config-file",
  });
}
