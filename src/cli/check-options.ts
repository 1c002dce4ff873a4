import type { Command } from "../commands/define-command.js";
import { optionTable } from "../commands/option-table.js";
import type { ParsedArguments } from "./parse-arguments.js";

export interface OptionVerdict {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

/** Holds the given options against those that the command declares (reference: repmgr's option table). */
export function checkOptions(command: Command, parsed: ParsedArguments): OptionVerdict {
  const errors: string[] = [];
  const warnings: string[] = [];
  for (const name of parsed.given) {
    const { global = false, elsewhere } = optionTable[name];
    if (global || command.options[name] !== undefined || elsewhere === "accept") continue;
    const text = `--${name} is not effective when executing ${command.name.toUpperCase()}`;
    if (elsewhere === "error" && command.effect === "changes") errors.push(text);
    else warnings.push(text);
  }
  const formats = parsed.given.filter((name) => ["csv", "nagios", "optformat", "format"].includes(name));
  if (formats.length > 1) {
    errors.push(`only one of ${formats.map((name) => `--${name}`).join(", ")} can be used`);
  }
  errors.push(...command.checkOptions(parsed.options, parsed.connection));
  return { errors, warnings };
}
