import type { StandbyRegistrationStep } from "../../../decide/register-standby.js";
import { DatabaseError } from "../../../errors/database-error.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { announceEvent, type Event } from "../../../events/announce-event.js";
import { findNode, updateNode } from "../../../metadata/nodes.js";
import type { NodeRecord } from "../../../model/node-record.js";
import type { Database } from "../../../postgres/database.js";
import { awaitSyncSet } from "../../await-sync-set.js";
import type { CommandContext } from "../../define-command.js";
import { insertRecord } from "../../insert-record.js";
import { settleSteps, type SettledDecision } from "../../settle-steps.js";

const SYNC_POLL_MS = 100;

export interface Registration {
  readonly primary: Database;
  readonly primaryRecord: NodeRecord | null;
  readonly decision: SettledDecision<StandbyRegistrationStep>;
  readonly record: NodeRecord;
  readonly force: boolean;
}

/** Fills `%p %c %a` of the registration's events. */
const subjectOf = (primary: NodeRecord | null): NonNullable<Event["subject"]> | null =>
  primary === null
    ? null
    : { nodeId: primary.nodeId, nodeName: primary.nodeName, conninfo: primary.conninfo };

/** Writes the records in one transaction on the primary and announces the outcome. Throws UserError. */
export async function writeRegistration(context: CommandContext, registration: Registration): Promise<void> {
  const { primary, primaryRecord, decision, record, force } = registration;
  const event = {
    event: "standby_register",
    nodeId: record.nodeId,
    subject: subjectOf(primaryRecord),
  } as const;
  try {
    await primary.transaction(async () => {
      for (const step of await settleSteps(primary, decision)) await carryOut(context, primary, step);
    });
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    const details = `standby registration failed: ${error.message}`;
    await announceEvent(context, { ...event, successful: false, details }, primary);
    throw new UserError(
      exitCodes.badConfiguration,
      { message: "unable to register the standby", detail: error.message },
      error,
    );
  }
  const suffix = force ? " (-F/--force option was used)" : "";
  const details = `standby registration succeeded; upstream node ID is ${record.upstreamNodeId}${suffix}`;
  await announceEvent(context, { ...event, successful: true, details }, primary);
  await awaitSyncSet(context, primary);
}

async function carryOut(
  { reporter }: CommandContext,
  primary: Database,
  step: StandbyRegistrationStep,
): Promise<void> {
  if (step.kind === "update-record") {
    await updateNode(primary, step.record);
    return;
  }
  if (step.kind === "insert-placeholder") {
    reporter.notice(`creating placeholder record for upstream node ${step.record.nodeId}`);
  }
  await insertRecord(primary, step.record);
}

/**
 * Waits until the standby's own copy of the row equals the primary's; `timeoutMs` of null waits for ever. Throws
 * UserError (code 20) when it does not in time.
 */
export async function awaitRecordSync(
  context: CommandContext,
  { primary, primaryRecord, record }: Registration,
  { local, timeoutMs }: { readonly local: Database; readonly timeoutMs: number | null },
): Promise<void> {
  const { clock, reporter, interrupted } = context;
  const event = {
    event: "standby_register_sync",
    nodeId: record.nodeId,
    subject: subjectOf(primaryRecord),
  } as const;
  const begun = clock.monotonic();
  const elapsedSeconds = (): number => Math.floor((clock.monotonic() - begun) / 1000);
  while (!isSameRecord(await findNode(local, record.nodeId), record)) {
    if (timeoutMs !== null && clock.monotonic() - begun >= timeoutMs) {
      const details = `node record was not synchronised after ${elapsedSeconds()} seconds`;
      await announceEvent(context, { ...event, successful: false, details }, primary);
      throw new UserError(exitCodes.registrationSync, {
        message: "node record was not synchronised to the standby",
        detail: details,
        hint: 'check with "cluster show" that this standby is attached, then repeat with a longer --wait-sync',
      });
    }
    await clock.sleep(SYNC_POLL_MS, interrupted);
  }
  const details = `node record synchronised after ${elapsedSeconds()} seconds`;
  await announceEvent(context, { ...event, successful: true, details }, primary);
  reporter.info("node record on standby synchronised from primary", { detail: details });
}

function isSameRecord(copy: NodeRecord | null, record: NodeRecord): boolean {
  return (
    copy !== null && (Object.keys(record) as (keyof NodeRecord)[]).every((key) => copy[key] === record[key])
  );
}
