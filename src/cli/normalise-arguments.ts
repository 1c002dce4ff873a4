import { optionTable, type OptionName } from "../commands/option-table.js";
import { readGetopt, type OptionGrammar, type ReadArguments, type ReadOption } from "./read-getopt.js";

export type { UnknownOption } from "./read-getopt.js";

/** One option as typed, resolved to its full name. `value` is null where none was given. */
export type GivenOption = ReadOption<OptionName>;

const longNames = new Map<string, OptionName>();
const shortNames = new Map<string, OptionName>();
for (const name of Object.keys(optionTable) as OptionName[]) {
  const { aliases = [], short } = optionTable[name];
  for (const spelling of [name, ...aliases]) longNames.set(spelling, name);
  if (short !== undefined) shortNames.set(short, name);
}

/** Every spelling of a long option. */
export const longOptionNames: readonly string[] = [...longNames.keys()];

const grammar: OptionGrammar<OptionName> = {
  longNames,
  shortNames,
  valueOf: (name) => {
    const { type } = optionTable[name];
    if (type === "boolean") return "none";
    return type.startsWith("optional-") ? "optional" : "required";
  },
  isAdded: (name) => optionTable[name].added === true,
  endsReading: new Set<OptionName>(["version", "version-number"]),
};

/** Reads the command line of the commands with getopt_long's grammar. */
export function normaliseArguments(argv: readonly string[]): ReadArguments<OptionName> {
  return readGetopt(argv, grammar);
}
