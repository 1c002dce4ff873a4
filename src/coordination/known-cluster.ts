import { join } from "node:path";
import { formatLsn, parseLsn } from "../model/lsn.js";
import { nodeId, type NodeRecord } from "../model/node-record.js";
import type { PromotionRecord } from "../model/vote.js";
import { isWritableFile, replaceFile } from "../system/directories.js";
import { readOwnedFile } from "../system/owned-file.js";
import { currentUserId } from "../system/process-table.js";
import type { ServerLook } from "./look-at-server.js";
import type { StateOwner } from "./state-file.js";

/** What a node last knew of its cluster, for the time when its own server is down: whom to ask, and what it was itself. */
export interface KnownCluster {
  readonly records: readonly NodeRecord[];
  readonly termRow: number;
  readonly timeline: number;
  readonly promotions: readonly PromotionRecord[];
}

const FORMAT = 1;
const WRITABLE_BY_OTHERS = 0o022;

const fileOf = (directory: string, owner: StateOwner): string =>
  join(directory, `node-${owner.nodeId}-${owner.systemIdentifier}.cluster.json`);

export function toKnownCluster(
  { termRow, timeline, promotions }: Pick<ServerLook, "termRow" | "timeline" | "promotions">,
  records: readonly NodeRecord[],
): KnownCluster {
  return { records, termRow: termRow ?? 0, timeline: timeline ?? 0, promotions };
}

/** The same text for the same knowledge. The connection strings may hold passwords, so only the owner may read it. */
export function renderKnownCluster(owner: StateOwner, { promotions, ...rest }: KnownCluster): string {
  const texts = promotions.map((record) => ({ ...record, forkLsn: formatLsn(record.forkLsn) }));
  return `${JSON.stringify({ format: FORMAT, ...owner, ...rest, promotions: texts }, null, 2)}\n`;
}

/** Throws the file system's error. */
export async function writeKnownCluster(directory: string, owner: StateOwner, text: string): Promise<void> {
  await replaceFile(fileOf(directory, owner), Buffer.from(text), 0o600);
}

/** Somebody may have removed it. */
export async function hasKnownCluster(directory: string, owner: StateOwner): Promise<boolean> {
  return (await isWritableFile(fileOf(directory, owner))) !== null;
}

type KnownClusterReading =
  | { readonly kind: "read"; readonly cluster: KnownCluster }
  | { readonly kind: "absent" }
  | { readonly kind: "unusable"; readonly path: string; readonly reason: string };

export async function readKnownCluster(directory: string, owner: StateOwner): Promise<KnownClusterReading> {
  const path = fileOf(directory, owner);
  const refuse = (reason: string): KnownClusterReading => ({ kind: "unusable", path, reason });
  const file = await readOwnedFile(path);
  if (file.kind === "absent") return { kind: "absent" };
  if (file.kind !== "file")
    return refuse(file.kind === "unreadable" ? file.reason : "it is not a regular file");
  if (currentUserId() !== null && file.ownerId !== currentUserId())
    return refuse("it belongs to another user");
  if ((file.mode & WRITABLE_BY_OTHERS) !== 0) return refuse("other users may write it");
  try {
    const content = JSON.parse(file.content.toString("utf8")) as Stored;
    if (content.format !== FORMAT) return refuse(`its format is ${String(content.format)}, not ${FORMAT}`);
    return { kind: "read", cluster: toCluster(content) };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError)
      return refuse("it is damaged");
    throw error;
  }
}

interface Stored extends Omit<KnownCluster, "promotions"> {
  readonly format: number;
  readonly promotions: readonly (Omit<PromotionRecord, "forkLsn"> & { readonly forkLsn: string })[];
}

function toCluster({ records, termRow, timeline, promotions }: Stored): KnownCluster {
  return {
    records: records.map((record) => ({
      ...record,
      nodeId: nodeId(record.nodeId),
      upstreamNodeId: record.upstreamNodeId === null ? null : nodeId(record.upstreamNodeId),
    })),
    termRow,
    timeline,
    promotions: promotions.map((record) => ({
      ...record,
      node: nodeId(record.node),
      forkLsn: parseLsn(record.forkLsn),
    })),
  };
}
