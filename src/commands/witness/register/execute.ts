import type { WitnessRegistrationStep } from "../../../decide/register-witness.js";
import { DatabaseError } from "../../../errors/database-error.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { announceEvent } from "../../../events/announce-event.js";
import { copyMembershipVersion, readMembershipVersion } from "../../../metadata/cluster-record.js";
import { copyNodes } from "../../../metadata/copy-nodes.js";
import { listNodes, updateNode } from "../../../metadata/nodes.js";
import type { NodeId, NodeRecord } from "../../../model/node-record.js";
import type { CommandContext } from "../../define-command.js";
import { insertRecord } from "../../insert-record.js";
import { isSchemaStep, prepareSchema } from "../../prepare-schema.js";
import type { GatheredWitness } from "./gather.js";

export interface WitnessRegistration extends Omit<GatheredWitness, "facts"> {
  readonly record: NodeRecord;
  readonly steps: readonly WitnessRegistrationStep[];
  readonly upstreamNodeId: NodeId;
}

/**
 * The schema comes first and stays whatever follows. The copy on the witness is finished before the primary's
 * transaction ends, so that no witness is registered that knows no nodes. Throws UserError.
 */
export async function carryOut(context: CommandContext, registration: WitnessRegistration): Promise<void> {
  const { witness, schemaOwner, primary, record, steps, upstreamNodeId } = registration;
  const event = { event: "witness_register", nodeId: record.nodeId } as const;
  try {
    for (const step of steps) {
      if (isSchemaStep(step)) await prepareSchema(context, { database: witness, schemaOwner, record }, step);
    }
    await primary.transaction(async () => {
      for (const step of steps) await writeRecords(registration, step);
    });
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    const details = `witness registration failed: ${error.message}`;
    await announceEvent(context, { ...event, successful: false, details }, primary);
    throw new UserError(
      exitCodes.badConfiguration,
      { message: "unable to register the witness", detail: error.message },
      error,
    );
  }
  const details = `witness registration succeeded; upstream node ID is ${upstreamNodeId}`;
  await announceEvent(context, { ...event, successful: true, details }, primary);
}

async function writeRecords(
  { witness, primary }: WitnessRegistration,
  step: WitnessRegistrationStep,
): Promise<void> {
  switch (step.kind) {
    case "create-schema":
    case "upgrade-schema":
      return;
    case "insert-record":
      return insertRecord(primary, step.record);
    case "update-record":
      await updateNode(primary, step.record);
      return;
    case "copy-records":
      await copyNodes(witness, await listNodes(primary));
      await copyMembershipVersion(witness, await readMembershipVersion(primary));
  }
}
