import type { SettingGroup } from "./setting-shape.js";

/** Which node this is and where its programs and data lie. */
export const nodeSettings = {
  node_id: {
    type: "integer",
    default: -1,
    minimum: 1,
    required: true,
    reloadable: "no",
    help: "number of this node, unique in the cluster; it never changes",
  },
  node_name: {
    type: "string",
    limit: 63,
    required: true,
    reloadable: "no",
    help: "name of this node, unique in the cluster; a standby uses it as its application_name",
  },
  conninfo: {
    type: "string",
    required: true,
    reloadable: "yes",
    help: "connection string by which every other node reaches this server",
  },
  replication_user: {
    type: "string",
    limit: 63,
    defaultNote: "the user of conninfo",
    reloadable: "re-register",
    help: "role for replication connections",
  },
  data_directory: {
    type: "path",
    required: true,
    reloadable: "re-register",
    help: "data directory of this server",
  },
  config_directory: {
    type: "path",
    defaultNote: "data_directory",
    reloadable: "no",
    help: "directory of postgresql.conf where it lies outside the data directory; passed to pg_ctl",
  },
  pg_bindir: {
    type: "path",
    defaultNote: "searched in PATH",
    reloadable: "no",
    help: "directory of pg_ctl, pg_basebackup and the other PostgreSQL programs",
  },
  repmgr_bindir: {
    type: "path",
    defaultNote: "as on the calling node",
    reloadable: "no",
    help: "directory of this program, for calls from other nodes",
  },
  replication_type: {
    type: "enum",
    values: ["physical"],
    anyCase: true,
    default: "physical",
    reloadable: "re-register",
    help: "kind of replication; only streaming replication is managed",
  },
} as const satisfies SettingGroup;
