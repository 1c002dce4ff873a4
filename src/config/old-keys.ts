import type { SettingName } from "./settings-table.js";

/** What became of a setting of repmgr 3. */
export type OldKey =
  | { readonly kind: "renamed"; readonly to: SettingName }
  | { readonly kind: "replaced"; readonly to: SettingName }
  | { readonly kind: "removed"; readonly advice: string };

const oldKeys: Readonly<Record<string, OldKey>> = {
  cluster: { kind: "removed", advice: "remove this line" },
  node: { kind: "renamed", to: "node_id" },
  upstream_node: {
    kind: "removed",
    advice: 'remove this line and use "--upstream-node-id" when cloning a standby',
  },
  loglevel: { kind: "renamed", to: "log_level" },
  logfacility: { kind: "renamed", to: "log_facility" },
  logfile: { kind: "renamed", to: "log_file" },
  master_response_timeout: { kind: "replaced", to: "async_query_timeout" },
  master_reponse_timeout: { kind: "replaced", to: "async_query_timeout" },
  primary_response_timeout: { kind: "replaced", to: "async_query_timeout" },
  retry_promote_interval_secs: { kind: "replaced", to: "primary_notification_timeout" },
  witness_repl_nodes_sync_interval_secs: { kind: "replaced", to: "witness_sync_interval" },
  ignore_external_config_files: {
    kind: "removed",
    advice: 'remove this line and use "--copy-external-config-files" when cloning a standby',
  },
};

export function findOldKey(name: string): OldKey | null {
  return Object.hasOwn(oldKeys, name) ? (oldKeys[name] ?? null) : null;
}

export function describeOldKey(name: string, key: OldKey): string {
  switch (key.kind) {
    case "renamed":
      return `parameter "${name}" has been renamed to "${key.to}"`;
    case "replaced":
      return `parameter "${name}" has been removed; use "${key.to}" instead`;
    case "removed":
      return `parameter "${name}" has been removed; ${key.advice}`;
  }
}
