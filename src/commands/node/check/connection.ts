import { checkDatabaseConnection } from "../../../decide/node-checks-of-host.js";
import type { CheckFinding } from "../../../decide/node-check-findings.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { findNode } from "../../../metadata/nodes.js";
import { ConninfoError, mergeConninfo, parseConninfo, type Conninfo } from "../../../model/conninfo.js";
import { nodeId } from "../../../model/node-record.js";
import { ConnectionError } from "../../../postgres/connection-error.js";
import type { Database } from "../../../postgres/database.js";
import { resolveConninfo } from "../../../postgres/environment-defaults.js";
import { openDatabase, openDatabaseOrFail } from "../../connect-local.js";
import type { CommandContext } from "../../define-command.js";

/** The local server's conninfo, as `superuser` where one is given. */
export function localConninfo(context: CommandContext, superuser: string | undefined): Conninfo {
  const conninfo = parseConninfo(context.settings.conninfo);
  return superuser === undefined ? conninfo : mergeConninfo(conninfo, new Map([["user", superuser]]));
}

/** Throws UserError; a caller that reads options (`--optformat`) gets the reason as one. */
export async function connectForCheck(context: CommandContext, conninfo: Conninfo): Promise<Database> {
  try {
    return await openDatabaseOrFail(context, conninfo, {
      exitCode: exitCodes.databaseConnection,
      message: "connection to database failed",
      hint: 'check that this server is running and that "conninfo" in repmgr.conf is right',
    });
  } catch (error) {
    if (error instanceof UserError && context.format === "optformat")
      context.reporter.data("--error=DB_CONNECTION\n");
    throw error;
  }
}

/** `--db-connection`: whether a session comes about, as a finding instead of an error. */
export async function tryDatabaseConnection(
  context: CommandContext,
  conninfo: Conninfo,
): Promise<CheckFinding> {
  try {
    await openDatabase(context, conninfo);
    return checkDatabaseConnection(null);
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    context.reporter.error("connection to database failed", {
      detail: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
    return checkDatabaseConnection(await listParameters(context, conninfo));
  }
}

/** Everything that the attempt used, defaults included, without the password. */
async function listParameters(context: CommandContext, conninfo: Conninfo): Promise<readonly string[]> {
  const used = await resolveConninfo(conninfo, context.environment).catch(() => conninfo);
  return [...used]
    .filter(([keyword, value]) => keyword !== "password" && keyword !== "sslpassword" && value !== "")
    .map(([keyword, value]) => `${keyword}=${value}`);
}

type ReplicationConnection = "OK" | "BAD" | "UNKNOWN" | "CONNECTION_ERROR";

/**
 * `--replication-connection`: whether this node, by its own records, gets a replication session on the remote node. A
 * switchover asks that of every standby before the roles change.
 */
export async function tryReplicationConnection(
  context: CommandContext,
  conninfo: Conninfo,
  remoteNodeId: number | undefined,
): Promise<ReplicationConnection> {
  if (remoteNodeId === undefined) return "UNKNOWN";
  const local = await attempt(context, () => openDatabase(context, conninfo));
  if (local === null) return "CONNECTION_ERROR";
  const remote = await findNode(local, nodeId(remoteNodeId));
  if (remote === null) return "UNKNOWN";
  const session = await attempt(context, async () => {
    const { databases, interrupted } = context;
    const replicationUser = new Map(remote.replicationUser === "" ? [] : [["user", remote.replicationUser]]);
    const target = mergeConninfo(parseConninfo(remote.conninfo), replicationUser);
    return databases.connect(target, { replication: true, signal: interrupted, interrupted });
  });
  await session?.close();
  return session === null ? "BAD" : "OK";
}

async function attempt(
  { reporter }: CommandContext,
  connect: () => Promise<Database>,
): Promise<Database | null> {
  try {
    return await connect();
  } catch (error) {
    if (!(error instanceof ConnectionError) && !(error instanceof ConninfoError)) throw error;
    reporter.error("connection to database failed", { detail: error.message });
    return null;
  }
}
