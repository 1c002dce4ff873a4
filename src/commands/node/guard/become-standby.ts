import { readState, stateFileOf, writeState, type DaemonState } from "../../../coordination/state-file.js";
import type { StartVerdict, Successor } from "../../../decide/guard.js";
import { judgeDivergence } from "../../../decide/divergence.js";
import type { RecoveryParameters } from "../../../decide/recovery-parameters.js";
import { DatabaseError } from "../../../errors/database-error.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { findNode } from "../../../metadata/nodes.js";
import { parseConninfo } from "../../../model/conninfo.js";
import { nodeId, type NodeRecord } from "../../../model/node-record.js";
import { ConnectionError } from "../../../postgres/connection-error.js";
import { writeRecoverySettings } from "../../../postgres/recovery-settings.js";
import { readEndOfWal } from "../../../postgres/rewind.js";
import { describeFailure, systemCode } from "../../../system/directories.js";
import { decideStandbyParameters } from "../../attach-standby.js";
import type { CommandContext } from "../../define-command.js";
import { askUpstream, findIncompleteRecord, furthest, readTargetPosition } from "../../gather-attachment.js";
import { readStoppedTimeline } from "../rejoin/gather.js";
import {
  firstRecordKnown,
  isShutDownCleanly,
  readLocalHistory,
  recoveryPointOf,
} from "../rejoin/gather-local.js";
import type { Hearing, StoppedNode } from "./gather.js";

/** Said in so many words, since postgresql.conf may name somebody. */
const STREAMS_FROM_NOBODY: RecoveryParameters = new Map([["primary_conninfo", ""]]);

/**
 * Makes the data directory that of a standby, which streams from `parameters` if there are any. What it was is written
 * down first: PostgreSQL forgets it at the first start. Throws UserError (code 1) when a file cannot be written.
 */
export async function becomeStandby(
  context: CommandContext,
  node: StoppedNode,
  { hearing, parameters }: { readonly hearing: Hearing; readonly parameters: RecoveryParameters | null },
): Promise<void> {
  await rememberPrimary(context, node, hearing);
  try {
    await writeRecoverySettings(context.settings.data_directory, parameters ?? STREAMS_FROM_NOBODY);
  } catch (error) {
    if (systemCode(error) === null) throw error;
    throw new UserError(
      exitCodes.badConfiguration,
      { message: "unable to make this node a standby", detail: describeFailure(error) },
      error,
    );
  }
}

async function rememberPrimary(
  { settings, reporter }: CommandContext,
  { control, stateDirectory, known }: StoppedNode,
  { facts, verdict }: Hearing,
): Promise<void> {
  if (stateDirectory.kind === "missing") {
    reporter.warning("it cannot be written down that this node was the primary", {
      detail: stateDirectory.reason,
      hint: 'set "state_directory" in repmgr.conf to a directory that this user may write',
    });
    return;
  }
  const owner = { nodeId: nodeId(settings.node_id), systemIdentifier: control.systemIdentifier };
  const path = stateFileOf(stateDirectory.path, owner);
  const reading = await readState(path, owner);
  // One that is lost or damaged stands for votes that are not known any more; a new one would hide that.
  if (reading.kind !== "read" || reading.state.wasPrimary !== null) return;
  const wasPrimary: DaemonState["wasPrimary"] = {
    timeline: facts.server.timeline,
    term: known?.termRow ?? 0,
    reason: reasonOf(verdict),
  };
  await writeState(path, owner, { ...reading.state, wasPrimary });
}

function reasonOf(verdict: StartVerdict): NonNullable<DaemonState["wasPrimary"]>["reason"] {
  if (verdict.kind !== "superseded") return "isolated";
  return verdict.successor.isTwin ? "equal-term" : "superseded";
}

/** How this node streams from its successor as it is; null when it cannot, or nobody can say. Bounded by `signal`. */
export async function findWayToFollow(
  context: CommandContext,
  node: StoppedNode,
  {
    successor,
    records,
    signal,
  }: { successor: Successor; records: readonly NodeRecord[]; signal: AbortSignal },
): Promise<RecoveryParameters | null> {
  const target = records.find((record) => record.nodeId === successor.nodeId);
  if (target === undefined || successor.isTwin) return null;
  try {
    return await decideWay({ ...context, interrupted: signal }, node, target);
  } catch (error) {
    const isExpected =
      error instanceof UserError || error instanceof DatabaseError || error instanceof ConnectionError;
    if (!isExpected && !signal.aborted) throw error;
    context.reporter.debug("the successor cannot be followed yet", { detail: describeFailure(error) });
    return null;
  }
}

async function decideWay(
  context: CommandContext,
  { control, binDirectory }: StoppedNode,
  target: NodeRecord,
): Promise<RecoveryParameters | null> {
  const { databases, interrupted, cleanup, settings, processes } = context;
  const database = await databases.connect(parseConninfo(target.conninfo), { signal: interrupted });
  cleanup.push(() => database.close());
  const own = await findNode(database, nodeId(settings.node_id));
  if (own === null) return null;
  const point = recoveryPointOf(control);
  const there = await readTargetPosition(context, { record: target, database, purpose: "rejoin" });
  // Whoever follows then discards it, in a restart.
  const incompleteRecord = await findIncompleteRecord(context, there, {
    timeline: point.timeline,
    readSegmentBytes: () => Promise.resolve(control.walSegmentBytes),
  });
  if (incompleteRecord !== null) return null;
  const localHistory = await readLocalHistory(context, point.timeline);
  const end = isShutDownCleanly(control)
    ? point.lsn
    : await readEndOfWal(processes, {
        binDirectory,
        dataDirectory: settings.data_directory,
        timeline: point.timeline,
        from: firstRecordKnown(control, { timeline: point.timeline, history: localHistory }),
        signal: interrupted,
      });
  if (end === null) return null;
  const verdict = judgeDivergence({
    local: {
      nodeId: own.nodeId,
      systemIdentifier: control.systemIdentifier,
      timeline: point.timeline,
      lsn: furthest(point.lsn, end),
    },
    ...there,
    localHistory,
    sharesTimeline: await readStoppedTimeline(context, { control, binDirectory }, { there, database }),
  });
  if (verdict.kind !== "can-attach") return null;
  const { slot } = await askUpstream({ own, target, targetDatabase: database });
  if (settings.use_replication_slots && slot === null) return null;
  return decideStandbyParameters(context, { own, target, targetDatabase: database });
}
