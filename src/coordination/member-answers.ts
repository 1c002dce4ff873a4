import type { Reporter } from "../output/reporter.js";
import type { ServerLook } from "./look-at-server.js";
import type { DaemonBeacon, VoteBeacon } from "../model/beacon.js";
import { parseConninfo } from "../model/conninfo.js";
import { parseLsn } from "../model/lsn.js";
import type { Beacon, MemberAnswer, Membership, PeerSessions, ServerReport } from "../model/member-report.js";
import { describeNode, type NodeRecord } from "../model/node-record.js";
import { parseTimelineHistory, type TimelineHistory } from "../model/timeline.js";
import { ConnectionError } from "../postgres/connection-error.js";
import { timelineHistory } from "../postgres/replication-protocol.js";
import { DatabaseError } from "../errors/database-error.js";
import { readOwnHistory } from "../postgres/own-history.js";
import type { Databases } from "../postgres/database.js";
import type { PeerAnswer } from "./peer-sessions.js";

interface HistoryEffects {
  readonly databases: Databases;
  readonly reporter: Pick<Reporter, "warning">;
  settings(): { readonly data_directory: string };
}

/** Where the histories of timelines come from; each is read once, they never change. */
export interface Histories {
  of(record: NodeRecord | null, timeline: number): Promise<TimelineHistory>;
}

const HISTORY_WITHIN_MS = 1000;

/** `record` null is the own server, whose files are at hand. What cannot be read is empty: then nobody is followed. */
export function createHistories(context: HistoryEffects): Histories {
  const known = new Map<string, TimelineHistory>();
  const told = new Set<string>();
  const read = async (record: NodeRecord | null, timeline: number): Promise<TimelineHistory | null> => {
    if (record === null) return readOwnHistory(context.settings().data_directory, timeline);
    const answer = await askForHistory(context, record, timeline);
    if (typeof answer !== "string") return answer;
    tellOnce(record, answer);
    return null;
  };
  const tellOnce = (record: NodeRecord, reason: string): void => {
    const name = describeNode(record);
    if (told.has(name)) return;
    told.add(name);
    context.reporter.warning(`unable to read the timeline history of node ${name}`, {
      detail: reason,
      hint: "without it this node cannot follow that one; see that its pg_hba.conf lets replication connections in",
    });
  };
  return {
    of: async (record, timeline) => {
      if (timeline <= 1) return [];
      const key = `${record?.nodeId ?? "own"}:${timeline}`;
      const cached = known.get(key);
      if (cached !== undefined) return cached;
      const history = await read(record, timeline);
      if (history !== null) known.set(key, history);
      return history ?? [];
    },
  };
}

/** The history, or why there is none. */
async function askForHistory(
  { databases }: HistoryEffects,
  { conninfo, replicationUser }: NodeRecord,
  timeline: number,
): Promise<TimelineHistory | string> {
  const parameters = new Map(parseConninfo(conninfo));
  if (replicationUser !== "") parameters.set("user", replicationUser);
  try {
    const signal = AbortSignal.timeout(HISTORY_WITHIN_MS);
    const session = await databases.connect(parameters, { replication: true, signal, interrupted: signal });
    try {
      return parseTimelineHistory(await timelineHistory(session, timeline));
    } finally {
      void session.close();
    }
  } catch (error) {
    if (error instanceof ConnectionError || error instanceof DatabaseError || error instanceof DOMException)
      return error.message;
    throw error;
  }
}

export function toServerReport(look: ServerLook, history: TimelineHistory): ServerReport {
  return {
    termRow: look.termRow ?? 0,
    lsn: look.lsn ?? parseLsn("0/0"),
    systemIdentifier: look.systemIdentifier,
    inRecovery: look.inRecovery,
    timeline: look.timeline ?? 0,
    history,
    promotion: look.promotions.at(-1) ?? null,
    promotions: look.promotions,
    isRecordedPrimary: look.isRecordedPrimary,
    isDrained: look.isDrained ?? true,
    isDetached: look.inRecovery && look.isWithoutUpstream === true && look.walReceiverPid === null,
    exclusion: look.exclusion,
  };
}

export function toPeerSessions({ requests, leases, exclusions }: ServerLook): PeerSessions {
  return {
    requests: requests.map(({ membersVersion, ...request }) => ({
      ...request,
      membershipVersion: membersVersion,
    })),
    leases,
    exclusions,
  };
}

export function toMembership(
  records: readonly NodeRecord[],
  { membershipVersion, syncState }: Pick<ServerLook, "membershipVersion" | "syncState">,
): Membership {
  return { version: membershipVersion, members: records, syncState };
}

export async function toMemberAnswer(
  { record, answer }: PeerAnswer,
  histories: Histories,
): Promise<MemberAnswer> {
  if (answer.kind !== "answered") return { kind: "unreachable", nodeId: record.nodeId };
  const look = answer.value;
  const history = await histories.of(record, look.timeline ?? 0);
  return {
    kind: "answered",
    nodeId: record.nodeId,
    server: toServerReport(look, history),
    // The beacon of another node: the conninfo of the record leads to the wrong server.
    beacon:
      look.beacon?.nodeId === record.nodeId && !look.isThroughPooler
        ? toBeacon(look.beacon, look.vote)
        : null,
  };
}

const activities = {
  P: "leading",
  E: "willing",
  D: "unwilling",
  S: "watching",
  W: "watching",
} as const satisfies Record<DaemonBeacon["activity"], Beacon["activity"]>;

function toBeacon(beacon: DaemonBeacon & { readonly ageMs: number | null }, vote: VoteBeacon | null): Beacon {
  const seenMs = vote?.primarySeenMs ?? null;
  return {
    nodeId: beacon.nodeId,
    upstreamNodeId: beacon.upstreamNodeId,
    primarySeenAgoMs: seenMs === null ? null : seenMs + (beacon.ageMs ?? 0),
    isPaused: beacon.isPaused,
    activity: activities[beacon.activity],
    vote:
      vote?.votedFor === null || vote === null ? null : { term: vote.votedTerm, candidate: vote.votedFor },
    leaseEcho: vote?.leaseEcho ?? null,
    heldForMs: Math.max(0, (beacon.heldForMs ?? 0) - (beacon.ageMs ?? 0)),
  };
}

/** The activity as the beacon spells it. */
export function letterOf(activity: Beacon["activity"], isWitness: boolean): DaemonBeacon["activity"] {
  switch (activity) {
    case "leading":
      return "P";
    case "willing":
      return "E";
    case "unwilling":
      return "D";
    case "watching":
      return isWitness ? "W" : "S";
  }
}
