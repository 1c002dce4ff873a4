import {
  chooseReplicationUser,
  countReplicationConnections,
  inDirectory,
} from "../../../decide/base-backup-command.js";
import { reachUpstream, slotNameFor } from "../../../decide/clone.js";
import type {
  CloneFacts,
  CloneRequest,
  CloneTarget,
  ReplicationConnections,
  SourceServer,
} from "../../../decide/clone-facts.js";
import { formatSize } from "../../../decide/clone-target.js";
import { findUnfinishedClone } from "../../../clone-sources/clone-marker.js";
import { readProgramVersion } from "../../../clone-sources/base-backup.js";
import { DatabaseError } from "../../../errors/database-error.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { listNodes } from "../../../metadata/nodes.js";
import { findTruePrimary } from "../../../metadata/find-primary.js";
import { readSchemaState } from "../../../metadata/schema-state.js";
import { ConninfoError, maskConninfo, parseConninfo, type Conninfo } from "../../../model/conninfo.js";
import { describeNode, type NodeRecord } from "../../../model/node-record.js";
import { ConnectionError } from "../../../postgres/connection-error.js";
import { findDataDirectoriesBelow, readDataDirectoryState } from "../../../postgres/data-directory.js";
import type { Database } from "../../../postgres/database.js";
import { readReplicationSlot } from "../../../postgres/replication-slots.js";
import {
  readInstallationBytes,
  readServerIdentity,
  readSourceServerFacts,
} from "../../../postgres/server-facts.js";
import { readSystemIdentifier } from "../../../postgres/server-state.js";
import { DEFAULT_PORT } from "../../../postgres/server-addresses.js";
import { OLDEST_SERVER_VERSION } from "../../../model/server-version.js";
import { findExistingAncestor, inspectPath, readFreeBytes } from "../../../system/directories.js";
import { findProcessesOf } from "../../../system/process-table.js";
import { createCleanupStack } from "../../../system/cleanup-stack.js";
import { openDatabase, openDatabaseOrFail } from "../../connect-local.js";
import type { CommandContext } from "../../define-command.js";
import { gatherConfigurationFiles } from "./gather-configuration-files.js";

/** The facts, and how the primary is reached: that is where the event goes. */
export interface GatheredFacts {
  readonly facts: CloneFacts;
  readonly primaryConninfo: Conninfo | null;
}

export async function gatherTarget(
  { environment }: Pick<CommandContext, "environment">,
  path: string,
): Promise<CloneTarget> {
  const state = await readDataDirectoryState(path);
  const measured = state.kind === "directory" ? path : await findExistingAncestor(path);
  return {
    path,
    state,
    unfinishedClone: state.kind === "directory" ? await findUnfinishedClone(path) : null,
    baseBackupPids: await findProcessesOf("pg_basebackup", path),
    freeBytes: await readFreeBytes(measured),
    strangers: await findStrangers(state, environment.homeDirectory),
  };
}

/** A data directory is what it is, wherever the home directory lies; anything else is looked through. */
async function findStrangers(state: CloneTarget["state"], homeDirectory: string): Promise<readonly string[]> {
  if (state.kind !== "directory" || state.isDataDirectory) return [];
  const home = await inspectPath(homeDirectory);
  const isHomeInside =
    home.kind === "directory" && `${home.realPath}/`.startsWith(`${state.realPath.replace(/\/$/, "")}/`);
  return [...(isHomeInside ? [homeDirectory] : []), ...(await findDataDirectoriesBelow(state.realPath))];
}

/** Reads everything that decides about the clone; changes nothing. Sessions are closed again: a copy may take hours. */
export async function gatherCloneFacts(
  context: CommandContext,
  request: CloneRequest,
  target: CloneTarget,
): Promise<GatheredFacts> {
  const sessions = createCleanupStack();
  try {
    return await gatherWith({ ...context, cleanup: sessions }, request, target);
  } finally {
    await sessions.unwind();
  }
}

