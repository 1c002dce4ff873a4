import type { CatalogueEntry } from "../define-command.js";
import { generalOptions } from "../general-options.js";
import { optionTable, type OptionName } from "../option-table.js";

export interface CompletedOption {
  /** Spellings with their hyphens, short ones first. */
  readonly spellings: readonly string[];
  readonly long: string;
  readonly short: string | null;
  readonly help: string;
  /** `optional`: a value is taken only after `=`. */
  readonly value: "none" | "next-word" | "optional";
  readonly argument: string;
  readonly choices: readonly string[];
  readonly names: "file" | "directory" | "host" | null;
}

export interface CompletedCommand {
  /** Noun and verb, with their aliases. */
  readonly spellings: readonly string[];
  readonly noun: string;
  /** Empty for a command of one word. */
  readonly verb: string;
  readonly summary: string;
  readonly options: readonly CompletedOption[];
  readonly takesHost: boolean;
}

/** What a shell needs to know about the command line; made from the declarations, so that nothing is asked later. */
export interface CompletionModel {
  readonly programName: string;
  readonly commands: readonly CompletedCommand[];
  readonly generalOptions: readonly CompletedOption[];
  /** Every option of the table, honoured by a command that exists or not. */
  readonly allOptions: readonly CompletedOption[];
}

export function describeCompletion(
  catalogue: readonly CatalogueEntry[],
  programName: string,
): CompletionModel {
  return {
    programName,
    commands: catalogue.map(({ command, spellings }) => {
      const [noun = "", verb = ""] = command.name.split(" ");
      const { summary, takesHost } = command;
      return { spellings, noun, verb, summary, takesHost, options: describeOptions(command.options) };
    }),
    generalOptions: Object.values(generalOptions).flatMap(describeOptions),
    allOptions: (Object.keys(optionTable) as OptionName[]).map((name) => describeOption(name, "")),
  };
}

/** A noun with its other names, and its commands. */
export interface CompletedNoun {
  readonly nouns: readonly string[];
  readonly commands: readonly CompletedCommand[];
}

export function groupByNoun(commands: readonly CompletedCommand[]): readonly CompletedNoun[] {
  const declared = new Set(commands.map(({ noun }) => noun));
  return [...declared].map((noun) => {
    const own = commands.filter((command) => command.noun === noun);
    const isAlias = (name: string): boolean =>
      (name === noun || !declared.has(name)) &&
      own.every(({ spellings, verb }) => spellings.includes(`${name} ${verb}`.trimEnd()));
    const names = own.flatMap(({ spellings }) => spellings.map((spelling) => spelling.split(" ")[0] ?? ""));
    return { nouns: [...new Set(names.filter(isAlias))], commands: own };
  });
}

/** The spellings as a shell holds them, `$noun $verb`: that of one word ends with a blank. */
export const spellWithBlank = ({ spellings }: CompletedCommand): readonly string[] =>
  spellings.map((spelling) => (spelling.includes(" ") ? spelling : `${spelling} `));

/** The commands of a noun that need a verb. */
export const withVerb = ({ commands }: CompletedNoun): readonly CompletedCommand[] =>
  commands.filter(({ verb }) => verb !== "");

const describeOptions = (options: Partial<Record<OptionName, string>>): readonly CompletedOption[] =>
  (Object.entries(options) as [OptionName, string][]).map(([name, help]) => describeOption(name, help));

function describeOption(name: OptionName, help: string): CompletedOption {
  const { type, short = null, aliases = [], argument = "", choices = [], names = null } = optionTable[name];
  const spellings = [
    ...(short === null ? [] : [`-${short}`]),
    `--${name}`,
    ...aliases.map((alias) => `--${alias}`),
  ];
  const value = type === "boolean" ? "none" : type.startsWith("optional-") ? "optional" : "next-word";
  return { spellings, long: name, short, help, value, argument, choices, names };
}
