import type { AttachFacts, ServerPosition } from "../../../decide/attach.js";
import type { FollowFacts, FollowTarget } from "../../../decide/follow.js";
import { chooseSlotCreator } from "../../../decide/replication-slots.js";
import { readServerState } from "../../../coordination/read-server-state.js";
import { DatabaseError } from "../../../errors/database-error.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { findTruePrimary } from "../../../metadata/find-primary.js";
import { findNode, listNodes } from "../../../metadata/nodes.js";
import { formatConninfo, parseConninfo, type Conninfo } from "../../../model/conninfo.js";
import type { Lsn } from "../../../model/lsn.js";
import { describeNode, nodeId, type NodeId, type NodeRecord } from "../../../model/node-record.js";
import { parseTimelineHistory, type TimelineHistory } from "../../../model/timeline.js";
import { ConnectionError } from "../../../postgres/connection-error.js";
import type { Database } from "../../../postgres/database.js";
import { readPrimaryConninfo } from "../../../postgres/recovery-settings.js";
import { identifySystem, timelineHistory } from "../../../postgres/replication-protocol.js";
import { readReplicationSlot } from "../../../postgres/replication-slots.js";
import { readSourceServerFacts } from "../../../postgres/server-facts.js";
import { readAttachment, readSystemIdentifier } from "../../../postgres/server-state.js";
import { openDatabase } from "../../connect-local.js";
import type { CommandContext } from "../../define-command.js";

const SEARCH_POLL_MS = 200;

/** The node to follow and the primary, which may be the same; both sessions are closed with the command. */
export interface Participants {
  readonly own: NodeRecord;
  readonly target: NodeRecord;
  readonly targetDatabase: Database;
  readonly primaryDatabase: Database;
}

const refuse = (message: string, rest: { detail?: string; hint?: string } = {}): UserError =>
  new UserError(exitCodes.followFailed, { message, ...rest });

/** Finds whom to follow; with `waitMs` it looks for a primary that long. Throws UserError (code 23). */
export async function findParticipants(
  context: CommandContext,
  local: Database,
  { upstreamNodeId, waitMs }: { readonly upstreamNodeId: NodeId | null; readonly waitMs: number },
): Promise<Participants> {
  const ownId = nodeId(context.settings.node_id);
  if (upstreamNodeId === ownId) throw refuse(`provided --upstream-node-id ${ownId} is the current node`);
  const records = await listNodes(local);
  if (upstreamNodeId === null) {
    context.reporter.notice("attempting to find and follow current primary");
    const primary = await awaitPrimary(
      context,
      records.filter((record) => record.nodeId !== ownId),
      waitMs,
    );
    return withOwnRecord(
      { target: primary.record, targetDatabase: primary.database, primaryDatabase: primary.database },
      ownId,
    );
  }
  const target = records.find((record) => record.nodeId === upstreamNodeId);
  if (target === undefined) {
    throw refuse(`unable to find record for intended upstream node ${upstreamNodeId}`, {
      hint: '"cluster show" lists the nodes',
    });
  }
  const targetDatabase = await connectTo(context, target);
  const primary = await awaitPrimary(context, await listNodes(targetDatabase), waitMs);
  return withOwnRecord({ target, targetDatabase, primaryDatabase: primary.database }, ownId);
}

/** The primary's copy of the own row is the one that counts. */
async function withOwnRecord(found: Omit<Participants, "own">, id: NodeId): Promise<Participants> {
  const own = await findNode(found.primaryDatabase, id);
  if (own !== null) return { ...found, own };
  throw refuse(`no record found for this node (ID: ${id}) on the primary`, {
    hint: 'execute "standby register --force" on this node',
  });
}

async function connectTo(context: CommandContext, record: NodeRecord): Promise<Database> {
  try {
    return await openDatabase(context, parseConninfo(record.conninfo));
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    throw refuse(`unable to connect to node ${describeNode(record)}`, { detail: error.message });
  }
}

