import { DatabaseError } from "../errors/database-error.js";
import { ConninfoError, parseConninfo, type Conninfo } from "../model/conninfo.js";
import type { NodeRecord } from "../model/node-record.js";
import type { NodeAnswer } from "../model/server-state.js";
import { ConnectionError } from "../postgres/connection-error.js";
import type { Database, Databases } from "../postgres/database.js";
import type { Clock } from "../system/clock.js";
import { readServerState } from "./read-server-state.js";
import { isServerThere } from "./server-there.js";

export interface AskEffects {
  readonly databases: Databases;
  readonly clock: Clock;
  /** Ends the attempts to connect; their rejection with its reason is passed on. */
  readonly interrupted: AbortSignal;
  /** Open already: a node with the same conninfo is asked over it, and it stays open. */
  readonly openSession?: OpenSession;
}

interface OpenSession {
  readonly conninfo: string;
  readonly database: Database;
}

/** libpq has no default; repmgr adds this one to every connection. */
const DEFAULT_CONNECT_TIMEOUT_S = 2;

/**
 * Asks all nodes at once, over one connection each. A node that does not answer costs its `connect_timeout`, however
 * many there are. The answers come in the order of the nodes; no failure of a node is thrown.
 */
export function askNodes(
  records: readonly NodeRecord[],
  effects: AskEffects,
): Promise<readonly NodeAnswer[]> {
  return Promise.all(records.map((record) => askNode(record, effects)));
}

async function askNode(record: NodeRecord, effects: AskEffects): Promise<NodeAnswer> {
  let conninfo: Conninfo;
  // That of a placeholder: libpq would go to whatever server the environment names.
  if (record.conninfo.trim() === "")
    return { kind: "unreachable", reason: "the node record has no conninfo" };
  try {
    conninfo = parseConninfo(record.conninfo);
  } catch (error) {
    if (!(error instanceof ConninfoError)) throw error;
    return { kind: "unreachable", reason: error.message };
  }
  const limits = { timeoutMs: connectTimeoutMs(conninfo), clock: effects.clock };
  if (record.conninfo === effects.openSession?.conninfo) {
    return queryNode(record, effects.openSession.database, limits);
  }
  let database: Database;
  try {
    database = await effects.databases.connect(conninfo, { signal: effects.interrupted });
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    return { kind: isServerThere(error) ? "rejected" : "unreachable", reason: error.message };
  }
  try {
    return await queryNode(record, database, limits);
  } finally {
    // A frozen server does not answer the farewell either, so nobody waits for it.
    database.close().catch(() => undefined);
  }
}

async function queryNode(
  record: NodeRecord,
  database: Database,
  limits: { readonly timeoutMs: number; readonly clock: Clock },
): Promise<NodeAnswer> {
  try {
    const answer = await withinDeadline(
      readServerState(database, record.nodeId),
      limits.timeoutMs,
      limits.clock,
    );
    if (answer.kind === "done") return { kind: "answered", state: answer.value };
    return { kind: "unreachable", reason: `no answer to a query within ${limits.timeoutMs} ms` };
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    return { kind: error.meaning === "connection-lost" ? "unreachable" : "failed", reason: error.message };
  }
}

type Timed<T> = { readonly kind: "done"; readonly value: T } | { readonly kind: "late" };

async function withinDeadline<T>(work: Promise<T>, timeoutMs: number, clock: Clock): Promise<Timed<T>> {
  const finished = new AbortController();
  const deadline = clock.sleep(timeoutMs, finished.signal).then(
    (): Timed<T> => ({ kind: "late" }),
    (): Timed<T> => ({ kind: "late" }),
  );
  try {
    return await Promise.race([work.then((value): Timed<T> => ({ kind: "done", value })), deadline]);
  } finally {
    finished.abort();
  }
}

function connectTimeoutMs(conninfo: Conninfo): number {
  const seconds = Number(conninfo.get("connect_timeout"));
  return (Number.isFinite(seconds) && seconds > 0 ? seconds : DEFAULT_CONNECT_TIMEOUT_S) * 1000;
}
