import { nodeId, type NodeId } from "./node-record.js";

/**
 * Without which standby the primary may acknowledge commits (`sync_mode=preferred`): what it asks of the witness, and
 * what the witness keeps. From then on the witness does not vote for that standby.
 */
export interface SyncExclusion {
  /** Raised by every change: of two that were asked for with one epoch only the first counts. */
  readonly epoch: number;
  /** Null: the primary acknowledges nothing without its standby. */
  readonly node: NodeId | null;
  /** The primary that asked, and its term. */
  readonly holder: NodeId;
  readonly term: number;
}

export interface RecordedExclusion extends SyncExclusion {
  /** When the witness put it on record; ISO 8601. */
  readonly since: string;
}

/** `epoch=3 node=2 by=1 term=5 since=2026-11-21T12:00:00.000Z`. */
export function renderExclusion({ epoch, node, holder, term, since }: RecordedExclusion): string {
  return `epoch=${epoch} node=${node ?? 0} by=${holder} term=${term} since=${since}`;
}

const FORM = /^epoch=(\d{1,15}) node=(\d{1,15}) by=(\d{1,15}) term=(\d{1,15}) since=([0-9T:.Z-]+)$/;

/** Null for anything else than a rendered exclusion. */
export function parseExclusion(text: string): RecordedExclusion | null {
  const match = FORM.exec(text);
  if (match === null) return null;
  const [, epoch, node, holder, term, since = ""] = match;
  return {
    epoch: Number(epoch),
    node: Number(node) === 0 ? null : nodeId(Number(node)),
    holder: nodeId(Number(holder)),
    term: Number(term),
    since,
  };
}
