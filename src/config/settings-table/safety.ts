import type { SettingGroup } from "./setting-shape.js";

/** What repmgr does not have: votes, fencing, return of an old primary. The defaults keep repmgr's behaviour. */
export const safetySettings = {
  failover_quorum: {
    type: "enum",
    values: ["auto", "strict", "visible"],
    default: "auto",
    reloadable: "yes",
    help: "votes needed for a promotion: auto = majority from three nodes on; strict = always a majority; visible = as repmgr",
  },
  vote_timeout: {
    type: "duration",
    unit: "s",
    default: 5,
    minimum: 1,
    reloadable: "yes",
    help: "a candidate must be a primary within this time of its first request, or it gives up",
  },
  vote_hold: {
    type: "duration",
    unit: "s",
    default: 12,
    minimum: 1,
    reloadable: "yes",
    help: "a node gives no second vote within this time; at least vote_timeout × 1.1 + 1 s",
  },
  failover_location_rule: {
    type: "enum",
    values: ["auto", "reference"],
    default: "auto",
    reloadable: "yes",
    help: "when location can forbid a promotion: auto = only where votes do not decide; reference = always, as repmgr",
  },
  primary_isolation_timeout: {
    type: "duration",
    unit: "s",
    default: 0,
    minimum: 0,
    off: [0],
    reloadable: "yes",
    help: "a primary that hears no majority for this time stops itself; at least 2 s; needs three votes in all; 0 = never; 5s is a good value",
  },
  primary_fence_guard: {
    type: "enum",
    values: ["auto", "session", "process", "off"],
    default: "auto",
    reloadable: "yes",
    help: "what stops an isolated primary while the daemon is dead or frozen: a session inside the server, a process beside it; auto = a session if rights allow, else a process; off = nothing",
  },
  fence_on: {
    type: "enum",
    values: ["superseded", "never"],
    default: "superseded",
    reloadable: "yes",
    help: "superseded: an old primary with a proven successor is stopped; never: only an alarm is raised",
  },
  fence_command: {
    type: "string",
    defaultNote: "service_stop_command",
    reloadable: "yes",
    help: "command run after the built-in stop of a superseded or isolated primary",
  },
  auto_rejoin: {
    type: "boolean",
    reloadable: "yes",
    help: "a superseded primary joins its successor as a standby by itself",
  },
  rejoin_command: {
    type: "string",
    defaultNote: "our own node rejoin --force-rewind",
    reloadable: "yes",
    help: "command by which auto_rejoin brings a node back",
  },
  primary_starts_as_standby: {
    type: "boolean",
    defaultNote: "false; true with primary_isolation_timeout or sync_mode",
    reloadable: "yes",
    help: "a primary that is started again comes up read-only until it is known that it has no successor",
  },
  sync_mode: {
    type: "enum",
    values: ["off", "quorum", "preferred"],
    default: "off",
    reloadable: "yes",
    help: "manage synchronous replication: quorum = no acknowledged row is ever lost; preferred = go on without a lost standby (two nodes and a witness)",
  },
  sync_standby_timeout: {
    type: "duration",
    unit: "s",
    default: 10,
    minimum: 1,
    reloadable: "yes",
    help: "sync_mode=preferred: a standby that has not had all of the log for this time is left out, with the witness's permission",
  },
  local_restart_attempts: {
    type: "integer",
    default: 0,
    minimum: 0,
    unit: "attempts",
    reloadable: "yes",
    help: "attempts to start a crashed local server again before a failover is spent",
  },
  state_directory: {
    type: "path",
    reloadable: "no",
    help: "directory, outside the data directory, for what the daemon and a killed command must leave behind",
  },
} as const satisfies SettingGroup;

/** Further additions to repmgr's settings. */
export const additionalSettings = {
  log_format: {
    type: "enum",
    values: ["text", "json"],
    default: "text",
    reloadable: "yes",
    help: "log lines in repmgr's form, or one JSON object a line",
  },
  clone_command: {
    type: "string",
    reloadable: "no",
    help: "command that fills the data directory of a new standby in place of pg_basebackup",
  },
  role_port: {
    type: "integer",
    default: 0,
    minimum: 0,
    maximum: 65535,
    off: [0],
    reloadable: "no",
    help: "TCP port on which the daemon answers MASTER or STANDBY; 0 = none",
  },
} as const satisfies SettingGroup;
