import { exitCodes } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";
import { systemFiles, type FileAccess, type Files } from "../system/files.js";
import { collectSettings, type CollectedSettings } from "./collect-settings.js";
import type { ConfigurationProblem } from "./configuration-problem.js";
import { checkTogether } from "./cross-checks.js";
import { completeSettings } from "./default-settings.js";
import { findConfigurationFile } from "./find-conf.js";
import { parseConf } from "./parse-conf.js";
import { readConfText } from "./read-conf-text.js";
import { settingNames, settingsTable, type SettingName, type Settings } from "./settings-table.js";

export interface ConfigurationRequest {
  /** The argument of `-f`; null to search the usual places. */
  readonly explicitFile: string | null;
  readonly environment: {
    readonly variables: Readonly<Record<string, string | undefined>>;
    readonly workingDirectory: string;
  };
  readonly files?: Files;
}

export interface LoadedConfiguration {
  /** Absolute path; null when none was found. */
  readonly file: string | null;
  readonly isFoundBySearch: boolean;
  readonly settings: Settings;
  readonly warnings: readonly ConfigurationProblem[];
  /** With errors the settings are incomplete and not to be used. */
  readonly errors: readonly ConfigurationProblem[];
}

/**
 * Reads the configuration and collects everything that is wrong with it. Throws UserError (exit code 1) only when
 * there is no text to read: file missing, unreadable, empty, not text, or far too large.
 */
export function loadConfiguration(request: ConfigurationRequest): LoadedConfiguration {
  const { explicitFile, environment, files = systemFiles } = request;
  const search = {
    explicitFile,
    workingDirectory: environment.workingDirectory,
    shellDirectory: environment.variables["PWD"],
  };
  const file = findConfigurationFile(search, files);
  if (file === null) {
    return { file, isFoundBySearch: false, settings: completeSettings(new Map()), warnings: [], errors: [] };
  }
  const text = requireText(readConfText(file, files), { file, explicitFile });
  const collected = collectSettings(parseConf(text, file, files));
  const settings = completeSettings(collected.values);
  const together = locateTogether(collected, settings, file);
  return {
    file,
    isFoundBySearch: explicitFile === null,
    settings,
    warnings: [...collected.warnings, ...together.warnings],
    errors: [...collected.errors, ...findMissing(collected, file), ...together.errors],
  };
}

interface NamedFile {
  readonly file: string;
  readonly explicitFile: string | null;
}

function requireText(read: FileAccess<string>, { file, explicitFile }: NamedFile): string {
  const hint = "a repmgr.conf holds at least node_id, node_name, conninfo and data_directory";
  const refuse = (message: string, detail?: string): UserError =>
    new UserError(exitCodes.badConfiguration, { message, ...(detail === undefined ? { hint } : { detail }) });
  if (read.ok) {
    if (read.value.trim() === "") throw refuse(`configuration file "${file}" is empty`);
    return read.value;
  }
  const shown = explicitFile ?? file;
  const origin = explicitFile === null ? "default" : "provided";
  if (read.code === "ENOENT") throw refuse(`${origin} configuration file "${shown}" not found`, read.reason);
  throw refuse(`unable to open ${origin} configuration file "${shown}"`, read.reason);
}

/** A setting that is there but wrong is not also called missing. */
function findMissing({ values, failed }: CollectedSettings, file: string): readonly ConfigurationProblem[] {
  return settingNames
    .filter((name) => settingsTable[name].required === true && !failed.has(name))
    .filter((name) => (values.get(name) ?? "") === "")
    .map((name) => ({ file, line: null, message: `"${name}": required parameter was not found` }));
}

function locateTogether(
  { places, failed }: CollectedSettings,
  settings: Settings,
  file: string,
): Pick<LoadedConfiguration, "warnings" | "errors"> {
  const problems = checkTogether(settings)
    .filter(({ about }) => !about.some((name) => failed.has(name)))
    .map(({ severity, about, message }) => ({
      severity,
      problem: { ...lastPlace(about, places, file), message },
    }));
  const ofSeverity = (wanted: "warning" | "error"): readonly ConfigurationProblem[] =>
    problems.filter(({ severity }) => severity === wanted).map(({ problem }) => problem);
  return { warnings: ofSeverity("warning"), errors: ofSeverity("error") };
}

function lastPlace(
  about: readonly SettingName[],
  places: CollectedSettings["places"],
  file: string,
): Pick<ConfigurationProblem, "file" | "line"> {
  const known = [...places].filter(([name]) => about.includes(name)).map(([, place]) => place);
  const latest = (a: (typeof known)[number], b: (typeof known)[number]) =>
    (b.line ?? 0) >= (a.line ?? 0) ? b : a;
  return known.length === 0 ? { file, line: null } : known.reduce(latest);
}
