import { backupApiSettings, barmanSettings, cloningSettings } from "./settings-table/cloning.js";
import {
  checkSettings,
  eventSettings,
  promotionSettings,
  serviceSettings,
  topologySettings,
} from "./settings-table/commands.js";
import {
  childNodeSettings,
  failoverSettings,
  rareSettings,
  witnessSettings,
} from "./settings-table/failover.js";
import { loggingSettings } from "./settings-table/logging.js";
import { nodeSettings } from "./settings-table/node.js";
import { pgbouncerSettings } from "./settings-table/pgbouncer.js";
import { additionalSettings, safetySettings } from "./settings-table/safety.js";
import type { SettingShape, ValueOfShape } from "./settings-table/setting-shape.js";

const table = {
  ...nodeSettings,
  ...loggingSettings,
  ...cloningSettings,
  ...promotionSettings,
  ...backupApiSettings,
  ...topologySettings,
  ...checkSettings,
  ...witnessSettings,
  ...failoverSettings,
  ...childNodeSettings,
  ...serviceSettings,
  ...eventSettings,
  ...barmanSettings,
  ...rareSettings,
  ...safetySettings,
  ...additionalSettings,
  ...pgbouncerSettings,
} as const;

export type SettingName = keyof typeof table;

/** Every setting of `repmgr.conf`, in the order in which repmgr lists them (`--dump-config`), ours at the end. */
export const settingsTable: Readonly<Record<SettingName, SettingShape>> = table;

export const settingNames = Object.keys(table) as readonly SettingName[];

/**
 * The settings in force, under their names in `repmgr.conf`. Durations are milliseconds whatever their unit in the
 * file, except `recovery_min_apply_delay`, which stays text for PostgreSQL. Null is "off", an empty string is "not
 * set". Without a configuration file `node_id` is -1 and the other required ones are empty.
 */
export type Settings = { readonly [Name in SettingName]: ValueOfShape<(typeof table)[Name]> };

export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(table, name);
}
