import { maskConninfo } from "../model/conninfo.js";
import { formatDurationIn } from "../model/duration.js";
import { settingNames, settingsTable, type SettingName, type Settings } from "./settings-table.js";

/** One `name|value` line per setting, in the table's order (`--dump-config`). */
export function dumpSettings(settings: Settings): readonly string[] {
  return settingNames.map((name) => `${name}|${formatSetting(settings, name)}`);
}

/** A value as it would be written in `repmgr.conf`, without quotes and with the password of a conninfo masked. */
export function formatSetting(settings: Settings, name: SettingName): string {
  const shape = settingsTable[name];
  const value = settings[name];
  if (value === null) return "off" in shape ? String(shape.off[0] ?? "") : "";
  if (typeof value === "number")
    return shape.type === "duration" ? formatDurationIn(value, shape.unit) : String(value);
  if (typeof value === "object") return value.map(formatElement).join(",");
  return name === "conninfo" ? maskConninfo(settings.conninfo) : String(value);
}

function formatElement(element: string | Settings["tablespace_mapping"][number]): string {
  return typeof element === "string" ? element : `${element.oldDirectory}=${element.newDirectory}`;
}
