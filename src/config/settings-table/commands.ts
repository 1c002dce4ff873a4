import type { SettingGroup } from "./setting-shape.js";

/** How long `standby promote` waits. */
export const promotionSettings = {
  promote_check_timeout: {
    type: "duration",
    unit: "s",
    default: 60,
    minimum: 1,
    reloadable: "no",
    help: "how long a promoted server may take until it accepts writes",
  },
  promote_check_interval: {
    type: "duration",
    unit: "s",
    default: 1,
    minimum: 1,
    reloadable: "no",
    help: "accepted, without effect: a server that is being promoted is looked at every 20 ms",
  },
} as const satisfies SettingGroup;

/** How long `standby follow`, `standby switchover` and `node rejoin` wait. */
export const topologySettings = {
  primary_follow_timeout: {
    type: "duration",
    unit: "s",
    default: 60,
    minimum: 1,
    reloadable: "no",
    help: "how long standby follow --wait looks for a new primary",
  },
  standby_follow_timeout: {
    type: "duration",
    unit: "s",
    default: 30,
    minimum: 1,
    reloadable: "no",
    help: "how long a new upstream may take to catch up with a standby, and the standby to attach to it",
  },
  standby_follow_restart: {
    type: "boolean",
    reloadable: "no",
    help: "restart the server to follow, instead of reloading its configuration",
  },
  shutdown_check_timeout: {
    type: "duration",
    unit: "s",
    default: 60,
    minimum: 1,
    reloadable: "no",
    help: "how long the old primary may take to shut down in a switchover",
  },
  standby_reconnect_timeout: {
    type: "duration",
    unit: "s",
    default: 60,
    minimum: 1,
    reloadable: "no",
    help: "how long the old primary may take to come up as a standby; not below node_rejoin_timeout",
  },
  wal_receive_check_timeout: {
    type: "duration",
    unit: "s",
    default: 30,
    minimum: 1,
    reloadable: "no",
    help: "how long the promotion candidate may take to receive the last WAL of the old primary",
  },
  node_rejoin_timeout: {
    type: "duration",
    unit: "s",
    default: 60,
    minimum: 1,
    reloadable: "no",
    help: "how long a node that rejoins may take to attach to its upstream",
  },
} as const satisfies SettingGroup;

/** Limits of `node check` and of the checks before a switchover. */
export const checkSettings = {
  archive_ready_warning: {
    type: "integer",
    default: 16,
    minimum: 1,
    unit: "files",
    reloadable: "no",
    help: "WAL files waiting to be archived from which a check warns",
  },
  archive_ready_critical: {
    type: "integer",
    default: 128,
    minimum: 1,
    unit: "files",
    reloadable: "no",
    help: "WAL files waiting to be archived from which a check is critical; above archive_ready_warning",
  },
  replication_lag_warning: {
    type: "duration",
    unit: "s",
    default: 300,
    minimum: 1,
    reloadable: "no",
    help: "replication lag from which a check warns",
  },
  replication_lag_critical: {
    type: "duration",
    unit: "s",
    default: 600,
    minimum: 1,
    reloadable: "no",
    help: "replication lag from which a check is critical; above replication_lag_warning",
  },
} as const satisfies SettingGroup;

/** Commands by which servers and daemons are started and stopped; without them pg_ctl is used. */
export const serviceSettings = {
  pg_ctl_options: { type: "string", reloadable: "no", help: "further options for pg_ctl" },
  service_start_command: { type: "string", reloadable: "no", help: "command that starts PostgreSQL" },
  service_stop_command: { type: "string", reloadable: "no", help: "command that stops PostgreSQL" },
  service_restart_command: { type: "string", reloadable: "no", help: "command that restarts PostgreSQL" },
  service_reload_command: {
    type: "string",
    reloadable: "no",
    help: "command that makes PostgreSQL read its configuration again",
  },
  service_promote_command: {
    type: "string",
    reloadable: "no",
    help: "command that promotes PostgreSQL; must never call standby promote",
  },
  repmgrd_service_start_command: { type: "string", reloadable: "no", help: "command that starts the daemon" },
  repmgrd_service_stop_command: { type: "string", reloadable: "no", help: "command that stops the daemon" },
} as const satisfies SettingGroup;

/** What is told to others when something happens. */
export const eventSettings = {
  event_notification_command: {
    type: "string",
    reloadable: "yes",
    help: "command run for each event: %n node id, %e event, %s success (1 or 0), %t time, %d details, %p %c %a other node",
  },
  event_notifications: {
    type: "list",
    defaultNote: "all events",
    reloadable: "yes",
    help: "events, separated by commas, for which event_notification_command is run; may be repeated",
  },
} as const satisfies SettingGroup;
