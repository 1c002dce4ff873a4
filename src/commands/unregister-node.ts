import type { TargetRequest } from "../decide/unregister.js";
import { DatabaseError } from "../errors/database-error.js";
import { exitCodes, type ExitCode } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";
import { announceEvent } from "../events/announce-event.js";
import type { EventType } from "../events/event-types.js";
import { raiseMembershipVersion } from "../metadata/cluster-record.js";
import { deleteNode } from "../metadata/nodes.js";
import { describeNode, nodeId, type NodeId, type NodeRecord } from "../model/node-record.js";
import type { Database } from "../postgres/database.js";
import type { Reporter } from "../output/reporter.js";
import { awaitSyncSet } from "./await-sync-set.js";
import type { CommandContext } from "./define-command.js";

export interface Removal {
  readonly target: NodeRecord;
  readonly event: EventType;
  /** The node that the event is logged under. */
  readonly eventNodeId: NodeId;
  readonly details: string | null;
  /** The exit code when the record cannot be deleted; the reference has two. */
  readonly failureCode: ExitCode;
}

/** The node that the command line names for unregistering, if any. */
export function readTargetRequest(options: {
  readonly "node-id"?: number | undefined;
  readonly "node-name"?: string | undefined;
}): TargetRequest {
  const id = options["node-id"];
  return { nodeId: id === undefined ? null : nodeId(id), nodeName: options["node-name"] ?? null };
}

/** Deletes the record on the primary and announces it. Throws UserError. */
export async function removeRecord(
  context: CommandContext,
  primary: Database,
  { target, event, eventNodeId, details, failureCode }: Removal,
): Promise<void> {
  const failed = async (detail: string, hint: string, cause?: unknown): Promise<never> => {
    await announceEvent(context, { event, nodeId: eventNodeId, successful: false, details: detail }, primary);
    const message = `unable to delete the record of node ${describeNode(target)}`;
    throw new UserError(failureCode, { message, detail, hint }, cause);
  };
  try {
    const isDeleted = await primary.transaction(async () => {
      const found = await deleteNode(primary, target.nodeId);
      if (found) await raiseMembershipVersion(primary);
      return found;
    });
    if (!isDeleted) await failed("somebody else has removed it at this moment", 'see "cluster show"');
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    const isUpstream = error.meaning === "constraint-violation";
    const hint = isUpstream
      ? 'another node was registered below it at this moment: see "cluster show"'
      : "check the rights of this user on the tables of schema repmgr on the primary";
    await failed(error.message, hint, error);
  }
  await announceEvent(context, { event, nodeId: eventNodeId, successful: true, details }, primary);
  await awaitSyncSet(context, primary);
}

/** What `--dry-run` says instead of removing the record. */
export function announceDryRun(reporter: Reporter, target: NodeRecord): ExitCode {
  reporter.notice(`node ${describeNode(target)} would now be unregistered`, {
    hint: "run the same command without the --dry-run option to unregister this node",
  });
  return exitCodes.success;
}
