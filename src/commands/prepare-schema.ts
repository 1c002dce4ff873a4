import { exitCodes } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";
import { announceEvent } from "../events/announce-event.js";
import { installSchema, SCHEMA_VERSION } from "../metadata/install-schema.js";
import { mergeConninfo, parseConninfo } from "../model/conninfo.js";
import type { NodeRecord } from "../model/node-record.js";
import type { Database } from "../postgres/database.js";
import { openDatabaseOrFail } from "./connect-local.js";
import type { CommandContext } from "./define-command.js";

/** The part of a registration that makes the schema which the records need. */
export type SchemaStep =
  { readonly kind: "create-schema" } | { readonly kind: "upgrade-schema"; readonly fromVersion: number };

export function isSchemaStep(step: { readonly kind: string }): step is SchemaStep {
  return step.kind === "create-schema" || step.kind === "upgrade-schema";
}

export function describeSchemaStep(step: SchemaStep): string {
  if (step.kind === "create-schema") return 'create schema "repmgr"';
  return `upgrade schema "repmgr" from version ${step.fromVersion} to ${SCHEMA_VERSION}`;
}

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

export async function mayCreateSchema(database: Database): Promise<boolean> {
  const [row] = await database.query<{ allowed: boolean }>(
    "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AS allowed",
  );
  return row?.allowed ?? false;
}

/** Carries the step out on the server of `database` and announces a new schema there. Throws DatabaseError. */
export async function prepareSchema(
  context: CommandContext,
  {
    database,
    schemaOwner,
    record,
  }: { readonly database: Database; readonly schemaOwner: Database; readonly record: NodeRecord },
  step: SchemaStep,
): Promise<void> {
  const { reporter } = context;
  const user = database.conninfo.get("user");
  const grant = schemaOwner === database || user === undefined ? {} : { grantTo: user };
  if (step.kind === "upgrade-schema") {
    await installSchema(schemaOwner, step.fromVersion, grant);
    reporter.notice(`schema "repmgr" upgraded from version ${step.fromVersion} to ${SCHEMA_VERSION}`);
    return;
  }
  reporter.notice('attempting to create schema "repmgr"');
  if (!(await installSchema(schemaOwner, 0, grant))) {
    reporter.notice('schema "repmgr" was created by another program at this moment');
    return;
  }
  reporter.notice('schema "repmgr" successfully created');
  await announceEvent(
    context,
    { event: "cluster_created", nodeId: record.nodeId, successful: true, details: null },
    database,
  );
}
