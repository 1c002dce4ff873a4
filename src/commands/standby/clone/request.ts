import { parseBaseBackupOptions, type BaseBackupOptions } from "../../../decide/basebackup-options.js";
import type { ConfigurationPlacement } from "../../../decide/configuration-files.js";
import type { CloneRequest } from "../../../decide/clone-facts.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { ConninfoError, isConninfo, parseConninfo, type Conninfo } from "../../../model/conninfo.js";
import { nodeId } from "../../../model/node-record.js";
import type { CommandContext } from "../../define-command.js";
import type { OptionName, OptionValues } from "../../option-table.js";

export const cloneOptionHelp = {
  dbname: "database of the source node, or its connection string",
  host: "source node host",
  port: "source node port",
  username: "user to connect to the source node as",
  superuser: "superuser that creates replication slots when the repmgr user may not",
  pgdata: "data directory to make, if repmgr.conf does not set data_directory",
  force: "delete what is in the data directory",
  "dry-run": "check the prerequisites and show what would be done",
  "remote-user": "user for ssh when configuration files are copied",
  "fast-checkpoint": "let the source make its checkpoint at once",
  "copy-external-config-files": "copy configuration files that lie outside the data directory",
  "no-upstream-connection": "with Barman: do not connect to the upstream node",
  "replication-user": "user to make replication connections with",
  "upstream-conninfo": "primary_conninfo to write",
  "upstream-node-id": "node to attach to, default: the primary",
  "without-barman": "use pg_basebackup even if Barman is configured",
  "replication-conf-only": "only write the replication configuration of a standby made by other means",
  "verify-backup": "check the copy with pg_verifybackup",
  "recovery-min-apply-delay": "recovery_min_apply_delay to write",
} as const satisfies Readonly<Partial<Record<OptionName, string>>>;

export type CloneOptions = OptionValues<keyof typeof cloneOptionHelp>;

/** Errors of the command line that need no look at the world. */
export function checkCloneOptions(options: CloneOptions, connection: Conninfo): readonly string[] {
  const errors: string[] = [];
  if (!connection.has("host") && !connection.has("hostaddr") && !connection.has("service")) {
    errors.push("host name for the source node must be provided with -h/--host when executing STANDBY CLONE");
  }
  const { dbname, host, port, username } = options;
  if ([dbname, host, port, username].every((value) => value === undefined)) {
    errors.push(
      "database connection parameters for the source node must be provided when executing STANDBY CLONE",
    );
  }
  return errors;
}

/** Puts command line and repmgr.conf together. Throws UserError for what cannot be honoured. */
export function readCloneRequest(context: CommandContext, options: CloneOptions): CloneRequest {
  const { settings, environment, connection } = context;
  refuseOtherSources(context, options);
  const optional = (value: string): string | null => (value === "" ? null : value);
  const upstreamNodeId = options["upstream-node-id"];
  const upstreamConninfo = options["upstream-conninfo"];
  return {
    programName: environment.programName,
    dataDirectory: chooseDataDirectory(context, options),
    nodeId: settings.node_id < 1 ? null : nodeId(settings.node_id),
    nodeName: settings.node_name,
    source: connection,
    isSourceConninfoString: options.dbname !== undefined && isConninfo(options.dbname),
    upstreamNodeId: upstreamNodeId === undefined ? null : nodeId(upstreamNodeId),
    upstreamConninfo: upstreamConninfo === undefined ? null : readConninfo(upstreamConninfo),
    replicationUser: options["replication-user"] ?? null,
    configuredReplicationUser: optional(settings.replication_user),
    superuser: options.superuser ?? null,
    force: options.force,
    dryRun: options["dry-run"],
    fastCheckpoint: options["fast-checkpoint"],
    verifyBackup: options["verify-backup"],
    useReplicationSlots: settings.use_replication_slots && settings.node_id >= 1,
    binDirectory: settings.pg_bindir,
    baseBackupOptions: readBaseBackupOptions(context),
    tablespaceMappings: settings.tablespace_mapping,
    recovery: {
      recoveryMinApplyDelay:
        options["recovery-min-apply-delay"] ?? optional(settings.recovery_min_apply_delay),
      restoreCommand: settings.restore_command,
      archiveCleanupCommand: settings.archive_cleanup_command,
    },
    environmentPassword: settings.use_primary_conninfo_password
      ? (environment.variables.PGPASSWORD ?? null)
      : null,
    passfile: settings.passfile,
    configurationPlacement: readPlacement(options["copy-external-config-files"]),
  };
}