async function gatherWith(
  context: CommandContext,
  request: CloneRequest,
  target: CloneTarget,
): Promise<GatheredFacts> {
  const programs = inspectPrograms(context, request);
  // Awaited last: when an earlier fact ends the command, this one is nobody's any more.
  programs.catch(() => undefined);
  const database = await connectToSource(context, request);
  const source = await gatherSource(context, request, database);
  const primary = await findPrimary(context, request, { source, database });
  const primarySchema = primary === null ? null : await readSchemaState(primary.database);
  const nodes =
    primarySchema?.exists === true && primarySchema.missingColumns.length === 0
      ? await listNodes(database)
      : [];
  const record =
    nodes.find((node) =>
      request.upstreamNodeId === null
        ? node.type === "primary" && node.active
        : node.nodeId === request.upstreamNodeId,
    ) ?? null;
  const conninfo = request.upstreamConninfo ?? (record === null ? null : readRecordConninfo(record));
  const wantsUpstream = request.useReplicationSlots && conninfo !== null && record !== null;
  const [member, server, replicationConnections, externalDirectories, configurationFiles] = await Promise.all(
    [
      source.inRecovery ? null : askMember(context, nodes),
      wantsUpstream ? askUpstream(context, reachUpstream(conninfo, readRecordConninfo(record))) : null,
      tryReplicationConnections(context, request, { source, record }),
      gatherExternalDirectories(request, source),
      gatherConfigurationFiles(context, request, database),
    ],
  );
  return {
    primaryConninfo: primary?.conninfo ?? null,
    facts: {
      target,
      ...(await programs),
      source,
      primarySchema,
      nodes,
      member,
      upstream: { record, conninfo, server },
      replicationConnections,
      externalDirectories,
      configurationFiles,
    },
  };
}

async function inspectPrograms(
  { processes }: CommandContext,
  { binDirectory, verifyBackup }: CloneRequest,
): Promise<Pick<CloneFacts, "baseBackupVersion" | "canVerifyBackup">> {
  const readVersion = (name: string): Promise<number | null> =>
    readProgramVersion(processes, inDirectory(binDirectory, name));
  const [baseBackupVersion, verifyBackupVersion] = await Promise.all([
    readVersion("pg_basebackup"),
    verifyBackup ? readVersion("pg_verifybackup") : null,
  ]);
  return { baseBackupVersion, canVerifyBackup: verifyBackupVersion !== null };
}

/** The registered conninfo of a node. Throws UserError when it is none. */
export function readRecordConninfo(record: NodeRecord): Conninfo {
  try {
    return parseConninfo(record.conninfo);
  } catch (error) {
    if (!(error instanceof ConninfoError)) throw error;
    const message = `unable to parse the conninfo of node ${describeNode(record)} in repmgr.nodes`;
    throw new UserError(exitCodes.badConfiguration, { message, detail: error.message }, error);
  }
}

async function connectToSource(context: CommandContext, request: CloneRequest): Promise<Database> {
  context.reporter.info("connecting to source node", {
    detail: `connection string is: ${maskConninfo(request.source)}`,
  });
  const database = await openDatabaseOrFail(context, request.source, {
    exitCode: exitCodes.databaseConnection,
    message: "connection to database failed",
    hint: "check the connection parameters of the source node and that it accepts connections from this host",
  });
  if (database.serverVersion >= OLDEST_SERVER_VERSION) return database;
  throw new UserError(exitCodes.badConfiguration, {
    message: "PostgreSQL 13 or newer is needed",
    detail: `the source node runs PostgreSQL ${database.serverVersionText}`,
  });
}

async function gatherSource(
  { reporter }: CommandContext,
  request: CloneRequest,
  database: Database,
): Promise<SourceServer> {
  const installationBytes = await readInstallationBytes(database).catch((error: unknown) => {
    if (error instanceof DatabaseError && error.meaning === "insufficient-privilege") return null;
    throw error;
  });
  if (installationBytes !== null)
    reporter.info(`current installation size is ${formatSize(installationBytes)}`);
  const effective = (keyword: string): string => database.conninfo.get(keyword) ?? "";
  return {
    ...(await readSourceServerFacts(database)),
    version: database.serverVersion,
    versionText: database.serverVersionText,
    host: effective("host"),
    port: effective("port") || DEFAULT_PORT,
    user: effective("user"),
    database: effective("dbname"),
    slot: await readReplicationSlot(database, slotNameFor(request)),
    installationBytes,
  };
}