async function awaitPrimary(
  context: CommandContext,
  records: readonly NodeRecord[],
  waitMs: number,
): Promise<{ readonly record: NodeRecord; readonly database: Database }> {
  const { clock, databases, interrupted, cleanup } = context;
  const deadline = clock.monotonic() + waitMs;
  for (;;) {
    const { primary, unanswered } = await findTruePrimary(databases, records, interrupted);
    if (primary !== null) {
      cleanup.push(() => primary.database.close());
      return primary;
    }
    if (clock.monotonic() >= deadline) {
      const detail = unanswered
        .map(({ record, error }) => `node ${describeNode(record)}: ${error.message}`)
        .join("\n");
      throw refuse("unable to find a primary to follow", {
        ...(detail === "" ? {} : { detail }),
        hint: 'promote a standby with "standby promote", or wait for a primary with --wait',
      });
    }
    await clock.sleep(SEARCH_POLL_MS, interrupted);
  }
}

/** Reads what `planFollow` needs. Throws UserError where a server does not answer the question. */
export async function gatherFollowFacts(
  context: CommandContext,
  local: Database,
  participants: Participants,
): Promise<FollowFacts> {
  const { own, target, primaryDatabase } = participants;
  const formerId = own.upstreamNodeId;
  const former =
    formerId === null || formerId === target.nodeId ? null : await findNode(primaryDatabase, formerId);
  const current = await readPrimaryConninfo(context.settings.data_directory);
  return {
    own,
    target: await askTarget(participants),
    attach: await readPositions(context, local, participants),
    formerUpstream: former,
    currentConninfo: current === null ? null : formatConninfo(current),
  };
}

async function askTarget({ own, target, targetDatabase }: Participants): Promise<FollowTarget> {
  const server = await readSourceServerFacts(targetDatabase);
  const connection = { role: server.role, user: targetDatabase.conninfo.get("user") ?? "" };
  return {
    record: target,
    conninfo: parseConninfo(target.conninfo),
    attachment: await readAttachment(targetDatabase, own.nodeName),
    slot: await readReplicationSlot(targetDatabase, own.slotName ?? `repmgr_slot_${own.nodeId}`),
    usedSlots: server.usedSlots,
    maxSlots: Number(server.settings.get("max_replication_slots")),
    slotCreator: chooseSlotCreator(
      { superuser: null, replicationUser: null },
      connection,
      target.replicationUser || null,
    ),
  };
}

async function readPositions(
  context: CommandContext,
  local: Database,
  { own, target, targetDatabase }: Participants,
): Promise<AttachFacts> {
  const state = await readServerState(local, own.nodeId);
  const here: ServerPosition = {
    nodeId: own.nodeId,
    systemIdentifier: await readSystemIdentifier(local),
    timeline: state.timeline ?? 1,
    lsn: furthest(state.receivedLsn, state.replayedLsn),
  };
  const walsender = await connectForReplication(context, target);
  const identity = await identifySystem(walsender);
  const there = await readServerState(targetDatabase, target.nodeId);
  return {
    local: here,
    target: {
      nodeId: target.nodeId,
      systemIdentifier: identity.systemIdentifier,
      timeline: identity.timeline,
      lsn: furthest(identity.position, there.writtenLsn, there.receivedLsn, there.replayedLsn),
    },
    targetHistory: await readHistory(walsender, identity.timeline),
  };
}

function furthest(...positions: readonly (Lsn | null)[]): Lsn {
  return positions.reduce<Lsn>((a, b) => (b !== null && b > a ? b : a), 0n as Lsn);
}

async function connectForReplication(context: CommandContext, target: NodeRecord): Promise<Database> {
  const conninfo: Conninfo = new Map([
    ...parseConninfo(target.conninfo),
    ...(target.replicationUser === "" ? [] : ([["user", target.replicationUser]] as const)),
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
    throw refuse(`unable to make a replication connection to follow target node ${describeNode(target)}`, {
      detail: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
}

/** Timeline 1 has no ancestors and no file. */
async function readHistory(walsender: Database, timeline: number): Promise<TimelineHistory> {
  if (timeline === 1) return [];
  try {
    return parseTimelineHistory(await timelineHistory(walsender, timeline));
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    throw refuse(`unable to read the history of timeline ${timeline} from the follow target`, {
      detail: error.message,
    });
  }
}
