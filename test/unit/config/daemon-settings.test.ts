import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfiguration } from "../../../src/config/load-configuration.js";
import type { SettingName } from "../../../src/config/settings-table.js";
import { renderConfigurationProblems } from "../../../src/config/render-problems.js";
import type { EventType } from "../../../src/events/event-types.js";
import { filesInMemory } from "./files-in-memory.js";

const load = (text = "") =>
  loadConfiguration({
    explicitFile: "x.conf",
    environment: { variables: { PWD: "/home" }, workingDirectory: "/home" },
    files: filesInMemory({
      "/home/x.conf": `node_id=1\nnode_name=n1\nconninfo='host=n1'\ndata_directory='/pgdata'\n${text}`,
    }),
  });

const SECOND = 1000;

/** Of repmgrd 5.5, with what a bare number means; durations in milliseconds, null is "never". */
const durations: readonly (readonly [name: SettingName, standard: number | null, unit: number])[] = [
  ["monitor_interval_secs", 2 * SECOND, SECOND],
  ["reconnect_interval", 10 * SECOND, SECOND],
  ["async_query_timeout", 60 * SECOND, SECOND],
  ["degraded_monitoring_timeout", null, SECOND],
  ["primary_notification_timeout", 60 * SECOND, SECOND],
  ["standby_reconnect_timeout", 60 * SECOND, SECOND],
  ["sibling_nodes_disconnect_timeout", 30 * SECOND, SECOND],
  ["election_rerun_interval", 15 * SECOND, SECOND],
  ["child_nodes_check_interval", 5 * SECOND, SECOND],
  ["child_nodes_disconnect_timeout", 30 * SECOND, SECOND],
  ["witness_sync_interval", 15 * SECOND, SECOND],
  ["log_status_interval", 300 * SECOND, SECOND],
  ["promote_check_timeout", 60 * SECOND, SECOND],
  ["primary_follow_timeout", 60 * SECOND, SECOND],
  ["standby_follow_timeout", 30 * SECOND, SECOND],
];

const others: readonly (readonly [name: SettingName, standard: unknown])[] = [
  ["failover", "manual"],
  ["promote_command", ""],
  ["follow_command", ""],
  ["priority", 100],
  ["location", "default"],
  ["reconnect_attempts", 6],
  ["connection_check_type", "ping"],
  ["connection_check_query", "SELECT 1"],
  ["monitoring_history", false],
  ["standby_disconnect_on_failover", false],
  ["primary_visibility_consensus", false],
  ["failover_validation_command", ""],
  ["always_promote", false],
  ["child_nodes_connected_min_count", null],
  ["child_nodes_disconnect_min_count", null],
  ["child_nodes_disconnect_command", ""],
  ["child_nodes_connected_include_witness", false],
  ["event_notification_command", ""],
  ["event_notifications", []],
  ["repmgrd_pid_file", ""],
  ["repmgrd_exit_on_inactive_node", false],
  ["repmgrd_service_start_command", ""],
  ["repmgrd_service_stop_command", ""],
  ["standby_follow_restart", false],
];

describe("the daemon's settings", () => {
  it.each(durations)("%s has repmgrd's default, and a bare number is in its unit", (name, standard, unit) => {
    expect(load().settings[name]).toBe(standard);
    expect(load(`node_rejoin_timeout=1\n${name}=7\n`).settings[name]).toBe(7 * unit);
  });

  it.each(others)("%s has repmgrd's default", (name, standard) => {
    expect(load().settings[name]).toEqual(standard);
  });

  it.each([
    ["rsync_options='--bwlimit=1000'", "rsync_options"],
    ["promote_delay=3", "promote_delay"],
    ["failover_delay=3", "failover_delay"],
    ["reconnect_loop_sync=on", "reconnect_loop_sync"],
  ])("%s is accepted with a warning that it has no effect", (line, name) => {
    const loaded = load(line);
    expect(loaded.errors).toEqual([]);
    expect(renderConfigurationProblems(loaded).join("\n")).toContain(`"${name}" has no effect: `);
  });
});

/** Every one of repmgrd 5.5; `repmgrd_config_reload` is never raised there. */
const catalogue = [
  "repmgrd_start",
  "repmgrd_reload",
  "repmgrd_shutdown",
  "repmgrd_local_disconnect",
  "repmgrd_local_reconnect",
  "repmgrd_standby_reconnect",
  "repmgrd_upstream_disconnect",
  "repmgrd_upstream_reconnect",
  "repmgrd_failover_promote",
  "repmgrd_failover_follow",
  "repmgrd_failover_aborted",
  "repmgrd_promote_error",
  "standby_disconnect_manual",
  "standby_failure",
  "standby_recovery",
  "child_node_disconnect",
  "child_node_reconnect",
  "child_node_new_connect",
  "child_nodes_disconnect_command",
  "repmgrd_config_reload",
] as const satisfies readonly EventType[];

describe("the daemon's events", () => {
  const sources = ["daemon", "decide"].flatMap((folder) => {
    const path = resolve(import.meta.dirname, "../../../src", folder);
    return readdirSync(path)
      .filter((name) => name.endsWith(".ts"))
      .map((name) => readFileSync(join(path, name), "utf8"));
  });

  it.each(catalogue)("%s is raised somewhere", (event) => {
    expect(sources.some((text) => text.includes(`"${event}"`))).toBe(true);
  });
});
