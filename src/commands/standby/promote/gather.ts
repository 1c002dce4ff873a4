import type { PromotionFacts } from "../../../decide/promote.js";
import { findSiblings } from "../../../decide/siblings.js";
import { findTruePrimary } from "../../../metadata/find-primary.js";
import { listNodes } from "../../../metadata/nodes.js";
import type { NodeId, NodeRecord } from "../../../model/node-record.js";
import type { Database } from "../../../postgres/database.js";
import { readReplayState } from "../../../postgres/replay-state.js";
import { readRoom } from "../../../postgres/server-room.js";
import { reachSiblings } from "../../remote-siblings.js";
import type { CommandContext } from "../../define-command.js";
import { isRunByDaemon } from "./daemon-order.js";

/** Reads what `planPromotion` needs; the records are this standby's copy, because the primary is usually gone. */
export async function gatherPromotionFacts(
  context: CommandContext,
  {
    local,
    own,
    isPromoted,
    siblingsFollow,
  }: {
    readonly local: Database;
    readonly own: NodeRecord;
    readonly isPromoted: boolean;
    readonly siblingsFollow: boolean;
  },
): Promise<PromotionFacts> {
  const records = await listNodes(local);
  const replay = await readReplayState(local);
  const mayCallPromote = await readMayCallPromote(local);
  const others = records.filter(({ nodeId }) => nodeId !== own.nodeId);
  // The daemon has asked them all, and the one that does not answer would use up the time that its votes are good for.
  const { primary } = isRunByDaemon(context.environment)
    ? { primary: null }
    : await findTruePrimary(context.databases, others, context.interrupted);
  await primary?.database.close();
  const siblings = findSiblings(records, {
    own: own.nodeId,
    upstream: own.upstreamNodeId ?? formerPrimary(others),
  });
  const following = siblingsFollow
    ? { siblings: await reachSiblings(context, siblings), room: await readRoom(local) }
    : null;
  return {
    own,
    isPromoted,
    records,
    livePrimary: primary?.record ?? null,
    replay,
    mayCallPromote,
    following,
  };
}

/** A record that says primary already has forgotten its upstream. */
function formerPrimary(others: readonly NodeRecord[]): NodeId | null {
  return others.find(({ type, active }) => type === "primary" && !active)?.nodeId ?? null;
}

export async function readMayCallPromote(database: Database): Promise<boolean> {
  const [row] = await database.query<{ allowed: boolean }>(
    "SELECT pg_catalog.has_function_privilege('pg_catalog.pg_promote(boolean, integer)', 'EXECUTE') AS allowed",
  );
  return row?.allowed ?? false;
}
