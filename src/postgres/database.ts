import type { Conninfo } from "../model/conninfo.js";

/** An open session. Every query runs with an empty search path, so SQL names its schemas. */
export interface Database {
  /** The effective keywords of this session, defaults included, without password. */
  readonly conninfo: Conninfo;
  /** As the server numbers itself: 150018 is 15.18. */
  readonly serverVersion: number;
  readonly serverVersionText: string;
  /** The session parameter `is_superuser`. */
  readonly isSuperuser: boolean;
  /** The process that the session was told of when it began; not the server's where something else has answered. */
  readonly backendPid: number | null;
  /** Aborted when the session is over, closed or broken: noticed at once, without a query. */
  readonly lost: AbortSignal;
  /** Runs one statement with bound parameters ($1 …). Throws DatabaseError. */
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** Runs `work` in one transaction, rolled back when it throws. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface ConnectOptions {
  /** A walsender session that understands replication commands instead of ordinary SQL. */
  readonly replication?: boolean;
  /** A pooler's administration console: it takes simple statements without values, and no `options` of a session. */
  readonly console?: boolean;
  /** Ends the attempt; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /**
   * Opens one more socket after each such time without an answer: when a first packet is lost, the kernel sends it again
   * after a second, then after three. Only one of them becomes a session.
   */
  readonly anotherSocketEveryMs?: number;
  /** Ends the session once it is open, after a moment for the statement under way: a frozen server must not hold Ctrl-C. */
  readonly interrupted?: AbortSignal;
}

/**
 * What PQping tells: `accepting` connections (a refused password counts), `rejecting` them (starting up, shutting
 * down), `no-response`, or `no-attempt` because the parameters make none possible.
 */
export type PingAnswer = "accepting" | "rejecting" | "no-response" | "no-attempt";

/** The way to servers. Injected, so that a flow says that it needs it. */
export interface Databases {
  /** Throws ConnectionError. */
  connect(conninfo: Conninfo, options?: ConnectOptions): Promise<Database>;
  ping(conninfo: Conninfo): Promise<PingAnswer>;
}
