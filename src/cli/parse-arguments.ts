import { Command as Parser, Option } from "commander";
import { optionTable, type AllOptionValues, type OptionName } from "../commands/option-table.js";
import { ConninfoError, isConninfo, mergeConninfo, parseConninfo, type Conninfo } from "../model/conninfo.js";
import { normaliseArguments, type GivenOption, type UnknownOption } from "./normalise-arguments.js";

export interface ParsedArguments {
  readonly options: AllOptionValues;
  /** Names of the options that were given, in their order. */
  readonly given: readonly OptionName[];
  readonly words: readonly string[];
  /** Connection parameters of `-h -p -U -d`, in the order given; a conninfo in `-d` is laid over the others. */
  readonly connection: Conninfo;
  readonly unknown: readonly UnknownOption[];
  /** Values that do not fit, to be shown together with the other errors of the command line. */
  readonly errors: readonly string[];
}

/** Reads the command line. Nothing is thrown and nothing printed: all problems are in the result. */
export function parseArguments(argv: readonly string[]): ParsedArguments {
  const { options, words, unknown } = normaliseArguments(argv);
  const errors: string[] = [];
  const parser = new Parser().helpOption(false);
  const given = [...new Set(options.map(({ name }) => name))];
  // commander compares every option with all others, which takes longer than all else here.
  for (const name of given) parser.addOption(toParserOption(name, errors));
  parser.parse(options.map(toCanonicalWord), { from: "user" });
  return {
    options: { ...unsetOptions, ...parser.opts<AllOptionValues>() },
    given,
    words,
    connection: readConnection(options, errors),
    unknown,
    errors,
  };
}

const unsetOptions = Object.fromEntries(
  Object.entries(optionTable).flatMap(([name, { type }]) => (type === "boolean" ? [[name, false]] : [])),
) as Partial<AllOptionValues>;

function toCanonicalWord({ name, value }: GivenOption): string {
  return value === null ? `--${name}` : `--${name}=${value}`;
}

function toParserOption(name: OptionName, errors: string[]): Option {
  const { type } = optionTable[name];
  const takes = type === "boolean" ? "" : type.startsWith("optional-") ? " [value]" : " <value>";
  const option = new Option(`--${name}${takes}`);
  // commander reads --no-wait as the opposite of --wait; here both are options of their own.
  option.negate = false;
  option.attributeName = () => name;
  if (type === "boolean") return option;
  return option.argParser((text: string) => readValue(name, text, errors));
}

function readValue(name: OptionName, text: string, errors: string[]): string | number | undefined {
  const { type, minimum, choices, maximumLength } = optionTable[name];
  if (type === "integer" || type === "optional-integer") {
    const number = /^[+-]?\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
    if (
      Number.isSafeInteger(number) &&
      number <= MAXIMUM_INTEGER &&
      number >= (minimum ?? -MAXIMUM_INTEGER)
    ) {
      return number;
    }
    errors.push(`value of --${name} must be an integer of at least ${minimum ?? 0} (provided: "${text}")`);
    return undefined;
  }
  if (choices !== undefined && !choices.includes(text)) {
    errors.push(
      `value of --${name} must be one of ${choices.map((choice) => `"${choice}"`).join(", ")} (provided: "${text}")`,
    );
    return undefined;
  }
  if (maximumLength !== undefined && Buffer.byteLength(text) > maximumLength) {
    errors.push(`value of --${name} must not be longer than ${maximumLength} bytes (provided: "${text}")`);
    return undefined;
  }
  return text;
}

const MAXIMUM_INTEGER = 2 ** 31 - 1;

const CONNECTION_KEYWORDS: Partial<Record<OptionName, string>> = {
  host: "host",
  port: "port",
  username: "user",
  dbname: "dbname",
};

function readConnection(options: readonly GivenOption[], errors: string[]): Conninfo {
  const connection = new Map<string, string>();
  for (const { name, value } of options) {
    const keyword = CONNECTION_KEYWORDS[name];
    if (keyword === undefined || value === null || (name === "dbname" && isConninfo(value))) continue;
    connection.set(keyword, value);
  }
  const dbname = options.findLast(({ name }) => name === "dbname")?.value ?? "";
  if (!isConninfo(dbname)) return connection;
  try {
    return mergeConninfo(connection, parseConninfo(dbname));
  } catch (error) {
    if (!(error instanceof ConninfoError)) throw error;
    errors.push(`error parsing conninfo for -d/--dbname: ${error.message}`);
    return connection;
  }
}
