import { parseDuration } from "../model/duration.js";
import { settingNames, settingsTable, type SettingName, type Settings } from "./settings-table.js";
import type { SettingShape, SettingValue } from "./settings-table/setting-shape.js";

/** The value of a setting that is not in the file. */
export function defaultValue(shape: SettingShape): SettingValue {
  switch (shape.type) {
    case "integer":
      return shape.off?.includes(shape.default) === true ? null : shape.default;
    case "duration":
      return shape.off?.includes(shape.default) === true
        ? null
        : parseDuration(String(shape.default), shape.unit);
    case "boolean":
      return shape.default ?? false;
    case "enum":
      return shape.default;
    case "list":
    case "mapping":
      return [];
    case "delay":
      return "";
    case "string":
    case "path":
      return shape.default ?? "";
  }
}

/** All settings: the given values, the defaults of the others, and what follows from other settings. */
export function completeSettings(values: ReadonlyMap<SettingName, SettingValue>): Settings {
  const complete = new Map<SettingName, SettingValue>();
  for (const name of settingNames) {
    const given = values.get(name);
    complete.set(name, given === undefined ? defaultValue(settingsTable[name]) : given);
  }
  const settings = Object.fromEntries(complete) as unknown as Settings;
  return { ...settings, ...deriveDefaults(settings, values) };
}

function deriveDefaults(
  settings: Settings,
  given: ReadonlyMap<SettingName, SettingValue>,
): Partial<Settings> {
  const isArmed = settings.primary_isolation_timeout !== null || settings.sync_mode !== "off";
  return {
    ...(given.has("repmgrd_standby_startup_timeout")
      ? {}
      : { repmgrd_standby_startup_timeout: settings.standby_reconnect_timeout }),
    ...(given.has("primary_starts_as_standby") ? {} : { primary_starts_as_standby: isArmed }),
  };
}
