import type { SettingGroup } from "./setting-shape.js";

/** Connection poolers that are led to a new primary by promote, switchover and the daemon. */
export const pgbouncerSettings = {
  pgbouncer_hosts: {
    type: "list",
    reloadable: "yes",
    help: "pgbouncers, as HOST or HOST:PORT, that standby promote, standby switchover and tsrepmgrd lead to a new primary; one that is down then is led by tsrepmgrd later",
  },
  pgbouncer_port: {
    type: "integer",
    default: 6432,
    minimum: 1,
    maximum: 65535,
    reloadable: "yes",
    help: "port of the entries of pgbouncer_hosts that name none",
  },
  pgbouncer_user: {
    type: "string",
    limit: 63,
    defaultNote: "the user of conninfo",
    reloadable: "yes",
    help: "one of pgbouncer's admin_users, for its administration console; the password comes from the password file",
  },
  pgbouncer_databases: {
    type: "list",
    reloadable: "yes",
    help: "databases, as pgbouncer names them, that are paused, given the new primary's host and port, and resumed",
  },
  pgbouncer_database_file: {
    type: "path",
    reloadable: "yes",
    help: "file on each pgbouncer's host with its [databases] section, written over SSH, or directly for localhost; all else in it stays",
  },
  pgbouncer_pause_timeout: {
    type: "duration",
    unit: "s",
    default: 5,
    minimum: 1,
    reloadable: "yes",
    help: "how long a pgbouncer may take to answer, and its running transactions to end; then the promotion goes on",
  },
} as const satisfies SettingGroup;
