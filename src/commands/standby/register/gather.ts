import type { StandbyRegistrationFacts, UpstreamAttachment } from "../../../decide/register-standby.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { findRegisteredPrimary, listNodes } from "../../../metadata/nodes.js";
import { readSchemaState } from "../../../metadata/schema-state.js";
import { ConninfoError, parseConninfo } from "../../../model/conninfo.js";
import { describeNode, type NodeId, type NodeRecord } from "../../../model/node-record.js";
import { ConnectionError } from "../../../postgres/connection-error.js";
import type { Database } from "../../../postgres/database.js";
import { isInRecovery, readAttachment, readSystemIdentifier } from "../../../postgres/server-state.js";
import { openDatabase, openDatabaseOrFail } from "../../connect-local.js";
import { connectToTruePrimary } from "../../connect-primary.js";
import type { CommandContext } from "../../define-command.js";

const START_POLL_MS = 200;
const ATTACH_POLL_MS = 100;
/** A standby that has just been started needs a moment until its WAL receiver is connected. */
const ATTACH_WAIT_MS = 5000;

export interface StandbyRegisterOptions {
  readonly force: boolean;
  readonly upstreamNodeId: NodeId | null;
  readonly waitStartMs: number;
}

export interface GatheredRegistration {
  readonly facts: StandbyRegistrationFacts;
  readonly local: Database | null;
  readonly primary: Database;
  readonly primaryRecord: NodeRecord | null;
}

/** Finds the local server and the primary and reads what `planStandbyRegistration` needs. Throws UserError. */
export async function gatherRegistration(
  context: CommandContext,
  own: NodeRecord,
  options: StandbyRegisterOptions,
): Promise<GatheredRegistration> {
  context.reporter.info(`connecting to local node ${describeNode(own)}`);
  const local = await connectToOwnServer(context, own, options);
  if (local !== null) await requireStandby(local, own);
  context.reporter.info("connecting to primary database");
  const { primary, primaryRecord } = await connectToPrimary(context, local);
  const schema = await readSchemaState(primary);
  const records = schema.exists && schema.missingColumns.length === 0 ? await listNodes(primary) : [];
  const upstreamId = options.upstreamNodeId ?? primaryRecord?.nodeId ?? null;
  const upstream = records.find(({ nodeId }) => nodeId === upstreamId) ?? null;
  const isFirstTime = !records.some(({ nodeId }) => nodeId === own.nodeId);
  const mustBeAttached = local !== null && (options.upstreamNodeId !== null || isFirstTime);
  return {
    facts: {
      local:
        local === null
          ? null
          : { serverVersion: local.serverVersion, systemIdentifier: await readSystemIdentifier(local) },
      primary: {
        nodeId: primaryRecord?.nodeId ?? null,
        schema,
        systemIdentifier: await readSystemIdentifier(primary),
      },
      records,
      attachment:
        mustBeAttached && upstream !== null && upstream.nodeId !== own.nodeId
          ? await awaitAttachment(context, own, upstream)
          : { kind: "not-asked" },
    },
    local,
    primary,
    primaryRecord,
  };
}

/** Null when the server is down and may be, which takes `--force` and a way to the primary. */
async function connectToOwnServer(
  context: CommandContext,
  own: NodeRecord,
  { force, waitStartMs }: StandbyRegisterOptions,
): Promise<Database | null> {
  const { clock, reporter, connection, settings } = context;
  const conninfo = parseConninfo(settings.conninfo);
  const deadline = clock.monotonic() + (force ? 0 : waitStartMs);
  let announced = false;
  for (;;) {
    try {
      const database = await openDatabase(context, conninfo);
      if (connection.size > 0) {
        reporter.warning("database connection parameters are not needed, the local node is running", {
          hint: "they are used only for a standby that is down",
        });
      }
      return database;
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      if (clock.monotonic() >= deadline) return acceptServerDown(context, own, { force, error });
    }
    if (!announced)
      reporter.info(`waiting for the local node to start (timeout: ${waitStartMs / 1000} seconds)`);
    announced = true;
    await clock.sleep(START_POLL_MS, context.interrupted);
  }
}

function acceptServerDown(
  { connection }: CommandContext,
  own: NodeRecord,
  { force, error }: { readonly force: boolean; readonly error: ConnectionError },
): null {
  if (force && connection.size > 0) return null;
  throw new UserError(
    exitCodes.badConfiguration,
    {
      message: `unable to connect to local node ${describeNode(own)}`,
      detail: error.message,
      hint: force
        ? "to register a standby which is not running, additionally provide the primary connection parameters"
        : "to register a standby which is not running, provide primary connection parameters and use option -F/--force",
    },
    error,
  );
}

async function requireStandby(local: Database, own: NodeRecord): Promise<void> {
  if (await isInRecovery(local)) return;
  throw new UserError(exitCodes.badConfiguration, {
    message: `this node should be a standby (${describeNode(own)})`,
    detail: "the server is not in recovery",
    hint: 'use "primary register" for a primary, or "standby clone" to make this node a standby',
  });
}

async function connectToPrimary(
  context: CommandContext,
  local: Database | null,
): Promise<Pick<GatheredRegistration, "primary" | "primaryRecord">> {
  if (local === null) {
    const primary = await openDatabaseOrFail(context, context.connection, {
      exitCode: exitCodes.badConfiguration,
      message: "unable to connect to the primary database",
    });
    if (await isInRecovery(primary)) throw new UserError(exitCodes.badConfiguration, NOT_A_PRIMARY);
    return { primary, primaryRecord: await findRegisteredPrimaryIfAny(primary) };
  }
  const { database, record } = await connectToTruePrimary(context, await listNodesIfAny(local), {
    message: "unable to connect to the primary database",
    hint: "a primary node must be configured before registering a standby node",
  });
  return { primary: database, primaryRecord: record };
}

const NOT_A_PRIMARY = {
  message: "the connection parameters lead to a standby",
  detail: "the node record can be written on the primary only",
  hint: "provide the connection parameters of the primary",
};

async function hasMetadata(database: Database): Promise<boolean> {
  const schema = await readSchemaState(database);
  return schema.exists && schema.missingColumns.length === 0;
}

async function listNodesIfAny(database: Database): Promise<readonly NodeRecord[]> {
  return (await hasMetadata(database)) ? listNodes(database) : [];
}

async function findRegisteredPrimaryIfAny(database: Database): Promise<NodeRecord | null> {
  return (await hasMetadata(database)) ? findRegisteredPrimary(database) : null;
}

async function awaitAttachment(
  context: CommandContext,
  own: NodeRecord,
  upstream: NodeRecord,
): Promise<UpstreamAttachment> {
  if (upstream.conninfo.trim() === "") {
    return { kind: "unreachable", reason: "its node record is a placeholder without conninfo" };
  }
  let database: Database;
  try {
    database = await openDatabase(context, parseConninfo(upstream.conninfo));
  } catch (error) {
    if (!(error instanceof ConnectionError || error instanceof ConninfoError)) throw error;
    return { kind: "unreachable", reason: error.message };
  }
  const { clock, interrupted } = context;
  const deadline = clock.monotonic() + ATTACH_WAIT_MS;
  for (;;) {
    const { attached, state } = await readAttachment(database, own.nodeName);
    const isGood = attached && (state === null || state === "streaming");
    if (isGood || clock.monotonic() >= deadline) {
      return attached ? { kind: "attached", state } : { kind: "not-attached" };
    }
    await clock.sleep(ATTACH_POLL_MS, interrupted);
  }
}
