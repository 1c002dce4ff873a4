import {
  haveSamePromotion,
  isAhead,
  type AttachFacts,
  type AttachPurpose,
  type ServerPosition,
} from "../decide/attach.js";
import { chooseSlotCreator } from "../decide/replication-slots.js";
import type { UpstreamCandidate } from "../decide/upstream.js";
import { lookAtServer } from "../coordination/look-at-server.js";
import { readServerState } from "../coordination/read-server-state.js";
import { DatabaseError } from "../errors/database-error.js";
import { exitCodes, type ExitCode } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";
import { ConninfoError, parseConninfo, type Conninfo } from "../model/conninfo.js";
import { findNode, listNodes } from "../metadata/nodes.js";
import type { Lsn } from "../model/lsn.js";
import { describeNode, slotNameOf, type NodeRecord } from "../model/node-record.js";
import {
  findForkPoint,
  findSharedBeginning,
  parseTimelineHistory,
  type TimelineHistory,
} from "../model/timeline.js";
import type { PromotionRecord } from "../model/vote.js";
import type { WalPosition } from "../model/wal-record.js";
import { ConnectionError } from "../postgres/connection-error.js";
import type { Database } from "../postgres/database.js";
import { identifySystem, timelineHistory } from "../postgres/replication-protocol.js";
import { readReplicationSlot } from "../postgres/replication-slots.js";
import { readSourceServerFacts } from "../postgres/server-facts.js";
import { readAttachment } from "../postgres/server-state.js";
import { isRecordIncomplete } from "../postgres/incomplete-record.js";
import { beginsAlike } from "../postgres/wal-beginning.js";
import type { CommandContext } from "./define-command.js";

const POLL_EVERY_MS = 100;
const ANNOUNCE_AFTER_MS = 1000;

/** The code with which a command ends when its node cannot be attached. */
export const attachFailureCodes = {
  follow: exitCodes.followFailed,
  rejoin: exitCodes.rejoinFailed,
} as const satisfies Readonly<Record<AttachPurpose, ExitCode>>;

/** The node to stream from and the primary, which may be the same; both sessions are closed with the command. */
export interface Participants {
  readonly own: NodeRecord;
  readonly target: NodeRecord;
  readonly targetDatabase: Database;
  readonly primaryDatabase: Database;
}

/** What the target tells of its slots and of the own standby. */
export async function askUpstream({
  own,
  target,
  targetDatabase,
}: Omit<Participants, "primaryDatabase">): Promise<UpstreamCandidate> {
  const server = await readSourceServerFacts(targetDatabase);
  const connection = { role: server.role, user: targetDatabase.conninfo.get("user") ?? "" };
  return {
    record: target,
    conninfo: parseConninfo(target.conninfo),
    // Before the attachment: who holds the slot then is seen attached after it.
    slot: await readReplicationSlot(targetDatabase, own.slotName ?? slotNameOf(own.nodeId)),
    attachment: await readAttachment(targetDatabase, own.nodeName),
    usedSlots: server.usedSlots,
    maxSlots: Number(server.settings.get("max_replication_slots")),
    slotCreator: chooseSlotCreator(
      { superuser: null, replicationUser: null },
      connection,
      target.replicationUser || null,
    ),
  };
}

/**
 * The node that this one has left, by its record. Where the record names the target already, a run that was killed may
 * have left the slot of this node on the former one: the first node that holds it unused. Null when there is none.
 */
export async function findFormerUpstream(
  context: CommandContext,
  { own, target, primaryDatabase }: Participants,
): Promise<NodeRecord | null> {
  const formerId = own.upstreamNodeId;
  if (formerId !== null && formerId !== target.nodeId) return findNode(primaryDatabase, formerId);
  if (formerId === null || !context.settings.use_replication_slots) return null;
  const slotName = own.slotName ?? slotNameOf(own.nodeId);
  const others = (await listNodes(primaryDatabase)).filter(
    ({ nodeId, active, type }) =>
      active && type !== "witness" && nodeId !== own.nodeId && nodeId !== target.nodeId,
  );
  const holders = await Promise.all(
    others.map(async (node) => ((await holdsUnusedSlot(context, node, slotName)) ? node : null)),
  );
  return holders.find((node) => node !== null) ?? null;
}

async function holdsUnusedSlot(
  { databases, interrupted }: CommandContext,
  node: NodeRecord,
  slotName: string,
): Promise<boolean> {
  try {
    const database = await databases.connect(parseConninfo(node.conninfo), { signal: interrupted });
    const slot = await readReplicationSlot(database, slotName).finally(() => database.close());
    return slot !== null && slot.isPhysical && !slot.isActive;
  } catch (error) {
    const isOfNode =
      error instanceof ConnectionError || error instanceof ConninfoError || error instanceof DatabaseError;
    if (isOfNode) return false;
    throw error;
  }
}

interface Target {
  readonly record: NodeRecord;
  readonly database: Database;
  readonly purpose: AttachPurpose;
}

type TargetPosition = Pick<AttachFacts, "target" | "targetHistory">;

/** Where the target is, by its own walsender. Throws UserError with the code of the purpose. */
export async function readTargetPosition(context: CommandContext, target: Target): Promise<TargetPosition> {
  return (await lookAtTarget(await connectForReplication(context, target), target)).there;
}

/**
 * Where the target is once it has what `local` had received. Two standbys of one upstream receive the same WAL, now
 * the one first and now the other: a standby that lacks some is looked at again, for at most `withinMs`. Throws
 * UserError with the code of the purpose.
 */
