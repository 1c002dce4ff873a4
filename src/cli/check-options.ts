import type { Command } from "../commands/define-command.js";
import { optionTable, type AllOptionValues, type OptionName } from "../commands/option-table.js";
import { parseDuration } from "../model/duration.js";
import type { ParsedArguments } from "./parse-arguments.js";

export interface OptionVerdict {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  /** The options without those that are ignored because of another one. */
  readonly options: AllOptionValues;
}

/** Options of which only one can be given, whatever the command. */
const rivals: readonly (readonly OptionName[])[] = [
  ["csv", "nagios", "optformat", "format"],
  ["wait", "no-wait"],
];

/** The same for commands that honour them; elsewhere each of them is only out of place. */
const rivalsWhereHonoured: readonly (readonly OptionName[])[] = [
  ["repmgrd-no-pause", "repmgrd-force-unpause"],
  ["disable-wal-receiver", "enable-wal-receiver"],
];

/** Holds the given options against those that the command declares (reference: repmgr's option table). */
export function checkOptions(command: Command, parsed: ParsedArguments): OptionVerdict {
  const errors: string[] = [];
  const warnings: string[] = [];
  for (const name of parsed.given) {
    const { global = false, elsewhere, deprecated } = optionTable[name];
    if (deprecated !== undefined) warnings.push(deprecated);
    if (global || isHonoured(command, name) || elsewhere === "accept") continue;
    const text = `--${name} is not effective when executing ${command.name.toUpperCase()}`;
    if (elsewhere === "error" && command.effect === "changes") errors.push(text);
    else warnings.push(text);
  }
  const honoured = rivalsWhereHonoured.filter((group) => group.every((name) => isHonoured(command, name)));
  errors.push(...[...rivals, ...honoured].flatMap((group) => refuseRivals(group, parsed.given)));
  errors.push(...checkDelay(parsed.options["recovery-min-apply-delay"]));
  const choice = chooseSelectors(command, parsed);
  errors.push(...choice.errors, ...command.checkOptions(choice.options, parsed.connection));
  warnings.push(...choice.warnings);
  return { errors, warnings, options: choice.options };
}

const isHonoured = (command: Command, name: OptionName): boolean => command.options[name] !== undefined;

function refuseRivals(group: readonly OptionName[], given: readonly OptionName[]): readonly string[] {
  const present = given.filter((name) => group.includes(name));
  return present.length < 2
    ? []
    : [`only one of ${present.map((name) => `--${name}`).join(", ")} can be used`];
}

/** repmgr reads this value whatever the command. */
function checkDelay(delay: string | undefined): readonly string[] {
  return delay === undefined || parseDuration(delay, "ms") !== null
    ? []
    : [`--recovery-min-apply-delay: "${delay}" is not a number with a unit of ms, s, min, h or d`];
}

/** Two ways to select: repmgr takes the id and the limit. Where something is changed, two ways to name a node are an error. */
function chooseSelectors(command: Command, { given, options }: ParsedArguments): OptionVerdict {
  const honoursBoth = (...names: readonly OptionName[]): boolean =>
    names.every((name) => given.includes(name) && isHonoured(command, name));
  const errors: string[] = [];
  const warnings: string[] = [];
  let chosen = options;
  if (honoursBoth("all", "limit")) {
    warnings.push("--limit provided, ignoring --all");
    chosen = { ...chosen, all: false };
  }
  if (honoursBoth("node-id", "node-name")) {
    if (command.effect === "changes") {
      errors.push("only one of --node-id, --node-name can be used");
    } else {
      warnings.push("--node-id provided, ignoring --node-name");
      chosen = { ...chosen, "node-name": undefined };
    }
  }
  return { errors, warnings, options: chosen };
}
