import type { PrimaryRegistrationStep } from "../../../decide/register-primary.js";
import { DatabaseError } from "../../../errors/database-error.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { announceEvent } from "../../../events/announce-event.js";
import { deactivateNode, updateNode } from "../../../metadata/nodes.js";
import { ensureVotingTerm } from "../../../metadata/voting-term.js";
import type { Database } from "../../../postgres/database.js";
import type { CommandContext } from "../../define-command.js";
import { insertRecord } from "../../insert-record.js";
import { isSchemaStep, prepareSchema } from "../../prepare-schema.js";
import { settleSteps, type SettledDecision } from "../../settle-steps.js";
import type { Participants } from "./gather.js";

/** The schema comes first and stays whatever follows; the records change together or not at all. */
export async function carryOut(
  context: CommandContext,
  work: Participants & {
    readonly decision: SettledDecision<PrimaryRegistrationStep>;
  },
): Promise<void> {
  const { database, schemaOwner, record, decision } = work;
  const { steps } = decision;
  const isUpdate = steps.some(({ kind }) => kind === "update-record");
  const event = { event: "primary_register", nodeId: record.nodeId } as const;
  try {
    for (const step of steps) {
      if (isSchemaStep(step)) await prepareSchema(context, { database, schemaOwner, record }, step);
    }
    await database.transaction(async () => {
      for (const step of await settleSteps(database, decision)) await changeRecords(context, database, step);
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

async function changeRecords(
  { reporter }: CommandContext,
  database: Database,
  step: PrimaryRegistrationStep,
): Promise<void> {
  switch (step.kind) {
    case "create-schema":
    case "upgrade-schema":
      return;
    case "ensure-voting-term":
      return ensureVotingTerm(database);
    case "deactivate-node":
      reporter.notice(`setting node ${step.node}'s node record to inactive`);
      return deactivateNode(database, step.node);
    case "insert-record":
      return insertRecord(database, step.record);
    case "update-record":
      await updateNode(database, step.record);
  }
}
