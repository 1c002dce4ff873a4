import { maskConninfo } from "../model/conninfo.js";
import { formatConfValue } from "./conf-lexer.js";
import { findOldKey } from "./old-keys.js";
import { readSetting } from "./read-setting.js";
import { isSettingName, type SettingName } from "./settings-table.js";

/** Longer than any valid line can be; the patterns below take quadratic time on long runs of blanks. */
const LONGEST_LINE = 4096;

/** The name at the beginning of a line that the grammar refuses; null if there is none. */
export function nameOnLine(line: string): string | null {
  return /^\s*([A-Za-z_][A-Za-z_0-9]*)(?=[\s=]|$)/.exec(line)?.[1] ?? null;
}

/** The setting that a name stands for, by itself or as its old name. */
export function settingNamed(name: string): SettingName | null {
  if (isSettingName(name)) return name;
  const oldKey = findOldKey(name);
  return oldKey === null || oldKey.kind === "removed" ? null : oldKey.to;
}

/** A line that the grammar refuses, as it was probably meant; null when that cannot be told. */
export function correctLine(line: string): string | null {
  if (line.length > LONGEST_LINE) return null;
  const typed = nameOnLine(line);
  const name = typed === null ? null : settingNamed(typed);
  const rest = /^\s*\w+\s*=?\s*(.*?)\s*$/.exec(line)?.[1] ?? "";
  const value = intendedValue(rest);
  return name === null || value === null ? null : correctSetting(name, value);
}

/** The line that sets `name` to `value`; null when the setting would not take it. Secrets are masked. */
export function correctSetting(name: SettingName, value: string): string | null {
  if (!readSetting(name, value).ok) return null;
  return `${name}=${formatConfValue(maskConninfo(value))}`;
}

function intendedValue(rest: string): string | null {
  if (rest === "" || rest.startsWith("=")) return null;
  const doubleQuoted = /^"([^"]*)"\s*(?:#.*)?$/.exec(rest);
  if (doubleQuoted !== null) return doubleQuoted[1] ?? null;
  if (rest.startsWith("'")) {
    const inside = /^'(.*?)'?$/.exec(rest)?.[1] ?? "";
    return /'\s/.test(inside) ? null : inside;
  }
  return rest.replace(/\s+#.*$/, "");
}

/** Whether a text may hold a password in a form that cannot be masked reliably. */
export function mayHoldSecret(text: string): boolean {
  return /pass(?!file\s*=)|pas+w|pwd|secret|:\/\/[^\s/]*@/i.test(text);
}
