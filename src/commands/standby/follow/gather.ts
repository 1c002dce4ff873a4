import type { AttachFacts, ServerPosition } from "../../../decide/attach.js";
import type { FollowFacts } from "../../../decide/follow.js";
import { readServerState } from "../../../coordination/read-server-state.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { findTruePrimary } from "../../../metadata/find-primary.js";
import { findNode, listNodes } from "../../../metadata/nodes.js";
import { formatConninfo, parseConninfo } from "../../../model/conninfo.js";
import { describeNode, nodeId, type NodeId, type NodeRecord } from "../../../model/node-record.js";
import { ConnectionError } from "../../../postgres/connection-error.js";
import type { Database } from "../../../postgres/database.js";
import { readOwnHistory } from "../../../postgres/own-history.js";
import { readReplayedTimeline } from "../../../postgres/replayed-timeline.js";
import { readPrimaryConninfo } from "../../../postgres/recovery-settings.js";
import { readSystemIdentifier } from "../../../postgres/server-state.js";
import { readSegmentSize } from "../../../postgres/wal-segments.js";
import { openDatabase } from "../../connect-local.js";
import type { CommandContext } from "../../define-command.js";
import {
  askUpstream,
  awaitTargetPosition,
  findFormerUpstream,
  findIncompleteRecord,
  furthest,
  readPromotions,
  readSharedTimeline,
  type Participants,
} from "../../gather-attachment.js";

const SEARCH_POLL_MS = 200;

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
  throw new UserError(exitCodes.badConfiguration, {
    message: `no record found for this node (ID: ${id}) on the primary`,
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
  const { own } = participants;
  const current = await readPrimaryConninfo(context.settings.data_directory);
  const positions = await readPositions(context, local, participants);
  const incompleteRecord = await findIncompleteRecord(context, positions, {
    timeline: positions.local.timeline,
    readSegmentBytes: () => readSegmentSize(local),
  });
  return {
    own,
    target: await askUpstream(participants),
    // What was received of such a record counts for nothing.
    attach:
      incompleteRecord === null
        ? positions
        : { ...positions, local: { ...positions.local, lsn: incompleteRecord.lsn } },
    incompleteRecord,
    formerUpstream: await findFormerUpstream(context, participants),
    currentConninfo: current === null ? null : formatConninfo(current),
  };
}

async function readPositions(
  context: CommandContext,
  local: Database,
  { own, target, targetDatabase }: Participants,
): Promise<AttachFacts> {
  const { databases, settings, interrupted } = context;
  const state = await readServerState(local, own.nodeId);
  const conninfo = parseConninfo(settings.conninfo);
  const replayed = await readReplayedTimeline(databases, { ...own, conninfo }, interrupted);
  const here: ServerPosition = {
    nodeId: own.nodeId,
    systemIdentifier: await readSystemIdentifier(local),
    timeline: replayed ?? state.timeline ?? 1,
    lsn: furthest(state.receivedLsn, state.replayedLsn),
  };
  const there = await awaitTargetPosition(
    context,
    { record: target, database: targetDatabase, purpose: "follow" },
    { local: here, withinMs: settings.standby_follow_timeout },
  );
  const history = (await readOwnHistory(settings.data_directory, here.timeline)) ?? [];
  const sharesTimeline = await readSharedTimeline(context, {
    local: { timeline: here.timeline, history, promotions: await readPromotions(local) },
    there,
    database: targetDatabase,
    endOf: () => Promise.resolve(here.lsn),
  });
  return { local: here, ...there, sharesTimeline };
}
