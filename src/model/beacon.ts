import { type Lsn } from "./lsn.js";
import { nodeId, type NodeId } from "./node-record.js";
import type { SyncExclusion } from "./sync-exclusion.js";

/**
 * What a daemon does, as its beacon says in one letter: it leads as the primary, watches as a standby or a witness,
 * would stand for election (`E`), or would not (`D`, degraded).
 */
type DaemonActivity = "P" | "S" | "W" | "D" | "E";

export type DaemonShortcoming = "manual" | "forgetful";

/** What a daemon publishes of itself on its own server. */
export interface DaemonBeacon {
  readonly nodeId: NodeId;
  readonly upstreamNodeId: NodeId | null;
  /** Milliseconds since the daemon last saw its upstream, when it wrote this; null: never. */
  readonly upstreamSeenMs: number | null;
  /** The term row that its server had. */
  readonly term: number | null;
  readonly isPaused: boolean;
  readonly activity: DaemonActivity;
  /** The new primary that it is about to follow. */
  readonly followingNodeId: NodeId | null;
  readonly pid: number;
  /** For so long it gives no vote, when it wrote this; null: it is free. In milliseconds. */
  readonly heldForMs: number | null;
  /** Why it counts for less: it promotes nothing, or it forgets its votes with its process. */
  readonly shortcoming: DaemonShortcoming | null;
}

/** The daemon's vote, shown only after it is on disk. */
export interface VoteBeacon {
  readonly votedTerm: number;
  readonly votedFor: NodeId | null;
  /** Of the daemon's start: another one means that it was restarted. */
  readonly boot: string;
  /** Milliseconds since a primary answered this daemon that it is not in recovery; null: never. */
  readonly primarySeenMs: number | null;
  /** The newest lease counter that it heard. */
  readonly leaseEcho: Lease | null;
}

/** A counter that a primary puts on the servers of its voters, whose daemons echo it. */
export interface Lease {
  readonly holder: NodeId;
  /** The holder's term row. */
  readonly term: number;
  readonly counter: number;
}

/** What a candidate asks a voter, in a session on the voter's server. */
export interface ShownVoteRequest {
  readonly term: number;
  readonly candidate: NodeId;
  readonly termRow: number;
  readonly lsn: Lsn;
  /** Of the node records that the candidate counts. */
  readonly membersVersion: number;
  readonly counter: number;
  /** The candidate gives up: the vote may go to somebody else. */
  readonly isAbandoned: boolean;
}

/** Pause or unpause, asked of a daemon in a session on its server. */
export interface PauseRequest {
  readonly isPaused: boolean;
}

/** PostgreSQL cuts longer names without an error. */
const LONGEST_NAME = 63;

const BEACON = "tsr1 ";
const VOTE = "tsr1v ";
const REQUEST = "tsr1q ";
const LEASE = "tsr1l ";
const PAUSE = "tsr1p ";
const EXCLUSION = "tsr1x ";

/** The name of a session that is kept open for a message, and has none. */
export const NO_MESSAGE = "tsrepmgrd";

type Field = readonly [key: string, value: string | number | null];

/** The fields that are known, in their order; the last ones are left out when they do not fit. */
function render(prefix: string, fields: readonly Field[]): string {
  const words = fields.flatMap(([key, value]) => (value === null ? [] : [`${key}=${value}`]));
  while (prefix.length + words.join(" ").length > LONGEST_NAME) words.pop();
  return prefix + words.join(" ");
}

/** The name of the session that says that a daemon is there; schema/003 reads it. */
export function renderBeacon(beacon: DaemonBeacon): string {
  return render(BEACON, [
    ["n", beacon.nodeId],
    ["c", beacon.pid],
    ["p", beacon.isPaused ? 1 : 0],
    ["r", beacon.activity],
    ["u", beacon.upstreamNodeId],
    ["s", capMs(beacon.upstreamSeenMs)],
    ["t", beacon.term],
    ["o", beacon.shortcoming?.charAt(0) ?? null],
    ["h", capMs(beacon.heldForMs)],
    ["f", beacon.followingNodeId],
  ]);
}

export function renderVoteBeacon(vote: VoteBeacon): string {
  const { votedTerm, votedFor, boot, primarySeenMs, leaseEcho } = vote;
  return render(VOTE, [
    ["v", `${votedTerm}:${votedFor ?? 0}`],
    ["e", leaseEcho === null ? null : `${leaseEcho.holder}:${leaseEcho.term}:${leaseEcho.counter}`],
    ["a", capMs(primarySeenMs)],
    ["b", boot],
  ]);
}

export function renderLease({ holder, term, counter }: Lease): string {
  return render(LEASE, [
    ["h", holder],
    ["t", term],
    ["k", counter],
  ]);
}

const capMs = (ms: number | null): number | null =>
  ms === null ? null : Math.min(Math.round(ms), 99_999_999);

export function renderVoteRequest(request: ShownVoteRequest): string {
  return render(REQUEST, [
    ["t", request.term],
    ["c", request.candidate],
    ["r", request.termRow],
    ["l", request.lsn.toString(16)],
    ["x", request.isAbandoned ? 1 : null],
    ["k", request.counter],
    ["m", request.membersVersion],
  ]);
}

