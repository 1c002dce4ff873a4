import type { CloneRequest, CloneTarget } from "../../../decide/clone-facts.js";
import { slotNameFor } from "../../../decide/clone.js";
import {
  buildStandbyConninfo,
  planReplicationConfiguration,
  type ReplicationConfigurationFacts,
  type ReplicationConfigurationStep,
} from "../../../decide/replication-configuration.js";
import { DatabaseError } from "../../../errors/database-error.js";
import { exitCodes, type ExitCode } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { listNodes, updateNode } from "../../../metadata/nodes.js";
import { findTruePrimary } from "../../../metadata/find-primary.js";
import { parseConninfo, type Conninfo } from "../../../model/conninfo.js";
import type { NodeRecord } from "../../../model/node-record.js";
import { ConnectionError } from "../../../postgres/connection-error.js";
import { keepDbname, writeRecoverySettings } from "../../../postgres/recovery-settings.js";
import { readReplicationSlot } from "../../../postgres/replication-slots.js";
import { readSourceServerFacts } from "../../../postgres/server-facts.js";
import { describeFailure, systemCode } from "../../../system/directories.js";
import { openDatabaseOrFail } from "../../connect-local.js";
import type { CommandContext } from "../../define-command.js";
import { createOwnSlot } from "../../own-slot.js";
import { reportProblems, reportWarnings } from "../../report-problems.js";
import { renderParameters } from "./describe-step.js";
import { gatherTarget, readRecordConninfo } from "./gather.js";

/** `--replication-conf-only`: nothing is copied; the data directory there is told to follow the upstream. */
export async function writeReplicationConfiguration(
  context: CommandContext,
  request: CloneRequest,
): Promise<ExitCode> {
  const { reporter } = context;
  const source = await openDatabaseOrFail(context, request.source, {
    exitCode: exitCodes.databaseConnection,
    message: "connection to database failed",
  });
  const nodes = await listNodes(source);
  const target = await gatherTarget(context, request.dataDirectory);
  const facts = await gatherFacts(context, request, { nodes, target });
  const decision = planReplicationConfiguration(facts, request);
  if (decision.kind === "refused") return reportProblems(reporter, decision.problems);
  reportWarnings(reporter, decision.warnings);
  if (request.dryRun) {
    for (const step of decision.steps) reporter.info(describeConfigurationStep(step));
    reporter.info('all prerequisites for "standby clone" are met');
    return exitCodes.success;
  }
  for (const step of decision.steps)
    await executeStep(context, { nodes, serverVersion: source.serverVersion }, step);
  const { state } = target;
  const isRunning = state.kind === "directory" && state.serverPid !== null;
  reporter.notice("replication configuration written", {
    hint: isRunning
      ? `reload the server's configuration, for example: pg_ctl -D ${request.dataDirectory} reload`
      : `start the server, for example: pg_ctl -D ${request.dataDirectory} start`,
  });
  return exitCodes.success;
}

async function gatherFacts(
  context: CommandContext,
  request: CloneRequest,
  { nodes, target }: { readonly nodes: readonly NodeRecord[]; readonly target: CloneTarget },
): Promise<ReplicationConfigurationFacts> {
  const ownRecord = nodes.find((node) => node.nodeId === request.nodeId) ?? null;
  const upstreamRecord =
    nodes.find((node) =>
      request.upstreamNodeId === null
        ? node.type === "primary" && node.active
        : node.nodeId === request.upstreamNodeId,
    ) ?? null;
  const upstreamConninfo =
    request.upstreamConninfo ?? (upstreamRecord === null ? null : readRecordConninfo(upstreamRecord));
  const upstream =
    upstreamRecord === null || upstreamConninfo === null
      ? null
      : await askUpstream(context, request, {
          slotName: ownRecord?.slotName ?? slotNameFor(request),
          record: upstreamRecord,
          conninfo: upstreamConninfo,
        });
  return { target, ownRecord, upstreamRecord, upstreamConninfo, upstream };
}

async function askUpstream(
  context: CommandContext,
  request: CloneRequest,
  {
    slotName,
    record,
    conninfo,
  }: { readonly slotName: string; readonly record: NodeRecord; readonly conninfo: Conninfo },
): Promise<ReplicationConfigurationFacts["upstream"]> {
  const { databases, interrupted } = context;
  try {
    const database = await databases.connect(conninfo, { signal: interrupted });
    try {
      const server = {
        ...(await readSourceServerFacts(database)),
        user: database.conninfo.get("user") ?? "",
      };
      const slot = await readReplicationSlot(database, slotName);
      const replicationFailure = await tryReplication(
        context,
        parseConninfo(buildStandbyConninfo(request, { record, conninfo })),
      );
      return { kind: "reachable", server, slot, replicationFailure };
    } finally {
      await database.close();
    }
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    return { kind: "unreachable", reason: error.message };
  }
}

/** The very connection that the standby's WAL receiver will make. */
async function tryReplication(
  { databases, interrupted }: CommandContext,
  conninfo: Conninfo,
): Promise<string | null> {
  try {
    const session = await databases.connect(new Map([...conninfo, ["dbname", "replication"]]), {
      replication: true,
      signal: interrupted,
    });
    await session.close();
    return null;
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    return error.message;
  }
}

function describeConfigurationStep(step: ReplicationConfigurationStep): string {
  switch (step.kind) {
    case "set-slot-name":
      return `would set the slot name of this node to "${step.slotName}"`;
    case "write-configuration":
      return `would write "standby.signal" and these settings into "${step.path}/postgresql.auto.conf":\n${renderParameters(step.parameters)}`;
    case "create-slot":
      return `would create replication slot "${step.slot.name}" on the upstream node`;
  }
}

async function executeStep(
  context: CommandContext,
  { nodes, serverVersion }: { readonly nodes: readonly NodeRecord[]; readonly serverVersion: number },
  step: ReplicationConfigurationStep,
): Promise<void> {
  try {
    switch (step.kind) {
      case "set-slot-name":
        await setSlotName(context, nodes, step);
        return;
      case "write-configuration":
        await writeRecoverySettings(step.path, await keepDbname(step.path, serverVersion, step.parameters));
        return;
      case "create-slot":
        await createOwnSlot(context, step.upstream, step.slot);
    }
  } catch (error) {
    const isExpected =
      error instanceof DatabaseError || error instanceof ConnectionError || systemCode(error) !== null;
    if (!isExpected) throw error;
    const message = {
      "set-slot-name": "unable to record the replication slot in repmgr.nodes",
      "write-configuration": "unable to write the replication configuration",
      "create-slot": "unable to create the replication slot on the upstream node",
    }[step.kind];
    throw new UserError(exitCodes.badConfiguration, { message, detail: describeFailure(error) }, error);
  }
}

async function setSlotName(
  { databases, interrupted }: CommandContext,
  nodes: readonly NodeRecord[],
  { record, slotName }: Extract<ReplicationConfigurationStep, { readonly kind: "set-slot-name" }>,
): Promise<void> {
  const { primary } = await findTruePrimary(databases, nodes, interrupted);
  if (primary === null) {
    throw new UserError(exitCodes.badConfiguration, {
      message: "unable to find the primary to record the replication slot",
      hint: "check that the primary is running",
    });
  }
  try {
    await updateNode(primary.database, { ...record, slotName });
  } finally {
    await primary.database.close();
  }
}
