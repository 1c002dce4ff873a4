import { formatSetting } from "./dump-settings.js";
import { settingNames, settingsTable, type SettingName, type Settings } from "./settings-table.js";
import type { Reloadable } from "./settings-table/setting-shape.js";

interface SettingChange {
  readonly name: SettingName;
  readonly from: string;
  readonly to: string;
  readonly takesEffect: Reloadable;
}

/** What a daemon does with a configuration that was read again: all of it, or nothing. */
export type ReloadDecision =
  | { readonly kind: "refused"; readonly reasons: readonly string[] }
  | { readonly kind: "accepted"; readonly settings: Settings; readonly changes: readonly SettingChange[] };

/**
 * Compares the settings in force with those just read. On a witness the commands of an automatic failover are not
 * needed. Whether a changed conninfo works is for the caller to try.
 */
export function judgeReload(
  current: Settings,
  fresh: Settings,
  { isWitness }: { readonly isWitness: boolean },
): ReloadDecision {
  const reasons = [...refuseNewIdentity(current, fresh), ...(isWitness ? [] : refuseMissingCommands(fresh))];
  if (reasons.length > 0) return { kind: "refused", reasons };
  const changes = listChanges(current, fresh);
  const kept = changes
    .filter(({ takesEffect }) => takesEffect !== "yes")
    .map(({ name }) => [name, current[name]]);
  return { kind: "accepted", settings: { ...fresh, ...Object.fromEntries(kept) } as Settings, changes };
}

function refuseNewIdentity(current: Settings, fresh: Settings): readonly string[] {
  return (["node_id", "node_name"] as const)
    .filter((name) => current[name] !== fresh[name])
    .map((name) => `"${name}" cannot be changed, it is "${current[name]}" and the file has "${fresh[name]}"`);
}

function refuseMissingCommands(fresh: Settings): readonly string[] {
  if (fresh.failover !== "automatic") return [];
  return (["promote_command", "follow_command"] as const)
    .filter((name) => fresh[name] === "")
    .map((name) => `"${name}" must be defined when "failover" is "automatic"`);
}

function listChanges(current: Settings, fresh: Settings): readonly SettingChange[] {
  return settingNames
    .filter((name) => JSON.stringify(current[name]) !== JSON.stringify(fresh[name]))
    .map((name) => ({
      name,
      from: formatSetting(current, name),
      to: formatSetting(fresh, name),
      takesEffect: settingsTable[name].reloadable,
    }));
}
