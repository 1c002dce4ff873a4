import type { ServerReport } from "../model/member-report.js";
import type { NodeId } from "../model/node-record.js";
import { findCommonTimeline } from "../model/timeline.js";
import type { DaemonMemory, PromotionRecord } from "../model/vote.js";

/**
 * `rejoin`: only after pg_rewind or a new clone. `twin`: both were primaries of one term, so nobody but a person may
 * throw away what this one holds. `unrelated`: it is another cluster.
 */
export type Attachment = "follow" | "rejoin" | "twin" | "unrelated";

/**
 * Whether the own server can stream from `target` as it is. Timelines alone do not tell: two nodes that were promoted
 * from the same parent get the same number and the same history file, and a standby of the one streams happily from
 * the other. So the last promotion in the own log must be one of the target's, and a former primary follows only a
 * primary on a later timeline that grew out of its own.
 */
export function judgeAttachment(
  own: ServerReport,
  target: ServerReport,
  wasPrimary: DaemonMemory["wasPrimary"],
): Attachment {
  if (own.systemIdentifier !== target.systemIdentifier) return "unrelated";
  if (wasPrimary !== null && target.termRow <= wasPrimary.term) return "twin";
  const isFormerPrimary = wasPrimary?.timeline === own.timeline;
  if (isFormerPrimary && target.timeline <= own.timeline) return "rejoin";
  if (isFormerPrimary && hasUnprovenBeginning(own)) return "rejoin";
  if (!sharesPromotions(own, target) || isOnUnrecordedTimeline(own, target)) return "rejoin";
  const common = findCommonTimeline(
    { timeline: own.timeline, history: own.history },
    { timeline: target.timeline, history: target.history },
  );
  if (common === null || common.timeline !== own.timeline) return "rejoin";
  // Read at two moments, the own position can be ahead of the target's: follow_command looks again.
  if (common.end === null) return "follow";
  return own.lsn <= common.end ? "follow" : "rejoin";
}

/** What began a timeline other than the first and was never recorded may have a twin, which the target grew out of. */
function hasUnprovenBeginning({ history, timeline, promotion }: ServerReport): boolean {
  return history.length > 0 && promotion?.timeline !== timeline;
}

function sharesPromotions(own: ServerReport, target: ServerReport): boolean {
  const last = own.promotion;
  if (last === null) return true;
  return target.promotions.some(
    ({ term, node, timeline }) => term === last.term && node === last.node && timeline === last.timeline,
  );
}

/** The target has the record of how this timeline began and the own log, though further than that, has not. */
function isOnUnrecordedTimeline(own: ServerReport, target: ServerReport): boolean {
  const record = findUnrecorded(own, target);
  return record !== undefined && own.lsn > record.forkLsn;
}

/** A server that was just started says less than it has: whether this timeline is the target's is not known yet. */
export function isLineageOpen(own: ServerReport, target: ServerReport): boolean {
  return !own.isDrained && findUnrecorded(own, target) !== undefined;
}

function findUnrecorded(own: ServerReport, target: ServerReport): PromotionRecord | undefined {
  if (own.promotion?.timeline === own.timeline) return undefined;
  return target.promotions.find(({ timeline }) => timeline === own.timeline);
}

/** A promotion that the tool knows of led to this server's timeline, or it has been the primary from the beginning. */
export function isRecognisedPrimary(nodeId: NodeId, server: ServerReport): boolean {
  if (server.inRecovery || !server.isRecordedPrimary) return false;
  const { promotion, timeline } = server;
  return promotion === null ? true : promotion.node === nodeId && promotion.timeline === timeline;
}
