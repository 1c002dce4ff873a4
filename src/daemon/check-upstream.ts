import { createStandingSession, type StandingSession } from "../coordination/standing-session.js";
import { parseConninfo } from "../model/conninfo.js";
import type { NodeRecord } from "../model/node-record.js";
import type { PingAnswer } from "../postgres/database.js";
import { raceDeadline, startDeadline } from "../postgres/deadline.js";
import { isInRecovery } from "../postgres/server-state.js";
import type { DaemonContext } from "./daemon-context.js";

export type UpstreamCheck =
  | { readonly kind: "upstream-seen"; readonly inRecovery: boolean | null }
  | { readonly kind: "upstream-lost"; readonly reason: string };

/** The words that readers of repmgrd's log know. */
const wordOf: Readonly<Record<PingAnswer, string>> = {
  accepting: "PQPING_OK",
  rejecting: "PQPING_REJECT",
  "no-response": "PQPING_NO_RESPONSE",
  "no-attempt": "PQPING_NO_ATTEMPT",
};

/**
 * Looks at the upstream as `connection_check_type` says. Also `ping` goes on to a query: a server that takes
 * connections and answers nothing is not there. One that lets nobody in is, as with PQping.
 */
export async function checkUpstream(
  context: DaemonContext,
  session: StandingSession,
  { record, timeoutMs }: { readonly record: NodeRecord; readonly timeoutMs: number },
): Promise<UpstreamCheck> {
  const { connection_check_type, connection_check_query, async_query_timeout } = context.settings();
  if (connection_check_type === "query") {
    const limitMs = async_query_timeout === 0 ? timeoutMs : async_query_timeout;
    const asked = await session.use(limitMs, (database) => database.query(connection_check_query));
    if (asked.kind !== "answered") return { kind: "upstream-lost", reason: asked.reason };
  }
  if (connection_check_type === "connection") {
    const fresh = createStandingSession({
      databases: context.databases,
      conninfo: parseConninfo(record.conninfo),
    });
    const answer = await fresh.use(timeoutMs, isInRecovery);
    void fresh.close();
    if (answer.kind !== "answered") return { kind: "upstream-lost", reason: answer.reason };
    return { kind: "upstream-seen", inRecovery: answer.value };
  }
  // A postmaster that hangs leaves its backends alive: an open session alone would not notice.
  const [answer, ping] = await Promise.all([
    session.use(timeoutMs, isInRecovery),
    connection_check_type === "ping" ? pingWithin(context, record, timeoutMs) : ("accepting" as const),
  ]);
  if (ping !== "accepting") {
    // Whoever asks it next has to connect anew as well, or the election would find it alive and the check would not.
    void session.close();
    return { kind: "upstream-lost", reason: `PQping() returned "${wordOf[ping]}"` };
  }
  if (answer.kind === "answered") return { kind: "upstream-seen", inRecovery: answer.value };
  if (answer.kind === "unreachable") return { kind: "upstream-lost", reason: answer.reason };
  return { kind: "upstream-seen", inRecovery: null };
}

async function pingWithin(
  { databases }: DaemonContext,
  { conninfo }: NodeRecord,
  timeoutMs: number,
): Promise<PingAnswer> {
  const deadline = startDeadline(timeoutMs);
  try {
    return await raceDeadline(databases.ping(parseConninfo(conninfo)), deadline.signal);
  } catch (error) {
    if (deadline.signal.aborted) return "no-response";
    throw error;
  } finally {
    deadline.release();
  }
}