export function renderPauseRequest({ isPaused }: PauseRequest): string {
  return render(PAUSE, [["p", isPaused ? 1 : 0]]);
}

/** What a primary asks of a witness, in a session on the witness's server. */
export function renderExclusionWish({ epoch, node, holder, term }: SyncExclusion): string {
  return render(EXCLUSION, [
    ["e", epoch],
    ["n", node ?? 0],
    ["h", holder],
    ["t", term],
  ]);
}

export function parseExclusionWish(name: string): SyncExclusion | null {
  const fields = readFields(name, EXCLUSION);
  const [epoch, node, holder, term] = [
    numberOf(fields, "e"),
    numberOf(fields, "n"),
    nodeOf(fields, "h"),
    numberOf(fields, "t"),
  ];
  if (epoch === null || node === null || holder === null || term === null) return null;
  return { epoch, node: node === 0 ? null : nodeId(node), holder, term };
}

const shortcomings: ReadonlyMap<string, DaemonShortcoming> = new Map([
  ["m", "manual"],
  ["f", "forgetful"],
]);

const activities: readonly string[] = ["P", "S", "W", "D", "E"];

/** Null for a name that is none of ours, or one that lacks what a beacon must have. */
export function parseBeacon(name: string): DaemonBeacon | null {
  const fields = readFields(name, BEACON);
  const id = numberOf(fields, "n");
  const pid = numberOf(fields, "c");
  if (id === null || pid === null) return null;
  const activity = fields.get("r") ?? "";
  return {
    nodeId: nodeId(id),
    upstreamNodeId: nodeOf(fields, "u"),
    upstreamSeenMs: numberOf(fields, "s"),
    term: numberOf(fields, "t"),
    isPaused: fields.get("p") === "1",
    activity: activities.includes(activity) ? (activity as DaemonActivity) : "D",
    followingNodeId: nodeOf(fields, "f"),
    pid,
    heldForMs: numberOf(fields, "h"),
    shortcoming: shortcomings.get(fields.get("o") ?? "") ?? null,
  };
}

export function parseVoteBeacon(name: string): VoteBeacon | null {
  const fields = readFields(name, VOTE);
  const [votedTerm, votedFor] = readNumbers(fields.get("v"));
  if (votedTerm === undefined || votedFor === undefined) return null;
  const [holder, term, counter] = readNumbers(fields.get("e"));
  return {
    votedTerm,
    votedFor: votedFor === 0 ? null : nodeId(votedFor),
    boot: fields.get("b") ?? "",
    primarySeenMs: numberOf(fields, "a"),
    leaseEcho:
      holder === undefined || term === undefined || counter === undefined
        ? null
        : { holder: nodeId(holder), term, counter },
  };
}

export function parseLease(name: string): Lease | null {
  const fields = readFields(name, LEASE);
  const [holder, term, counter] = [nodeOf(fields, "h"), numberOf(fields, "t"), numberOf(fields, "k")];
  return holder === null || term === null || counter === null ? null : { holder, term, counter };
}

export function parseVoteRequest(name: string): ShownVoteRequest | null {
  const fields = readFields(name, REQUEST);
  const [term, candidate, termRow] = [numberOf(fields, "t"), nodeOf(fields, "c"), numberOf(fields, "r")];
  const lsn = fields.get("l") ?? "";
  if (term === null || candidate === null || termRow === null || !/^[0-9a-f]{1,16}$/.test(lsn)) return null;
  return {
    term,
    candidate,
    termRow,
    lsn: BigInt(`0x${lsn}`) as Lsn,
    membersVersion: numberOf(fields, "m") ?? 0,
    counter: numberOf(fields, "k") ?? 0,
    isAbandoned: fields.get("x") === "1",
  };
}

export function parsePauseRequest(name: string): PauseRequest | null {
  const value = readFields(name, PAUSE).get("p");
  return value === "0" || value === "1" ? { isPaused: value === "1" } : null;
}

function readFields(name: string, prefix: string): ReadonlyMap<string, string> {
  if (!name.startsWith(prefix)) return new Map();
  const words = name.slice(prefix.length).split(" ");
  return new Map(
    words.flatMap((word): [string, string][] => {
      const equals = word.indexOf("=");
      return equals > 0 ? [[word.slice(0, equals), word.slice(equals + 1)]] : [];
    }),
  );
}

/** The numbers of `8:2`; none when it is anything else. */
function readNumbers(text: string | undefined): readonly number[] {
  return /^\d{1,15}(?::\d{1,15})*$/.test(text ?? "") ? (text ?? "").split(":").map(Number) : [];
}

function numberOf(fields: ReadonlyMap<string, string>, key: string): number | null {
  const text = fields.get(key) ?? "";
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function nodeOf(fields: ReadonlyMap<string, string>, key: string): NodeId | null {
  const value = numberOf(fields, key);
  return value === null ? null : nodeId(value);
}