async function findPrimary(
  context: CommandContext,
  request: CloneRequest,
  { source, database }: { readonly source: SourceServer; readonly database: Database },
): Promise<{ readonly database: Database; readonly conninfo: Conninfo } | null> {
  if (!source.inRecovery) return { database, conninfo: request.source };
  const schema = await readSchemaState(database);
  if (!schema.exists || schema.missingColumns.length > 0) return { database, conninfo: request.source };
  const { primary } = await findTruePrimary(
    context.databases,
    await listNodes(database),
    context.interrupted,
  );
  if (primary === null) return null;
  context.cleanup.push(() => primary.database.close());
  return { database: primary.database, conninfo: parseConninfo(primary.record.conninfo) };
}

/** The first member that answers, the primary first: a witness is a cluster of its own and must not be cloned. */
async function askMember(
  context: CommandContext,
  nodes: readonly NodeRecord[],
): Promise<{ readonly record: NodeRecord; readonly systemIdentifier: string } | null> {
  const candidates = nodes.filter((node) => node.type !== "witness");
  const primaryFirst = candidates.sort((a, b) => Number(b.type === "primary") - Number(a.type === "primary"));
  for (const record of primaryFirst) {
    const database = await openRecordIfReachable(context, record);
    if (database !== null) return { record, systemIdentifier: await readSystemIdentifier(database) };
  }
  return null;
}

async function askUpstream(
  context: CommandContext,
  conninfo: Conninfo,
): Promise<{ readonly identity: string } | null> {
  const database = await openIfReachable(context, conninfo);
  return database === null ? null : { identity: await readServerIdentity(database) };
}

/** A record whose conninfo cannot be read counts as unreachable: it is another node's trouble. */
async function openRecordIfReachable(context: CommandContext, record: NodeRecord): Promise<Database | null> {
  try {
    return await openIfReachable(context, parseConninfo(record.conninfo));
  } catch (error) {
    if (!(error instanceof ConninfoError)) throw error;
    return null;
  }
}

async function openIfReachable(context: CommandContext, conninfo: Conninfo): Promise<Database | null> {
  try {
    return await openDatabase(context, conninfo);
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    if (context.reporter.isVerbose) context.reporter.info(error.message);
    return null;
  }
}

async function tryReplicationConnections(
  context: CommandContext,
  request: CloneRequest,
  { source, record }: { readonly source: SourceServer; readonly record: NodeRecord | null },
): Promise<ReplicationConnections> {
  const { reporter } = context;
  const needed = countReplicationConnections(request);
  const user = chooseReplicationUser(request, record?.replicationUser ?? null, source.user);
  reporter.notice(`checking for available walsenders on the source node (${needed} required)`);
  reporter.notice(`checking replication connections can be made to the source server (${needed} required)`);
  const conninfo = new Map([...request.source, ["user", user], ["dbname", "replication"]]);
  const attempts = await Promise.allSettled(
    Array.from({ length: needed }, () =>
      context.databases.connect(conninfo, { replication: true, signal: context.interrupted }),
    ),
  );
  const sessions = attempts.flatMap((attempt) => (attempt.status === "fulfilled" ? [attempt.value] : []));
  await Promise.all(sessions.map((session) => session.close()));
  const refused = attempts.find((attempt) => attempt.status === "rejected");
  if (refused === undefined) return { user, opened: sessions.length, failure: null };
  const error = refused.reason as Error;
  if (!(error instanceof ConnectionError)) throw error;
  return { user, opened: sessions.length, failure: { reason: error.message, hint: error.hint ?? null } };
}

async function gatherExternalDirectories(
  request: CloneRequest,
  source: SourceServer,
): Promise<CloneFacts["externalDirectories"]> {
  const mappings = [...request.baseBackupOptions.tablespaceMappings, ...request.tablespaceMappings];
  const tablespaces = source.tablespaceLocations.map(
    (location) => mappings.find(({ oldDirectory }) => oldDirectory === location)?.newDirectory ?? location,
  );
  const { walDirectory } = request.baseBackupOptions;
  const paths = walDirectory === null ? tablespaces : [...tablespaces, walDirectory];
  return Promise.all(
    paths.map(async (path) => {
      const facts = await inspectPath(path);
      return { path, entries: facts.kind === "directory" ? facts.entries.length : 0 };
    }),
  );
}