export async function awaitTargetPosition(
  context: CommandContext,
  target: Target,
  { local, withinMs }: { readonly local: ServerPosition; readonly withinMs: number },
): Promise<TargetPosition> {
  const { clock, interrupted, reporter } = context;
  const walsender = await connectForReplication(context, target);
  const begin = clock.monotonic();
  let isAnnounced = false;
  for (;;) {
    const { there, inRecovery } = await lookAtTarget(walsender, target);
    const waitedMs = clock.monotonic() - begin;
    if (!inRecovery || !isAhead({ local, ...there }) || waitedMs >= withinMs) return there;
    if (!isAnnounced && waitedMs >= ANNOUNCE_AFTER_MS) {
      isAnnounced = true;
      reporter.notice(
        `waiting for ${target.purpose} target node ${describeNode(target.record)} to catch up`,
        {
          detail: `it lacks WAL that this node has received; waiting at most ${withinMs / 1000} seconds`,
        },
      );
    }
    await clock.sleep(POLL_EVERY_MS, interrupted);
  }
}

async function lookAtTarget(
  walsender: Database,
  { record, database, purpose }: Target,
): Promise<{ readonly there: TargetPosition; readonly inRecovery: boolean }> {
  const identity = await identifySystem(walsender);
  const state = await readServerState(database, record.nodeId);
  const target = {
    nodeId: record.nodeId,
    systemIdentifier: identity.systemIdentifier,
    timeline: identity.timeline,
    lsn: furthest(identity.position, state.writtenLsn, state.receivedLsn, state.replayedLsn),
  };
  const targetHistory = await readHistory(walsender, identity.timeline, purpose);
  return { there: { target, targetHistory }, inRecovery: state.inRecovery };
}

/**
 * Whether the last timeline that both have by number is one; `endOf` says how far the local log goes on a timeline,
 * `promotions` are those in the local log.
 */
export async function readSharedTimeline(
  { settings }: Pick<CommandContext, "settings">,
  {
    local,
    there,
    database,
    endOf,
  }: {
    readonly local: {
      readonly timeline: number;
      readonly history: TimelineHistory;
      readonly promotions: readonly PromotionRecord[];
    };
    readonly there: TargetPosition;
    readonly database: Database;
    readonly endOf: (timeline: number, from: Lsn) => Promise<Lsn | null>;
  },
): Promise<boolean | null> {
  const target = { timeline: there.target.timeline, history: there.targetHistory };
  const beginning = findSharedBeginning(local, target);
  if (beginning === null) return null;
  const { timeline, from } = beginning;
  const end = await endOf(timeline, from);
  const left = timeline === target.timeline ? there.target.lsn : findForkPoint(target.history, timeline);
  const to = end === null || left === null ? from : end < left ? end : left;
  const isAlike = await beginsAlike(settings.data_directory, database, { timeline, from, to });
  if (isAlike !== null || local.promotions.length === 0) return isAlike;
  return haveSamePromotion(timeline, local.promotions, await readPromotions(database));
}

/** The record within which the local log breaks off where the target left `timeline`; null when there is none. */
export async function findIncompleteRecord(
  { settings }: Pick<CommandContext, "settings">,
  { target, targetHistory }: TargetPosition,
  {
    timeline,
    readSegmentBytes,
  }: { readonly timeline: number; readonly readSegmentBytes: () => Promise<number> },
): Promise<WalPosition | null> {
  const fork = target.timeline > timeline ? findForkPoint(targetHistory, timeline) : null;
  if (fork === null) return null;
  const position = { timeline, lsn: fork, segmentBytes: await readSegmentBytes() };
  return (await isRecordIncomplete(settings.data_directory, position)) ? position : null;
}

/** Empty where they cannot be read. */
export async function readPromotions(database: Database): Promise<readonly PromotionRecord[]> {
  try {
    return (await lookAtServer(database)).promotions;
  } catch (error) {
    if (error instanceof DatabaseError) return [];
    throw error;
  }
}

/** The greatest of the positions that are known; `0/0` without any. */
export function furthest(...positions: readonly (Lsn | null)[]): Lsn {
  return positions.reduce<Lsn>((a, b) => (b !== null && b > a ? b : a), 0n as Lsn);
}

async function connectForReplication(
  context: CommandContext,
  { record, purpose }: Target,
): Promise<Database> {
  const conninfo: Conninfo = new Map([
    ...parseConninfo(record.conninfo),
    ...(record.replicationUser === "" ? [] : ([["user", record.replicationUser]] as const)),
  ]);
  try {
    const session = await context.databases.connect(conninfo, {
      replication: true,
      signal: context.interrupted,
    });
    context.cleanup.push(() => session.close());
    return session;
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    throw new UserError(attachFailureCodes[purpose], {
      message: `unable to make a replication connection to ${purpose} target node ${describeNode(record)}`,
      detail: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
}

/** Timeline 1 has no ancestors and no file. */
async function readHistory(
  walsender: Database,
  timeline: number,
  purpose: AttachPurpose,
): Promise<TimelineHistory> {
  if (timeline === 1) return [];
  try {
    return parseTimelineHistory(await timelineHistory(walsender, timeline));
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    throw new UserError(attachFailureCodes[purpose], {
      message: `unable to read the history of timeline ${timeline} from the ${purpose} target`,
      detail: error.message,
    });
  }
}
