import type { SettingGroup } from "./setting-shape.js";

/** How standbys are cloned and how they attach. */
export const cloningSettings = {
  use_replication_slots: {
    type: "boolean",
    reloadable: "no",
    help: "each standby streams from a replication slot of its own, so that its upstream keeps the WAL it needs",
  },
  pg_basebackup_options: {
    type: "string",
    reloadable: "no",
    help: "further options for pg_basebackup",
  },
  restore_command: {
    type: "string",
    reloadable: "no",
    help: "restore_command that is written for a standby",
  },
  tablespace_mapping: {
    type: "mapping",
    reloadable: "no",
    help: "OLD=NEW: where a tablespace of the source goes on this host; may be repeated; \\= stands for an equals sign",
  },
  recovery_min_apply_delay: {
    type: "delay",
    reloadable: "no",
    help: "recovery_min_apply_delay that is written for a standby; a bare number counts milliseconds",
  },
  archive_cleanup_command: {
    type: "string",
    reloadable: "no",
    help: "archive_cleanup_command that is written for a standby",
  },
  use_primary_conninfo_password: {
    type: "boolean",
    reloadable: "no",
    help: "write the password of the connection into primary_conninfo; a password file is safer",
  },
  passfile: {
    type: "string",
    reloadable: "no",
    help: "password file that is named in primary_conninfo",
  },
} as const satisfies SettingGroup;

/** Cloning from a Barman server. */
export const barmanSettings = {
  barman_host: { type: "string", reloadable: "no", help: "host of the Barman server" },
  barman_server: {
    type: "string",
    reloadable: "no",
    help: "section of the Barman configuration that holds this cluster's backups",
  },
  barman_config: {
    type: "string",
    defaultNote: "Barman's own",
    reloadable: "no",
    help: "Barman's configuration file on its host",
  },
  rsync_options: {
    type: "string",
    defaultNote: "--archive --checksum --compress --progress --rsh=ssh",
    reloadable: "no",
    help: "accepted, without effect: external configuration files are read over SSH, not by rsync",
  },
  ssh_options: {
    type: "string",
    default: "-q -o ConnectTimeout=10",
    reloadable: "no",
    help: "options for ssh to other nodes",
  },
} as const satisfies SettingGroup;

/** Cloning through pg-backup-api. */
export const backupApiSettings = {
  pg_backupapi_backup_id: {
    type: "string",
    limit: 63,
    reloadable: "no",
    help: "backup to clone from, or a name such as latest",
  },
  pg_backupapi_host: { type: "string", limit: 63, reloadable: "no", help: "host of pg-backup-api" },
  pg_backupapi_node_name: {
    type: "string",
    limit: 63,
    reloadable: "no",
    help: "Barman server name that pg-backup-api uses for this cluster",
  },
  pg_backupapi_remote_ssh_command: {
    type: "string",
    reloadable: "no",
    help: "ssh command by which the backup host reaches this node",
  },
} as const satisfies SettingGroup;
