import type { CloneRequest } from "../../../decide/clone-facts.js";
import {
  placeConfigurationFile,
  type ConfigurationFilesFacts,
  type FileDestination,
} from "../../../decide/configuration-files.js";
import { UserError } from "../../../errors/user-error.js";
import type { RemoteFile } from "../../../model/remote-file.js";
import {
  listExternalConfigurationFiles,
  maySeeConfigurationFiles,
} from "../../../postgres/configuration-files.js";
import type { Database } from "../../../postgres/database.js";
import { readRemoteFiles } from "../../../remote/read-remote-files.js";
import { findObstacle, hasFile } from "../../../system/staged-files.js";
import { openDatabase } from "../../connect-local.js";
import type { CommandContext } from "../../define-command.js";

const READ_TIMEOUT_MS = 60_000;

/**
 * Reads the configuration files of the source that lie outside its data directory, over SSH. All are read before
 * anything is changed: a copy of the data may take hours, and must not be in vain.
 */
export async function gatherConfigurationFiles(
  context: CommandContext,
  request: CloneRequest,
  database: Database,
): Promise<ConfigurationFilesFacts | null> {
  if (request.configurationPlacement === null) return null;
  const user = database.conninfo.get("user") ?? "";
  const session = await chooseSession(context, request, database);
  if (session === null) return { kind: "not-visible", user };
  const paths = await listExternalConfigurationFiles(session);
  context.reporter.info(`${paths.length} configuration files of the source lie outside its data directory`);
  if (paths.length === 0) return { kind: "found", files: [] };
  const host = database.conninfo.get("host") || database.conninfo.get("hostaddr") || "";
  if (host === "" || host.startsWith("/") || host.startsWith("@")) return refuseSocket();
  let sources: readonly RemoteFile[];
  try {
    const shell = await context.remoteHosts.connect(host);
    const { interrupted: signal } = context;
    sources = await readRemoteFiles(shell, paths, { timeoutMs: READ_TIMEOUT_MS, signal });
  } catch (error) {
    if (!(error instanceof UserError) || context.interrupted.aborted) throw error;
    return { kind: "unreachable", problem: describeUnreachable(host, error) };
  }
  const files = sources.map(async (source) => ({
    source,
    destination: await inspectDestination(source, request),
  }));
  return { kind: "found", files: await Promise.all(files) };
}

/** A session that sees the files: ours, or that of `-S`; null when neither does. */
async function chooseSession(
  context: CommandContext,
  { superuser, source }: CloneRequest,
  database: Database,
): Promise<Database | null> {
  if (await maySeeConfigurationFiles(database)) return database;
  if (superuser === null) return null;
  const conninfo = new Map([...source, ["user", superuser]]);
  // The password in a connection string is that of its own user.
  conninfo.delete("password");
  const session = await openDatabase(context, conninfo);
  return (await maySeeConfigurationFiles(session)) ? session : null;
}

const refuseSocket = (): ConfigurationFilesFacts => ({
  kind: "unreachable",
  problem: {
    message: "the source node has no host to reach by SSH",
    detail: "configuration files are copied by SSH; the source was reached through a socket",
    hint: "provide the host of the source node with -h/--host",
  },
});

const describeUnreachable = (host: string, { message, detail, hint }: UserError) => ({
  message: `unable to read the configuration files of host "${host}"`,
  detail: detail === undefined ? message : `${message}\n${detail}`,
  ...(hint === undefined ? {} : { hint }),
});

async function inspectDestination(source: RemoteFile, request: CloneRequest): Promise<FileDestination> {
  const path = placeConfigurationFile(source.path, request);
  // The data directory is made anew; what is to be said of it is said elsewhere.
  if (request.configurationPlacement === "pgdata") return { path, state: "absent", obstacle: null };
  const obstacle = await findObstacle(path);
  if (source.kind === "unreadable" || obstacle !== null) return { path, state: "different", obstacle };
  const found = await hasFile(path, source);
  return { path, state: found === null ? "absent" : found ? "same" : "different", obstacle };
}
