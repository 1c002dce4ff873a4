import type { PrimaryRegistrationFacts, ServerRole } from "../../../decide/register-primary.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { listNodes } from "../../../metadata/nodes.js";
import { readSchemaState } from "../../../metadata/schema-state.js";
import { mergeConninfo, parseConninfo } from "../../../model/conninfo.js";
import type { NodeRecord } from "../../../model/node-record.js";
import { ConnectionError } from "../../../postgres/connection-error.js";
import type { Database } from "../../../postgres/database.js";
import { isInRecovery } from "../../../postgres/server-state.js";
import { openDatabase, openDatabaseOrFail } from "../../connect-local.js";
import type { CommandContext } from "../../define-command.js";

/** The session that may create the schema: the superuser's when one is named. */
export async function connectSchemaOwner(
  context: CommandContext,
  database: Database,
  superuser: string | undefined,
): Promise<Database> {
  if (superuser === undefined) return database;
  const conninfo = new Map(
    mergeConninfo(parseConninfo(context.settings.conninfo), new Map([["user", superuser]])),
  );
  conninfo.delete("password");
  const session = await openDatabaseOrFail(context, conninfo, {
    exitCode: exitCodes.badConfiguration,
    message: `unable to connect as superuser "${superuser}"`,
  });
  if (session.isSuperuser) return session;
  throw new UserError(exitCodes.badConfiguration, {
    message: `"${superuser}" is not a superuser`,
    hint: "provide the name of a superuser with -S/--superuser",
  });
}

export interface Participants {
  readonly database: Database;
  readonly schemaOwner: Database;
  readonly record: NodeRecord;
}

export async function gatherFacts(
  context: CommandContext,
  { database, schemaOwner, record }: Participants,
): Promise<PrimaryRegistrationFacts> {
  const inRecovery = await isInRecovery(database);
  const schema = await readSchemaState(database);
  const mayCreateSchema = await readMayCreateSchema(schemaOwner);
  const records = schema.exists && schema.missingColumns.length === 0 ? await listNodes(database) : [];
  const other = records.find(
    ({ type, active, nodeId }) => type === "primary" && active && nodeId !== record.nodeId,
  );
  return {
    serverVersion: database.serverVersion,
    inRecovery,
    schema,
    mayCreateSchema,
    records,
    registeredPrimaryRole: other === undefined ? null : await readRole(context, other),
  };
}

async function readMayCreateSchema(database: Database): Promise<boolean> {
  const [row] = await database.query<{ allowed: boolean }>(
    "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AS allowed",
  );
  return row?.allowed ?? false;
}

async function readRole(context: CommandContext, node: NodeRecord): Promise<ServerRole> {
  try {
    const database = await openDatabase(context, parseConninfo(node.conninfo));
    return (await isInRecovery(database)) ? "standby" : "primary";
  } catch (error) {
    if (error instanceof ConnectionError) return "unreachable";
    throw error;
  }
}
