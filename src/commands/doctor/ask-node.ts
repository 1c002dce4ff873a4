import type { Attempt, NodeFacts, ServerFacts } from "../../decide/doctor/facts.js";
import { DatabaseError } from "../../errors/database-error.js";
import { ConninfoError, parseConninfo, type Conninfo } from "../../model/conninfo.js";
import type { NodeRecord } from "../../model/node-record.js";
import { AttemptFailure } from "../../postgres/attempt-failure.js";
import { ConnectionError } from "../../postgres/connection-error.js";
import type { Database } from "../../postgres/database.js";
import { raceDeadline, startDeadline } from "../../postgres/deadline.js";
import { listHosts, resolveHost } from "../../postgres/server-addresses.js";
import type { CommandContext } from "../define-command.js";
import { readDoctorServerFacts } from "./read-server-facts.js";

/** libpq has no default; repmgr adds this one to every connection. */
const DEFAULT_TIMEOUT_S = 2;

const timeoutMsOf = (conninfo: Conninfo): number =>
  (Number(conninfo.get("connect_timeout")) || DEFAULT_TIMEOUT_S) * 1000;

/** A session, or why there is none. */
export interface Opened {
  readonly attempt: Attempt;
  /** Null when the attempt failed. */
  readonly database: Database | null;
}

/** Opens a session; why there is none is a value. */
export async function tryToOpen(
  { databases, interrupted }: CommandContext,
  conninfo: Conninfo,
  { replication = false } = {},
): Promise<Opened> {
  try {
    const options = { replication, signal: interrupted, interrupted };
    return { attempt: { kind: "succeeded" }, database: await databases.connect(conninfo, options) };
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    const attempt = { kind: "failed", reason: error.message, hint: error.hint ?? null } as const;
    return { attempt, database: null };
  }
}

type Answer<T> =
  { readonly kind: "answered"; readonly value: T } | { readonly kind: "failed"; readonly reason: string };

/** A server that takes connections and then says nothing costs no more than one that takes none. */
export async function askInTime<T>(
  { interrupted }: CommandContext,
  conninfo: Conninfo,
  ask: () => Promise<T>,
): Promise<Answer<T>> {
  const timeoutMs = timeoutMsOf(conninfo);
  const deadline = startDeadline(timeoutMs, interrupted);
  try {
    return { kind: "answered", value: await raceDeadline(ask(), deadline.signal) };
  } catch (error) {
    interrupted.throwIfAborted();
    if (error instanceof DatabaseError) return { kind: "failed", reason: error.message };
    if (!deadline.signal.aborted) throw error;
    return { kind: "failed", reason: `no answer to a query within ${timeoutMs} ms` };
  } finally {
    deadline.release();
  }
}

export interface Asked {
  readonly server: ServerFacts | null;
  readonly attempt: Attempt;
}

/** Asks an open session, and closes it. */
export async function askAndClose(
  context: CommandContext,
  { attempt, database }: Opened,
  conninfo: Conninfo,
): Promise<Asked> {
  if (database === null) return { server: null, attempt };
  const answer = await askInTime(context, conninfo, () => readDoctorServerFacts(database, context.clock));
  // A frozen server does not answer the farewell either, so nobody waits for it.
  database.close().catch(() => undefined);
  if (answer.kind === "answered") return { server: answer.value, attempt };
  return { server: null, attempt: { ...answer, hint: null } };
}

/** Everything about a node that is not this one, over connections of its own. */
export async function askRemoteNode(context: CommandContext, record: NodeRecord): Promise<NodeFacts> {
  const common = { nodeId: record.nodeId, nodeName: record.nodeName, record, isLocal: false, foundAt: null };
  const conninfo = readConninfo(record.conninfo);
  if (typeof conninfo === "string") {
    const connection: Attempt = { kind: "failed", reason: conninfo, hint: null };
    return { ...common, connection, replication: null, addresses: [], server: null, conninfo: new Map() };
  }
  const [{ attempt: connection, server }, replication, addresses] = await Promise.all([
    tryToOpen(context, conninfo).then((opened) => askAndClose(context, opened, conninfo)),
    record.type === "witness" ? null : tryReplication(context, conninfo, record.replicationUser),
    resolveAddresses(conninfo),
  ]);
  return { ...common, conninfo, addresses, replication, connection, server };
}

/** A walsender session as a standby of this node would open it. */
export async function tryReplication(
  context: CommandContext,
  conninfo: Conninfo,
  replicationUser: string,
): Promise<Attempt> {
  const user = replicationUser === "" ? [] : ([["user", replicationUser]] as const);
  const { attempt, database } = await tryToOpen(context, new Map([...conninfo, ...user]), {
    replication: true,
  });
  database?.close().catch(() => undefined);
  return attempt;
}

/** The connection parameters, or why there are none. */
export function readConninfo(text: string): Conninfo | string {
  // libpq would go to whatever server the environment names.
  if (text.trim() === "") return "the node record has no conninfo";
  try {
    return parseConninfo(text);
  } catch (error) {
    if (error instanceof ConninfoError) return error.message;
    throw error;
  }
}

/** The network addresses that a connection string leads to; none for a socket or an unknown name. */
export async function resolveAddresses(conninfo: Conninfo): Promise<readonly string[]> {
  const deadline = startDeadline(timeoutMsOf(conninfo));
  try {
    const found = await raceDeadline(
      Promise.all(listHosts(conninfo).map((host) => resolveHost(host, conninfo))),
      deadline.signal,
    );
    return found.flat().flatMap((address) => (address.kind === "tcp" ? [address.ip] : []));
  } catch (error) {
    const isKnown = error instanceof AttemptFailure || error instanceof ConnectionError;
    if (!deadline.signal.aborted && !isKnown) throw error;
    return [];
  } finally {
    deadline.release();
  }
}
