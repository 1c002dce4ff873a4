import type { WitnessRegistrationFacts } from "../../../decide/register-witness.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { listNodes } from "../../../metadata/nodes.js";
import { readSchemaState } from "../../../metadata/schema-state.js";
import { parseConninfo } from "../../../model/conninfo.js";
import { describeNode, type NodeRecord } from "../../../model/node-record.js";
import type { Database } from "../../../postgres/database.js";
import { isInRecovery, readSystemIdentifier } from "../../../postgres/server-state.js";
import { openDatabaseOrFail } from "../../connect-local.js";
import type { CommandContext } from "../../define-command.js";
import { connectSchemaOwner, mayCreateSchema } from "../../prepare-schema.js";
import { primaryConninfo } from "../primary-connection.js";

export interface GatheredWitness {
  readonly facts: WitnessRegistrationFacts;
  readonly witness: Database;
  /** The session that may create the schema on the witness. */
  readonly schemaOwner: Database;
  readonly primary: Database;
}

/** Finds the witness' own server and the primary and reads what `planWitnessRegistration` needs. Throws UserError. */
export async function gatherWitness(
  context: CommandContext,
  own: NodeRecord,
  superuser: string | undefined,
): Promise<GatheredWitness> {
  const { reporter, settings } = context;
  reporter.info(`connecting to witness node ${describeNode(own)}`);
  const witness = await openDatabaseOrFail(context, parseConninfo(settings.conninfo), {
    exitCode: exitCodes.badConfiguration,
    message: `unable to connect to witness node ${describeNode(own)}`,
    hint: "the witness node must be running before it can be registered",
  });
  if (await isInRecovery(witness)) throw new UserError(exitCodes.badConfiguration, WITNESS_IS_STANDBY);
  const { primary, record, records } = await connectToPrimary(context);
  const schemaOwner = await connectSchemaOwner(context, witness, superuser);
  const schema = await readSchemaState(witness);
  const facts: WitnessRegistrationFacts = {
    witness: {
      serverVersion: witness.serverVersion,
      systemIdentifier: await readSystemIdentifier(witness),
      schema,
      mayCreateSchema: await mayCreateSchema(schemaOwner),
      records: schema.exists && schema.missingColumns.length === 0 ? await listNodes(witness) : [],
    },
    primary: { record, records, systemIdentifier: await readSystemIdentifier(primary) },
  };
  return { facts, witness, schemaOwner, primary };
}

const WITNESS_IS_STANDBY = {
  message: "provided node is a standby",
  hint: "a witness node must run on an independent primary server",
};

/** By the registered conninfo in the end: that is the one which the witness will use from now on. */
async function connectToPrimary(context: CommandContext): Promise<{
  readonly primary: Database;
  readonly record: NodeRecord;
  readonly records: readonly NodeRecord[];
}> {
  context.reporter.info("connecting to primary node");
  const given = await openDatabaseOrFail(context, primaryConninfo(context), {
    exitCode: exitCodes.badConfiguration,
    message: "unable to connect to the primary node",
    hint: "a primary node must be configured before registering a witness node",
  });
  await requirePrimary(given);
  const schema = await readSchemaState(given);
  const records = schema.exists && schema.missingColumns.length === 0 ? await listNodes(given) : [];
  const record = records.find(({ type, active }) => type === "primary" && active);
  if (record === undefined) {
    throw new UserError(exitCodes.badConfiguration, {
      message: "unable to determine the cluster's primary node",
      hint: "ensure the primary node connection details are correct and that it is registered",
    });
  }
  const primary = await openDatabaseOrFail(context, parseConninfo(record.conninfo), {
    exitCode: exitCodes.badConfiguration,
    message: `unable to connect to the primary node ${describeNode(record)} by its registered conninfo`,
    hint: "the witness needs this way to the primary later on, too",
  });
  await requirePrimary(primary);
  return { primary, record, records: await listNodes(primary) };
}

async function requirePrimary(database: Database): Promise<void> {
  if (!(await isInRecovery(database))) return;
  throw new UserError(exitCodes.badConfiguration, {
    message: "provided primary node is a standby",
    hint: "provide the connection details of the cluster's primary server",
  });
}
