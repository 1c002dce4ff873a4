import { join } from "node:path";
import type { Settings } from "../../../config/settings-table.js";
import type { Attachments, CheckThresholds } from "../../../decide/node-checks.js";
import type { DataDirectoryFacts } from "../../../decide/node-checks-of-host.js";
import type { ReplicationFacts } from "../../../decide/node-status.js";
import { askDaemon } from "../../../coordination/ask-daemon.js";
import { DatabaseError } from "../../../errors/database-error.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { parseConninfo } from "../../../model/conninfo.js";
import { describeNode } from "../../../model/node-record.js";
import type { Database } from "../../../postgres/database.js";
import { inspectPath } from "../../../system/directories.js";
import { readOwnedFile } from "../../../system/owned-file.js";
import { openDatabaseOrFail } from "../../connect-local.js";
import type { CommandContext } from "../../define-command.js";

/** What every check of a server that answers starts from. */
export interface Checking {
  readonly context: CommandContext;
  readonly database: Database;
  readonly facts: ReplicationFacts;
}

export function readThresholds(settings: Settings): CheckThresholds {
  return {
    archiveReadyWarning: settings.archive_ready_warning,
    archiveReadyCritical: settings.archive_ready_critical,
    lagWarningSeconds: settings.replication_lag_warning / 1000,
    lagCriticalSeconds: settings.replication_lag_critical / 1000,
  };
}

export async function gatherAttachments(database: Database): Promise<Attachments> {
  const rows = await database.query<{ application_name: string | null; state: string | null }>(
    `SELECT application_name, state FROM pg_catalog.pg_stat_replication
      WHERE application_name IS NOT NULL ORDER BY state IS NOT DISTINCT FROM 'streaming'`,
  );
  // A node that reconnected may have an old WAL sender beside its new one; the streaming one comes last and counts.
  return new Map(rows.map(({ application_name: name, state }) => [name ?? "", state]));
}

/** Null when the node has no upstream to ask. Throws UserError (code 6) when the upstream does not answer. */
export async function gatherUpstreamAttachments({ context, facts }: Checking): Promise<Attachments | null> {
  const { record, upstream } = facts;
  if (record.type === "witness" || upstream === null) return null;
  const database = await openDatabaseOrFail(context, parseConninfo(upstream.conninfo), {
    exitCode: exitCodes.databaseConnection,
    message: `connection to upstream node ${describeNode(upstream)} failed`,
    hint: 'see "cluster show" for the state of the cluster',
  });
  const attachments = await gatherAttachments(database);
  const state = attachments.get(record.nodeName);
  if (state === undefined) {
    context.reporter.warning(`node "${record.nodeName}" not found in "pg_stat_replication"`);
  } else if (state !== null && state !== "streaming") {
    context.reporter.warning(`node "${record.nodeName}" attached in state "${state}"`);
  }
  return attachments;
}

export async function gatherDataDirectory({ context, database }: Checking): Promise<DataDirectoryFacts> {
  // The view leaves out what this user may not read.
  const [row] = await database.query<{ setting: string }>(
    "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'data_directory'",
  );
  const configured = withoutSlashAtEnd(context.settings.data_directory);
  const actual = row?.setting ?? null;
  const [configuredFacts, actualFacts] = await Promise.all([
    inspectPath(configured),
    actual === null ? null : inspectPath(actual),
  ]);
  const isDirectory = configuredFacts.kind === "directory";
  return {
    configured,
    actual,
    isSame:
      configured === actual ||
      (isDirectory && actualFacts?.kind === "directory" && actualFacts.realPath === configuredFacts.realPath),
    isDataDirectory: isDirectory && configuredFacts.entries.includes("PG_VERSION"),
  };
}

const withoutSlashAtEnd = (path: string): string => path.replace(/(?<=.)\/+$/, "");

/** Asks for the beacon, else the reference's functions; null when there is no schema that could answer. */
export async function gatherRepmgrd({
  context,
  database,
}: Checking): Promise<{ readonly isRunning: boolean; readonly isPaused: boolean } | null> {
  try {
    return await askDaemon(database);
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    context.reporter.error("unable to determine whether repmgrd is running", { detail: error.message });
    return null;
  }
}

/** The users that own postgresql.auto.conf and the directory it lies in. */
export async function gatherReplicationConfigOwners(
  dataDirectory: string,
): Promise<{ readonly ofFile: number | null; readonly ofDirectory: number | null }> {
  const [file, directory] = await Promise.all([
    readOwnedFile(join(dataDirectory, "postgresql.auto.conf")),
    inspectPath(dataDirectory),
  ]);
  return {
    ofFile: file.kind === "file" ? file.ownerId : null,
    ofDirectory: directory.kind === "directory" ? directory.ownerId : null,
  };
}
