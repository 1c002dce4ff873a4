import {
  planPrimaryRegistration,
  type PrimaryRegistrationFacts,
  type PrimaryRegistrationStep,
  type ServerRole,
} from "../../decide/register-primary.js";
import { DatabaseError } from "../../errors/database-error.js";
import { exitCodes, type ExitCode } from "../../errors/exit-codes.js";
import { UserError } from "../../errors/user-error.js";
import { announceEvent } from "../../events/announce-event.js";
import { installSchema, SCHEMA_VERSION } from "../../metadata/install-schema.js";
import { deactivateNode, insertNode, listNodes, updateNode } from "../../metadata/nodes.js";
import { readSchemaState } from "../../metadata/schema-state.js";
import { ensureVotingTerm } from "../../metadata/voting-term.js";
import { mergeConninfo, parseConninfo } from "../../model/conninfo.js";
import type { NodeRecord } from "../../model/node-record.js";
import { ConnectionError } from "../../postgres/connection-error.js";
import type { Database } from "../../postgres/database.js";
import { isInRecovery } from "../../postgres/server-state.js";
import { connectToLocalNode, openDatabase, openDatabaseOrFail } from "../connect-local.js";
import { defineCommand, type CommandContext } from "../define-command.js";
import { buildOwnRecord } from "../own-record.js";
import { reportProblems, reportWarnings } from "../report-problems.js";

export const primaryRegister = defineCommand({
  name: "primary register",
  summary: "make this server the primary of a new cluster, or bring its record up to date",
  options: {
    "dry-run": "check the prerequisites and show what would be done",
    force: "overwrite an existing node record",
    superuser: "superuser that creates the schema when the repmgr user may not",
  },
  effect: "changes",
  configuration: "required",
  run: async (context, options): Promise<ExitCode> => {
    const { reporter } = context;
    reporter.info("connecting to primary database...");
    const database = await connectToLocalNode(context);
    const record = buildOwnRecord(context, { type: "primary", upstreamNodeId: null });
    const schemaOwner = await connectSchemaOwner(context, database, options.superuser);

    const facts = await gatherFacts(context, { database, schemaOwner, record });
    const decision = planPrimaryRegistration(facts, {
      record,
      force: options.force,
      schemaVersion: SCHEMA_VERSION,
    });
    if (decision.kind === "refused") return reportProblems(reporter, decision.problems);
    reportWarnings(reporter, decision.warnings);
    if (facts.schema.exists)
      reporter.info(
        `"repmgr" ${facts.schema.extensionVersion === null ? "schema" : "extension"} is already installed`,
      );
    if (options["dry-run"]) {
      for (const step of decision.steps) reporter.info(`would ${describeStep(step)}`);
      reporter.info('all prerequisites for "primary register" are met');
      return exitCodes.success;
    }
    await carryOut(context, { database, schemaOwner, record, steps: decision.steps });
    return exitCodes.success;
  },
});

/** The session that may create the schema: the superuser's when one is named. */
async function connectSchemaOwner(
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

interface Participants {
  readonly database: Database;
  readonly schemaOwner: Database;
  readonly record: NodeRecord;
}

async function gatherFacts(
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

function describeStep(step: PrimaryRegistrationStep): string {
  switch (step.kind) {
    case "create-schema":
      return 'create schema "repmgr"';
    case "upgrade-schema":
      return `upgrade schema "repmgr" from version ${step.fromVersion} to ${SCHEMA_VERSION}`;
    case "ensure-voting-term":
      return "make sure that a voting term is recorded";
    case "deactivate-node":
      return `set the record of node ${step.node} to inactive`;
    case "insert-record":
      return `register this node as primary (ID: ${step.record.nodeId})`;
    case "update-record":
      return `update the record of this node (ID: ${step.record.nodeId})`;
  }
}

/** The schema comes first and stays whatever follows; the records change together or not at all. */
async function carryOut(
  context: CommandContext,
  work: Participants & { readonly steps: readonly PrimaryRegistrationStep[] },
): Promise<void> {
  const { database, record, steps } = work;
  const isUpdate = steps.some(({ kind }) => kind === "update-record");
  const event = { event: "primary_register", nodeId: record.nodeId } as const;
  try {
    for (const step of steps) await prepareSchema(context, work, step);
    await database.transaction(async () => {
      for (const step of steps) await changeRecords(database, step);
    });
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    await announceEvent(context, { ...event, successful: false, details: error.message }, database);
    throw new UserError(
      exitCodes.databaseQuery,
      { message: "unable to register the primary node", detail: error.message },
      error,
    );
  }
  const details = isUpdate ? "existing primary record updated" : null;
  await announceEvent(context, { ...event, successful: true, details }, database);
  context.reporter.notice(
    `primary node record (ID: ${record.nodeId}) ${isUpdate ? "updated" : "registered"}`,
  );
}

async function prepareSchema(
  context: CommandContext,
  { database, schemaOwner, record }: Participants,
  step: PrimaryRegistrationStep,
): Promise<void> {
  if (step.kind !== "create-schema" && step.kind !== "upgrade-schema") return;
  const { reporter } = context;
  const user = database.conninfo.get("user");
  const grant = schemaOwner === database || user === undefined ? {} : { grantTo: user };
  if (step.kind === "upgrade-schema") {
    await installSchema(schemaOwner, step.fromVersion, grant);
    reporter.notice(`schema "repmgr" upgraded from version ${step.fromVersion} to ${SCHEMA_VERSION}`);
    return;
  }
  reporter.notice('attempting to create schema "repmgr"');
  await installSchema(schemaOwner, 0, grant);
  reporter.notice('schema "repmgr" successfully created');
  await announceEvent(
    context,
    { event: "cluster_created", nodeId: record.nodeId, successful: true, details: null },
    database,
  );
}

async function changeRecords(database: Database, step: PrimaryRegistrationStep): Promise<void> {
  switch (step.kind) {
    case "create-schema":
    case "upgrade-schema":
      return;
    case "ensure-voting-term":
      return ensureVotingTerm(database);
    case "deactivate-node":
      return deactivateNode(database, step.node);
    case "insert-record":
      if (await insertNode(database, step.record)) return;
      throw new UserError(exitCodes.badConfiguration, {
        message: `node ${step.record.nodeId} was registered by somebody else at this moment`,
        hint: 'see "cluster show", then use -F/--force to overwrite the record',
      });
    case "update-record":
      await updateNode(database, step.record);
  }
}
