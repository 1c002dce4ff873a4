import { formatLsn, parseLsn } from "../model/lsn.js";
import { nodeId, type NodeId } from "../model/node-record.js";
import { parseSyncState, type SyncState } from "../model/sync-state.js";
import { parseExclusion, renderExclusion, type RecordedExclusion } from "../model/sync-exclusion.js";
import type { PromotionRecord } from "../model/vote.js";
import type { Database } from "../postgres/database.js";
import { recordPromotion } from "./record-promotion.js";

/** What the log of a server says of the history of its cluster. */
export interface ClusterRecord {
  /** Oldest first. */
  readonly promotions: readonly PromotionRecord[];
  readonly membershipVersion: number;
  /** By which nodes commits are kept in synchronous mode; null outside of it. */
  readonly syncState: SyncState | null;
  /** Of a witness: the standby for which it does not vote; null before the first one. */
  readonly exclusion: RecordedExclusion | null;
}

/** Of a schema that the extension made and no promotion of ours was written to. */
export const noClusterRecord: ClusterRecord = {
  promotions: [],
  membershipVersion: 0,
  syncState: null,
  exclusion: null,
};

const PROMOTION = "promotion_";
const VERSION = "members_version";
const EXCLUSION = "sync_exclusion";

export interface SettingsRow {
  readonly name: string;
  readonly value: string;
}

/** The rows of a cluster record. Refused where there is no table for them. */
export const SELECT_CLUSTER_RECORD = `SELECT name, value FROM repmgr.settings
  WHERE name LIKE 'promotion\\_%' OR name IN ('members_version', 'sync_state', 'sync_exclusion')`;

/** Throws DatabaseError, also where there is no table for it. */
async function readClusterRecord(database: Database): Promise<ClusterRecord> {
  return toClusterRecord(await database.query<SettingsRow>(SELECT_CLUSTER_RECORD));
}

export function toClusterRecord(rows: readonly SettingsRow[]): ClusterRecord {
  const promotions = rows
    .filter(({ name }) => name.startsWith(PROMOTION))
    .flatMap(({ value }) => parsePromotion(value) ?? [])
    .sort((a, b) => a.term - b.term);
  const version = Number(rows.find(({ name }) => name === VERSION)?.value ?? 0);
  const syncState = parseSyncState(rows.find(({ name }) => name === "sync_state")?.value ?? "");
  const exclusion = parseExclusion(rows.find(({ name }) => name === EXCLUSION)?.value ?? "");
  return { promotions, membershipVersion: Number.isSafeInteger(version) ? version : 0, syncState, exclusion };
}

/** `term=8 node=2 timeline=3 fork=0/3000060`. */
function parsePromotion(value: string): PromotionRecord | null {
  const match = /^term=(\d+) node=(\d+) timeline=(\d+) fork=([0-9A-F]+\/[0-9A-F]+)$/.exec(value);
  if (match === null) return null;
  const [, term, node, timeline, fork = ""] = match;
  return {
    term: Number(term),
    node: nodeId(Number(node)),
    timeline: Number(timeline),
    forkLsn: parseLsn(fork),
  };
}

/**
 * The first rows that a new primary writes, in one transaction: the term, which never goes backwards, the record of
 * its promotion, and itself as the one active primary. Throws DatabaseError.
 */
export async function writePromotion(database: Database, promotion: PromotionRecord): Promise<void> {
  const { term, node, timeline, forkLsn } = promotion;
  await ensureSettings(database);
  await database.transaction(async () => {
    await database.query("UPDATE repmgr.voting_term SET term = GREATEST(term, $1)", [term]);
    await database.query(
      "INSERT INTO repmgr.voting_term (term) SELECT $1 WHERE NOT EXISTS (SELECT FROM repmgr.voting_term)",
      [term],
    );
    await database.query(
      `INSERT INTO repmgr.settings (name, value) VALUES ($1, $2)
       ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
      [`${PROMOTION}${term}`, `term=${term} node=${node} timeline=${timeline} fork=${formatLsn(forkLsn)}`],
    );
  });
  await recordPromotion(database, node);
}

/** Of a witness; null before the first one. Throws DatabaseError. */
export const readExclusion = async (witness: Database): Promise<RecordedExclusion | null> =>
  (await hasSettings(witness)) ? (await readClusterRecord(witness)).exclusion : null;

/** Into the database of a witness; an older epoch is never written over a newer one. Throws DatabaseError. */
export async function writeExclusion(witness: Database, exclusion: RecordedExclusion): Promise<void> {
  await ensureSettings(witness);
  await witness.transaction(async () => {
    await witness.query("LOCK TABLE repmgr.settings IN SHARE ROW EXCLUSIVE MODE");
    const known = (await readClusterRecord(witness)).exclusion;
    if (known !== null && known.epoch >= exclusion.epoch) return;
    await witness.query(
      `INSERT INTO repmgr.settings (name, value) VALUES ($1, $2)
       ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
      [EXCLUSION, renderExclusion(exclusion)],
    );
  });
}

/** The extension's schema has no such table. Throws DatabaseError. */
export async function ensureSettings(database: Database): Promise<void> {
  await database.query(
    "CREATE TABLE IF NOT EXISTS repmgr.settings (name text NOT NULL PRIMARY KEY, value text NOT NULL)",
  );
}

/** Throws DatabaseError. */
export const hasSettings = async (database: Database): Promise<boolean> => {
  const [row] = await database.query<{ found: boolean }>(
    "SELECT pg_catalog.to_regclass('repmgr.settings') IS NOT NULL AS found",
  );
  return row?.found === true;
};

/**
 * Belongs into the transaction that adds or removes a node: a voter that knows of it refuses a candidate that does not.
 * The extension's schema has no place for it. Throws DatabaseError.
 */
export async function raiseMembershipVersion(primary: Database): Promise<void> {
  if (!(await hasSettings(primary))) return;
  await primary.query(
    `INSERT INTO repmgr.settings AS s (name, value) VALUES ($1, '1')
     ON CONFLICT (name) DO UPDATE SET value = (s.value::bigint + 1)::text`,
    [VERSION],
  );
}

/** For a witness, which gets no WAL: that of the node records it has just copied. Throws DatabaseError. */
export async function copyMembershipVersion(witness: Database, version: number): Promise<void> {
  if (!(await hasSettings(witness))) return;
  await witness.query(
    `INSERT INTO repmgr.settings AS s (name, value) VALUES ($1, $2)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE s.value <> excluded.value`,
    [VERSION, String(version)],
  );
}

/** 0 where there is none. Throws DatabaseError. */
export async function readMembershipVersion(database: Database): Promise<number> {
  return (await hasSettings(database)) ? (await readClusterRecord(database)).membershipVersion : 0;
}

/** The upstream of a witness, on the primary. Throws DatabaseError. */
export async function setUpstream(primary: Database, id: NodeId, upstream: NodeId): Promise<void> {
  await primary.query("UPDATE repmgr.nodes SET upstream_node_id = $2, active = true WHERE node_id = $1", [
    id,
    upstream,
  ]);
}
