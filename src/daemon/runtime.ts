import type { PeerSessions } from "../coordination/peer-sessions.js";
import type { ServerLook } from "../coordination/look-at-server.js";
import type { Publisher } from "../coordination/publisher.js";
import type { StandingSession } from "../coordination/standing-session.js";
import type { NodeId, NodeRecord } from "../model/node-record.js";
import type { DaemonContext } from "./daemon-context.js";
import type { DaemonEvents } from "./daemon-events.js";
import type { Memory } from "./memory.js";
import type { PrimaryGuard } from "./primary-guard.js";

/** What is published beside the state of the decisions. */
interface Shown {
  /** When the upstream last answered, by the monotonic clock; null: never. */
  upstreamSeenAt: number | null;
  /** What its checks usually take, in milliseconds. */
  usualCheckMs: number;
}

/** Everything that the parts of the running daemon share. */
export interface Runtime {
  readonly context: DaemonContext;
  readonly ownId: NodeId;
  readonly systemIdentifier: string;
  /** The session on the local server. */
  readonly own: StandingSession;
  readonly peers: PeerSessions;
  readonly publisher: Publisher;
  readonly memory: Memory;
  readonly events: DaemonEvents;
  /** Of the lease, while this node leads with one. */
  readonly guard: PrimaryGuard;
  readonly shown: Shown;
  /** Of this start of the daemon. */
  readonly boot: string;
  /** The newest look at the local server, and when it was begun by the monotonic clock; null while it does not answer. */
  lastLook: { readonly look: ServerLook; readonly at: number } | null;
  /** The node records as the local server has them; the last known ones while it does not answer. */
  records: readonly NodeRecord[];
  /** Makes the heartbeat look and publish at once. */
  wake(): void;
}

/** How long a server may take for one answer: the daemon's own interval, but neither impatient nor stuck. */
export function queryTimeoutMs({ context }: Pick<Runtime, "context">): number {
  return Math.min(Math.max(context.settings().monitor_interval_secs, 1000), 2000);
}

export function ownRecord({ records, ownId }: Pick<Runtime, "records" | "ownId">): NodeRecord | null {
  return records.find(({ nodeId }) => nodeId === ownId) ?? null;
}
