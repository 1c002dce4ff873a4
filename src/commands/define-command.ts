import type { Settings } from "../config/settings-table.js";
import type { Context } from "../context.js";
import type { ExitCode } from "../errors/exit-codes.js";
import type { Conninfo } from "../model/conninfo.js";
import type { AllOptionValues, OptionName, OptionValues } from "./option-table.js";

export type OutputFormat = "text" | "csv" | "json" | "nagios" | "optformat";

export interface CommandContext extends Context {
  readonly settings: Settings;
  /** Absolute path of the `repmgr.conf` in use; null when none was found or needed. */
  readonly configFile: string | null;
  /** The connection options of the command line (`-d -h -p -U`, positional host), in the order given; empty without. */
  readonly connection: Conninfo;
  readonly format: OutputFormat;
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
  /** Whether a `repmgr.conf` with a `node_id` must be there. */
  readonly configuration: "required" | "optional" | "unless-connection-given";
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
    checkOptions: (values, connection) => declaration.checkOptions?.(values, connection) ?? [],
    run: (context, values) => declaration.run(context, values),
  };
}
