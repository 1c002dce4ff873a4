import { posix } from "node:path";
import { ConninfoError, maskConninfo, parseConninfo } from "../model/conninfo.js";
import { durationUnits, formatDuration, parseDuration } from "../model/duration.js";
import type { SettingName } from "./settings-table.js";
import { settingsTable } from "./settings-table.js";
import { readTablespaceMapping } from "./read-tablespace-mapping.js";
import type { SettingShape, SettingValue } from "./settings-table/setting-shape.js";

export type ReadSetting =
  { readonly ok: true; readonly value: SettingValue } | { readonly ok: false; readonly message: string };

type Shape<Type extends SettingShape["type"]> = Extract<SettingShape, { readonly type: Type }>;

const DEFAULT_LIMIT = 1023;
const MAXIMUM_INTEGER = 2 ** 31 - 1;
/** What a setting with a minimum of one second may be brought down to with a unit: polling faster helps nobody. */
const SHORTEST_INTERVAL_MS = 100;

const accept = (value: SettingValue): ReadSetting => ({ ok: true, value });
const refuse = (message: string): ReadSetting => ({ ok: false, message });

/** Turns the text of one line into the setting's value. List and mapping settings give the elements of that line. */
export function readSetting(name: SettingName, text: string): ReadSetting {
  if (text.includes("\ufffd")) return refuse(`value for "${name}" is not valid UTF-8`);
  const shape = settingsTable[name];
  switch (shape.type) {
    case "integer":
      return readInteger(name, text, shape);
    case "duration":
      return readDuration(name, text, shape);
    case "boolean":
      return readBoolean(name, text);
    case "enum":
      return readEnum(name, text, shape);
    case "delay":
      return readDelay(name, text);
    case "list":
      return accept(
        text
          .replace(/\s/g, "")
          .split(",")
          .filter((element) => element !== ""),
      );
    case "mapping":
      return readMapping(text);
    case "string":
    case "path":
      return name === "conninfo" ? readConninfo(text, shape) : readText(name, text, shape);
  }
}

function readInteger(name: string, text: string, shape: Shape<"integer">): ReadSetting {
  if (!/^[-+]?[0-9]+$/.test(text)) return refuse(`"${name}": invalid value (provided: "${text}")`);
  const value = Number(text);
  const outOfRange = judgeRange(name, text, shape);
  if (outOfRange !== null) return refuse(outOfRange);
  return accept(shape.off?.includes(value) === true ? null : value);
}

function judgeRange(
  name: string,
  text: string,
  { minimum, maximum = MAXIMUM_INTEGER }: { readonly minimum: number; readonly maximum?: number },
): string | null {
  const value = Number(text);
  const provided = `(provided: "${text}")`;
  if (value > MAXIMUM_INTEGER) {
    return `"${name}": must be a positive signed 32 bit integer, i.e. ${MAXIMUM_INTEGER} or less ${provided}`;
  }
  if (value > maximum) return `"${name}": must be ${maximum} or less ${provided}`;
  return value < minimum ? `"${name}": must be ${minimum} or greater ${provided}` : null;
}

function readDuration(name: string, text: string, shape: Shape<"duration">): ReadSetting {
  const { unit, minimum, off } = shape;
  if (/^[-+]?[0-9]+$/.test(text)) {
    const outOfRange = judgeRange(name, text, { minimum });
    if (outOfRange !== null) return refuse(outOfRange);
    return accept(off?.includes(Number(text)) === true ? null : parseDuration(text, unit));
  }
  const provided = `(provided: "${text}")`;
  const ms = parseDuration(text, unit);
  if (ms === null) {
    return refuse(
      `"${name}": invalid value ${provided}; units are ${durationUnits.join(", ")}, without one it is ${unit}`,
    );
  }
  const shortestMs = minimum > 0 ? SHORTEST_INTERVAL_MS : 0;
  if (ms < shortestMs)
    return refuse(`"${name}": must be ${formatDuration(shortestMs)} or greater ${provided}`);
  const longestMs = parseDuration(String(MAXIMUM_INTEGER), unit) ?? 0;
  if (ms > longestMs) return refuse(`"${name}": must be ${MAXIMUM_INTEGER}${unit} or less ${provided}`);
  return accept(ms === 0 && off?.includes(0) === true ? null : ms);
}

function readBoolean(name: string, text: string): ReadSetting {
  if (/^(?:1|true|on|yes)$/i.test(text)) return accept(true);
  if (/^(?:0|false|off|no)$/i.test(text)) return accept(false);
  return refuse(`"${name}": unable to interpret "${text}" as a boolean value`);
}

function readEnum(name: string, text: string, { values, anyCase }: Shape<"enum">): ReadSetting {
  const wanted = anyCase === true ? text.toLowerCase() : text;
  if (values.includes(wanted)) return accept(wanted);
  const quoted = values.map((value) => `"${value}"`);
  const choices = [quoted.slice(0, -1).join(", "), quoted.at(-1)].filter((part) => part !== "").join(" or ");
  return refuse(`value for "${name}" must be ${choices} (provided: "${text}")`);
}

function readMapping(text: string): ReadSetting {
  if (text === "") return accept([]);
  const mapping = readTablespaceMapping(text);
  return typeof mapping === "string" ? refuse(mapping) : accept([mapping]);
}

/** PostgreSQL reads the value itself, so it stays text; a blank before the unit is what its documentation shows. */
function readDelay(name: string, text: string): ReadSetting {
  if (text === "") return accept("");
  if (/^-\s*[0-9]/.test(text)) return refuse(`invalid value "${text}" provided for "${name}"`);
  if (parseDuration(text, "ms") !== null) return accept(text.replace(/[\s+]/g, ""));
  return refuse(`value for "${name}" must be one of ms/s/min/h/d (provided: "${text}")`);
}

function readText(name: string, text: string, shape: Shape<"string" | "path">): ReadSetting {
  const { limit = DEFAULT_LIMIT, emptyMeansDefault, default: fallback = "" } = shape;
  const length = Buffer.byteLength(text);
  if (length > limit) {
    return refuse(
      `value for "${name}" must contain fewer than ${limit + 1} characters (current length: ${length})`,
    );
  }
  if (text === "") return accept(emptyMeansDefault === true ? fallback : "");
  return accept(shape.type === "path" ? canonicalisePath(text) : text);
}

function canonicalisePath(path: string): string {
  return posix.normalize(path).replace(/(?<=.)\/$/, "");
}

function readConninfo(text: string, shape: Shape<"string" | "path">): ReadSetting {
  const read = readText("conninfo", text, shape);
  if (!read.ok) return read;
  try {
    parseConninfo(text);
    return read;
  } catch (error) {
    if (!(error instanceof ConninfoError)) throw error;
    return refuse(`"conninfo": ${error.message} (provided: "${maskConninfo(text)}")`);
  }
}
