import type { Settings } from "../config/settings-table.js";
import type { Context } from "../context.js";
import type { ExitCode, ExitCodeName } from "../errors/exit-codes.js";
import type { Conninfo } from "../model/conninfo.js";
import type { Display } from "../output/display.js";
import type { AllOptionValues, OptionName, OptionValues } from "./option-table.js";

export type OutputFormat = "text" | "csv" | "json" | "nagios" | "optformat";

/** As they are shown, `file:line: …` each. */
interface ConfigurationProblems {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

export interface CommandContext extends Context {
  readonly settings: Settings;
  /** Absolute path of the `repmgr.conf` in use; null when none was found or needed. */
  readonly configFile: string | null;
  /** What is wrong with that file; errors only for a command whose `configuration` is `examined`. */
  readonly configurationProblems: ConfigurationProblems;
  /** The connection options of the command line (`-d -h -p -U`, positional host), in the order given; empty without. */
  readonly connection: Conninfo;
  readonly format: OutputFormat;
  /** How data output may look: colours, drawing characters, redrawing. */
  readonly display: Display;
  /** Every command, for what describes the commands themselves. */
  readonly loadCatalogue: () => Promise<readonly CatalogueEntry[]>;
}

/** A command with every way to write its noun and verb, the declared one first. */
export interface CatalogueEntry {
  readonly command: Command;
  readonly spellings: readonly string[];
}

interface CommandDeclaration<Names extends OptionName> {
  /** Noun and verb as typed, `standby clone`. */
  readonly name: string;
  /** One line for help. */
  readonly summary: string;
  /** The options that the command honours, each with what it does here. */
  readonly options: Readonly<Record<Names, string>>;
  /** Whether the command can change a node or the metadata: such a command has `--dry-run`, and takes no option silently. */
  readonly effect: "reads" | "changes";
  /** Takes the source host as a third word (`standby clone HOST`). */
  readonly takesHost?: true;
  /**
   * Whether a `repmgr.conf` with a `node_id` must be there; `unused`: none is read, so that a broken one is no obstacle;
   * `examined`: the command itself tells what is wrong with it.
   */
  readonly configuration: "required" | "optional" | "unless-connection-given" | "unused" | "examined";
  /** Runs for root too: it touches neither a server nor the files of one. */
  readonly isForRoot?: true;
  /** The exit codes that it ends with by its own rules, for the reference. */
  readonly exitCodes: readonly ExitCodeName[];
  /** Command lines without the program's name, for help and the reference. */
  readonly examples: readonly string[];
  /** Requirements between options, shown with the other errors of the command line. */
  readonly checkOptions?: (options: OptionValues<Names>, connection: Conninfo) => readonly string[];
  /** Does the work. Throws UserError for what a user can mend. */
  readonly run: (context: CommandContext, options: OptionValues<Names>) => Promise<ExitCode>;
}

/** A command whatever its options, as the front end holds it. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly options: Readonly<Partial<Record<OptionName, string>>>;
  readonly effect: CommandDeclaration<never>["effect"];
  readonly takesHost: boolean;
  readonly configuration: CommandDeclaration<never>["configuration"];
  readonly isForRoot: boolean;
  readonly exitCodes: readonly ExitCodeName[];
  readonly examples: readonly string[];
  checkOptions(options: AllOptionValues, connection: Conninfo): readonly string[];
  run(context: CommandContext, options: AllOptionValues): Promise<ExitCode>;
}

/** Declares a command; the names of its options decide the type of what `run` receives. */
export function defineCommand<Names extends OptionName>(declaration: CommandDeclaration<Names>): Command {
  const options: Readonly<Partial<Record<OptionName, string>>> = declaration.options;
  return {
    name: declaration.name,
    summary: declaration.summary,
    options,
    effect: declaration.effect,
    takesHost: declaration.takesHost ?? false,
    configuration: declaration.configuration,
    isForRoot: declaration.isForRoot ?? false,
    exitCodes: declaration.exitCodes,
    examples: declaration.examples,
    checkOptions: (values, connection) => declaration.checkOptions?.(values, connection) ?? [],
    run: (context, values) => declaration.run(context, values),
  };
}
