import { optionTable, type OptionName } from "../commands/option-table.js";

/** One option as typed, resolved to its full name. `value` is null where none was given. */
export interface GivenOption {
  readonly name: OptionName;
  readonly value: string | null;
}

export interface NormalisedArguments {
  readonly options: readonly GivenOption[];
  readonly words: readonly string[];
  /** What getopt says about options that it does not know, without the program's name. */
  readonly unknown: readonly UnknownOption[];
}

export interface UnknownOption {
  readonly message: string;
  /** The long name as typed, for a suggestion; null when the option is known but misused. */
  readonly typed: string | null;
}

const longNames = new Map<string, OptionName>();
const shortNames = new Map<string, OptionName>();
for (const name of Object.keys(optionTable) as OptionName[]) {
  const { aliases = [], short } = optionTable[name];
  for (const spelling of [name, ...aliases]) longNames.set(spelling, name);
  if (short !== undefined) shortNames.set(short, name);
}

/** Every spelling of a long option. */
export const longOptionNames: readonly string[] = [...longNames.keys()];

/** Options whose first sight ends the reading, as in repmgr: what follows them is not looked at. */
const endsReading = new Set<OptionName>(["version", "version-number"]);

const takesNextWord = (name: OptionName): boolean => ["string", "integer"].includes(optionTable[name].type);

/**
 * Reads argv with getopt_long's grammar: options anywhere, combined short options, unique prefixes of long ones,
 * optional values only after `=`, everything after `--` a word.
 */
export function normaliseArguments(argv: readonly string[]): NormalisedArguments {
  const options: GivenOption[] = [];
  const words: string[] = [];
  const unknown: UnknownOption[] = [];
  const rest = [...argv];
  const nextWord = (): string | null => rest.shift() ?? null;
  for (let argument = nextWord(); argument !== null; argument = nextWord()) {
    if (argument === "--") {
      words.push(...rest.splice(0));
    } else if (argument.startsWith("--")) {
      readLongOption(argument.slice(2), { options, unknown, nextWord });
    } else if (argument.startsWith("-") && argument.length > 1) {
      readShortOptions(argument.slice(1), { options, unknown, nextWord });
    } else {
      words.push(argument);
    }
    if (options.some(({ name }) => endsReading.has(name))) break;
  }
  return { options, words, unknown };
}

interface Reading {
  readonly options: GivenOption[];
  readonly unknown: UnknownOption[];
  readonly nextWord: () => string | null;
}

function readLongOption(text: string, { options, unknown, nextWord }: Reading): void {
  const equals = text.indexOf("=");
  const typed = equals < 0 ? text : text.slice(0, equals);
  const attached = equals < 0 ? null : text.slice(equals + 1);
  const resolved = resolveLongName(typed);
  if (resolved.kind === "none") {
    unknown.push({ message: `unrecognized option '--${text}'`, typed });
  } else if (resolved.kind === "ambiguous") {
    const possibilities = resolved.names.map((name) => `'--${name}'`).join(" ");
    unknown.push({
      message: `option '--${text}' is ambiguous; possibilities: ${possibilities}`,
      typed: null,
    });
  } else if (optionTable[resolved.name].type === "boolean" && attached !== null) {
    unknown.push({ message: `option '--${resolved.name}' doesn't allow an argument`, typed: null });
  } else if (takesNextWord(resolved.name) && attached === null) {
    const value = nextWord();
    if (value === null) {
      unknown.push({ message: `option '--${resolved.name}' requires an argument`, typed: null });
    } else {
      options.push({ name: resolved.name, value });
    }
  } else {
    options.push({ name: resolved.name, value: attached });
  }
}

function readShortOptions(letters: string, { options, unknown, nextWord }: Reading): void {
  for (let index = 0; index < letters.length; index += 1) {
    const letter = letters.charAt(index);
    const name = shortNames.get(letter);
    if (name === undefined) {
      unknown.push({ message: `invalid option -- '${letter}'`, typed: null });
    } else if (takesNextWord(name)) {
      const attached = letters.slice(index + 1);
      const value = attached === "" ? nextWord() : attached;
      if (value === null) {
        unknown.push({ message: `option requires an argument -- '${letter}'`, typed: null });
      } else {
        options.push({ name, value });
      }
      return;
    } else {
      options.push({ name, value: null });
    }
  }
}

type Resolution =
  | { readonly kind: "one"; readonly name: OptionName }
  | { readonly kind: "none" }
  | { readonly kind: "ambiguous"; readonly names: readonly string[] };

/** repmgr's own options come first: one that was added here makes no abbreviation ambiguous that scripts may use. */
function resolveLongName(typed: string): Resolution {
  const exact = longNames.get(typed);
  if (exact !== undefined) return { kind: "one", name: exact };
  if (typed === "") return { kind: "none" };
  const matches = [...longNames].filter(([spelling]) => spelling.startsWith(typed));
  const known = matches.filter(([, name]) => optionTable[name].added !== true);
  const eligible = known.length > 0 ? known : matches;
  const [first, ...others] = new Set(eligible.map(([, name]) => name));
  if (first === undefined) return { kind: "none" };
  if (others.length === 0) return { kind: "one", name: first };
  return { kind: "ambiguous", names: eligible.map(([spelling]) => spelling) };
}