/** Given without a value it means the same path. */
function readPlacement(value: CloneOptions["copy-external-config-files"]): ConfigurationPlacement | null {
  if (value === undefined) return null;
  return value === "pgdata" || value === "data_directory" ? "pgdata" : "samepath";
}

function refuseOtherSources({ settings }: CommandContext, options: CloneOptions): void {
  const refuse = (message: string, hint: string): never => {
    throw new UserError(exitCodes.badConfiguration, { message, hint });
  };
  const useBaseBackup = "use --without-barman to clone with pg_basebackup";
  if (!options["without-barman"] && settings.barman_host !== "") {
    refuse('cloning from Barman ("barman_host" in repmgr.conf) is not supported yet', useBaseBackup);
  }
  if (!options["without-barman"] && settings.pg_backupapi_host !== "") {
    refuse(
      'cloning through pg-backup-api ("pg_backupapi_host" in repmgr.conf) is not supported yet',
      'remove "pg_backupapi_host" from repmgr.conf to clone with pg_basebackup',
    );
  }
}

function chooseDataDirectory({ settings, reporter }: CommandContext, { pgdata }: CloneOptions): string {
  const configured = settings.data_directory;
  if (configured !== "" && pgdata !== undefined && pgdata !== configured) {
    reporter.warning("-D/--pgdata is ignored", {
      detail: `repmgr.conf sets "data_directory" to "${configured}"`,
    });
  }
  const chosen = configured === "" ? (pgdata ?? "") : configured;
  if (chosen === "") {
    const hint = 'provide it with -D/--pgdata, or set "data_directory" in repmgr.conf';
    throw new UserError(exitCodes.badConfiguration, { message: "no data directory provided", hint });
  }
  return chosen.length > 1 ? chosen.replace(/\/+$/, "") : chosen;
}

function readConninfo(text: string): Conninfo {
  try {
    return parseConninfo(text);
  } catch (error) {
    if (!(error instanceof ConninfoError)) throw error;
    const problem = { message: "unable to parse the value of --upstream-conninfo", detail: error.message };
    throw new UserError(exitCodes.badConfiguration, problem, error);
  }
}

function readBaseBackupOptions({ settings, environment }: CommandContext): BaseBackupOptions {
  const parsed = parseBaseBackupOptions(settings.pg_basebackup_options, environment.variables);
  if (parsed.kind === "refused") throw new UserError(exitCodes.badConfiguration, parsed.problem);
  return parsed.options;
}

/** Options that this run will not use (reference: repmgr's warnings for standby clone). */
export function warnAboutUnusedOptions({ reporter, settings }: CommandContext, options: CloneOptions): void {
  if (reporter.isTerse) return;
  if (options["no-upstream-connection"]) {
    reporter.warning("--no-upstream-connection is only effective with Barman");
  }
  if (options["upstream-conninfo"] !== undefined && options["replication-user"] !== undefined) {
    reporter.warning(
      "--replication-user is ineffective in primary_conninfo when --upstream-conninfo is given",
    );
  }
  if (settings.config_directory !== "" && options["copy-external-config-files"] === undefined) {
    reporter.warning(
      '"config_directory" is set: configuration files outside the data directory are not copied',
      { hint: "copy them with --copy-external-config-files" },
    );
  }
}
