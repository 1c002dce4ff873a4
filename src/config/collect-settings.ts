import { describeOldKey, findOldKey } from "./old-keys.js";
import { correctLine, correctSetting, mayHoldSecret, nameOnLine, settingNamed } from "./correct-line.js";
import type { ConfigurationProblem } from "./configuration-problem.js";
import { SECRET_MASK } from "../model/conninfo-keywords.js";
import type { ConfEntry } from "./parse-conf.js";
import { suggest } from "../output/suggest.js";
import { readSetting } from "./read-setting.js";
import { isSettingName, settingNames, type SettingName } from "./settings-table.js";
import type { SettingValue } from "./settings-table/setting-shape.js";

export interface CollectedSettings {
  readonly values: ReadonlyMap<SettingName, SettingValue>;
  /** Where each setting got its value. */
  readonly places: ReadonlyMap<SettingName, Pick<ConfigurationProblem, "file" | "line">>;
  /** Settings that were written down in some wrong way; nothing further is said about them. */
  readonly failed: ReadonlySet<SettingName>;
  readonly warnings: readonly ConfigurationProblem[];
  readonly errors: readonly ConfigurationProblem[];
}

type Entry<Kind extends ConfEntry["kind"]> = Extract<ConfEntry, { readonly kind: Kind }>;

/** Judges every entry by itself; the last one of a setting counts, except that lists and mappings accumulate. */
export function collectSettings(entries: readonly ConfEntry[]): CollectedSettings {
  const values = new Map<SettingName, SettingValue>();
  const places = new Map<SettingName, Pick<ConfigurationProblem, "file" | "line">>();
  const failed = new Set<SettingName>();
  const warnings: ConfigurationProblem[] = [];
  const errors: ConfigurationProblem[] = [];
  const fail = (name: SettingName | null, problem: ConfigurationProblem): void => {
    errors.push(problem);
    if (name !== null) failed.add(name);
  };

  for (const entry of entries) {
    const { file, line } = entry;
    if (entry.kind === "problem") errors.push({ file, line, message: entry.message });
    else if (entry.kind === "syntax-error")
      fail(settingNamed(nameOnLine(entry.text) ?? ""), describeSyntaxError(entry));
    else if (isSettingName(entry.name)) {
      const read = readSetting(entry.name, entry.value);
      if (read.ok) {
        values.set(entry.name, accumulate(values.get(entry.name), read.value));
        places.set(entry.name, { file, line });
      } else fail(entry.name, { file, line, message: read.message });
    } else {
      const oldKey = describeOldSetting(entry);
      if (oldKey === null) warnings.push({ file, line, message: describeUnknown(entry) });
      else fail(settingNamed(entry.name), oldKey);
    }
  }
  return { values, places, failed, warnings, errors };
}

function accumulate(before: SettingValue | undefined, value: SettingValue): SettingValue {
  return isList(before) && isList(value) ? ([...before, ...value] as SettingValue) : value;
}

const isList = (value: SettingValue | undefined): value is Extract<SettingValue, readonly unknown[]> =>
  Array.isArray(value);

function describeSyntaxError({ file, line, near, text }: Entry<"syntax-error">): ConfigurationProblem {
  const correction = correctLine(text);
  return {
    file,
    line,
    message: describeOldName(nameOnLine(text)) ?? `syntax error ${describeToken(near, text)}`,
    ...(correction === null ? {} : { correction }),
  };
}

function describeToken(near: string | null, text: string): string {
  if (near === null) return "near end of line";
  return near.length > 1 && mayHoldSecret(text) ? "in the value" : `near token "${near}"`;
}

function describeOldSetting({ file, line, name, value }: Entry<"setting">): ConfigurationProblem | null {
  const message = describeOldName(name);
  const target = settingNamed(name);
  const correction = target === null ? null : correctSetting(target, value);
  return message === null ? null : { file, line, message, ...(correction === null ? {} : { correction }) };
}

function describeOldName(name: string | null): string | null {
  const oldKey = name === null ? null : findOldKey(name);
  return name === null || oldKey === null ? null : describeOldKey(name, oldKey);
}

function describeUnknown({ name, value }: Entry<"setting">): string {
  const shown = mayHoldSecret(`${name} ${value}`) ? SECRET_MASK : value;
  const suggestion = suggest(name, settingNames, 1);
  const question = suggestion === null ? "" : `; did you mean "${suggestion}"?`;
  return `${name}='${shown}': unknown name/value pair provided; ignoring${question}`;
}
