/** How one program spells its options; the grammar is getopt_long's. */
export interface OptionGrammar<Name extends string> {
  /** Every long spelling. */
  readonly longNames: ReadonlyMap<string, Name>;
  readonly shortNames: ReadonlyMap<string, Name>;
  /** `none` takes no value, `required` also the next word, `optional` one after `=` only. */
  readonly valueOf: (name: Name) => "none" | "required" | "optional";
  /** Not one of repmgr's: it makes no abbreviation ambiguous that repmgr understands. */
  readonly isAdded: (name: Name) => boolean;
  /** Options whose first sight ends the reading, as in repmgr: what follows them is not looked at. */
  readonly endsReading: ReadonlySet<Name>;
}

/** One option as typed, resolved to its full name. `value` is null where none was given. */
export interface ReadOption<Name extends string> {
  readonly name: Name;
  readonly value: string | null;
}

export interface ReadArguments<Name extends string> {
  readonly options: readonly ReadOption<Name>[];
  readonly words: readonly string[];
  /** What getopt says about options that it does not know, without the program's name. */
  readonly unknown: readonly UnknownOption[];
}

export interface UnknownOption {
  readonly message: string;
  /** The long name as typed, for a suggestion; null when the option is known but misused. */
  readonly typed: string | null;
}

interface Reading<Name extends string> {
  readonly grammar: OptionGrammar<Name>;
  readonly options: ReadOption<Name>[];
  readonly unknown: UnknownOption[];
  readonly nextWord: () => string | null;
}

/**
 * Reads argv with getopt_long's grammar: options anywhere, combined short options, unique prefixes of long ones,
 * optional values only after `=`, everything after `--` a word.
 */
export function readGetopt<Name extends string>(
  argv: readonly string[],
  grammar: OptionGrammar<Name>,
): ReadArguments<Name> {
  const options: ReadOption<Name>[] = [];
  const words: string[] = [];
  const unknown: UnknownOption[] = [];
  const rest = [...argv];
  const nextWord = (): string | null => rest.shift() ?? null;
  const reading = { grammar, options, unknown, nextWord };
  for (let argument = nextWord(); argument !== null; argument = nextWord()) {
    if (argument === "--") {
      words.push(...rest.splice(0));
    } else if (argument.startsWith("--")) {
      readLongOption(argument.slice(2), reading);
    } else if (argument.startsWith("-") && argument.length > 1) {
      readShortOptions(argument.slice(1), reading);
    } else {
      words.push(argument);
    }
    if (options.some(({ name }) => grammar.endsReading.has(name))) break;
  }
  return { options, words, unknown };
}

function readLongOption<Name extends string>(text: string, reading: Reading<Name>): void {
  const { grammar, options, unknown, nextWord } = reading;
  const equals = text.indexOf("=");
  const typed = equals < 0 ? text : text.slice(0, equals);
  const attached = equals < 0 ? null : text.slice(equals + 1);
  const resolved = resolveLongName(typed, grammar);
  if (resolved.kind === "none") {
    unknown.push({ message: `unrecognized option '--${text}'`, typed });
  } else if (resolved.kind === "ambiguous") {
    const possibilities = resolved.names.map((name) => `'--${name}'`).join(" ");
    unknown.push({
      message: `option '--${text}' is ambiguous; possibilities: ${possibilities}`,
      typed: null,
    });
  } else if (grammar.valueOf(resolved.name) === "none" && attached !== null) {
    unknown.push({ message: `option '--${resolved.name}' doesn't allow an argument`, typed: null });
  } else if (grammar.valueOf(resolved.name) === "required" && attached === null) {
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

function readShortOptions<Name extends string>(letters: string, reading: Reading<Name>): void {
  const { grammar, options, unknown, nextWord } = reading;
  for (let index = 0; index < letters.length; index += 1) {
    const letter = letters.charAt(index);
    const name = grammar.shortNames.get(letter);
    if (name === undefined) {
      unknown.push({ message: `invalid option -- '${letter}'`, typed: null });
    } else if (grammar.valueOf(name) === "required") {
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

type Resolution<Name> =
  | { readonly kind: "one"; readonly name: Name }
  | { readonly kind: "none" }
  | { readonly kind: "ambiguous"; readonly names: readonly string[] };

/** repmgr's own options come first: one that was added here makes no abbreviation ambiguous that scripts may use. */
function resolveLongName<Name extends string>(
  typed: string,
  { longNames, isAdded }: OptionGrammar<Name>,
): Resolution<Name> {
  const exact = longNames.get(typed);
  if (exact !== undefined) return { kind: "one", name: exact };
  if (typed === "") return { kind: "none" };
  const matches = [...longNames].filter(([spelling]) => spelling.startsWith(typed));
  const known = matches.filter(([, name]) => !isAdded(name));
  const eligible = known.length > 0 ? known : matches;
  const [first, ...others] = new Set(eligible.map(([, name]) => name));
  if (first === undefined) return { kind: "none" };
  if (others.length === 0) return { kind: "one", name: first };
  return { kind: "ambiguous", names: eligible.map(([spelling]) => spelling) };
}
