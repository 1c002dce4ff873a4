import { DatabaseError } from "../errors/database-error.js";
import type { NodeRecord } from "../model/node-record.js";
import { ConninfoError, parseConninfo } from "../model/conninfo.js";
import { ConnectionError } from "../postgres/connection-error.js";
import type { Database, Databases } from "../postgres/database.js";
import { raceDeadline, startDeadline } from "../postgres/deadline.js";
import { isInRecovery } from "../postgres/server-state.js";

interface FoundPrimary {
  readonly record: NodeRecord;
  /** Open; the caller closes it. */
  readonly database: Database;
}

interface UnansweredNode {
  readonly record: NodeRecord;
  readonly error: Error;
}

export interface PrimarySearch {
  readonly primary: FoundPrimary | null;
  /** Nodes that did not answer before the primary was found. */
  readonly unanswered: readonly UnansweredNode[];
}

type Answer =
  | { readonly kind: "primary"; readonly found: FoundPrimary }
  | { readonly kind: "not-primary" }
  | { readonly kind: "unanswered"; readonly node: UnansweredNode };

/**
 * Asks every active node except witnesses at once which of them is out of recovery. The registered primary is
 * preferred, then the lowest priority and node id (reference: repmgr's search for the "true primary"); nodes that
 * come later in this order are not waited for. Throws the reason of `interrupted`.
 */
export async function findTruePrimary(
  databases: Databases,
  records: readonly NodeRecord[],
  interrupted?: AbortSignal,
): Promise<PrimarySearch> {
  const noLongerNeeded = new AbortController();
  const { signal } = noLongerNeeded;
  const stop = interrupted === undefined ? signal : AbortSignal.any([signal, interrupted]);
  const connect = (record: NodeRecord): Promise<Database> =>
    databases.connect(parseConninfo(record.conninfo), {
      signal: stop,
      ...(interrupted === undefined ? {} : { interrupted }),
    });
  const answers = inSearchOrder(records).map((record) => askNode(connect, record, stop));
  const unanswered: UnansweredNode[] = [];
  for (const [index, pending] of answers.entries()) {
    const answer = await pending;
    if (answer.kind === "unanswered") unanswered.push(answer.node);
    if (answer.kind !== "primary") continue;
    noLongerNeeded.abort();
    // In the background: the farewell of a server that is frozen takes its time.
    for (const later of answers.slice(index + 1)) void closeAnswer(later);
    return { primary: answer.found, unanswered };
  }
  interrupted?.throwIfAborted();
  return { primary: null, unanswered };
}

function inSearchOrder(records: readonly NodeRecord[]): readonly NodeRecord[] {
  return records
    .filter((record) => record.active && record.type !== "witness")
    .sort(
      (a, b) =>
        Number(b.type === "primary") - Number(a.type === "primary") ||
        a.priority - b.priority ||
        a.nodeId - b.nodeId,
    );
}

/** Never throws what a server or a record can cause: nobody may be listening to this answer any more. */
async function askNode(
  connect: (record: NodeRecord) => Promise<Database>,
  record: NodeRecord,
  stop: AbortSignal,
): Promise<Answer> {
  try {
    const database = await connect(record);
    if (await isPrimary(database, stop)) return { kind: "primary", found: { record, database } };
    void database.close();
    return { kind: "not-primary" };
  } catch (error) {
    if (stop.aborted) return { kind: "not-primary" };
    if (!isOfNode(error)) throw error;
    return { kind: "unanswered", node: { record, error } };
  }
}

/** Throws DatabaseError when the server does not answer for as long as a connection may take. */
async function isPrimary(database: Database, stop: AbortSignal): Promise<boolean> {
  const seconds = Number(database.conninfo.get("connect_timeout"));
  const deadline = startDeadline(seconds > 0 ? seconds * 1000 : null, stop);
  try {
    return !(await raceDeadline(isInRecovery(database), deadline.signal));
  } catch (error) {
    void database.close();
    if (!deadline.signal.aborted) throw error;
    throw new DatabaseError({ message: `no answer to a query within ${seconds} s`, sqlState: null });
  } finally {
    deadline.release();
  }
}

const isOfNode = (error: unknown): error is ConnectionError | ConninfoError | DatabaseError =>
  error instanceof ConnectionError || error instanceof ConninfoError || error instanceof DatabaseError;

async function closeAnswer(pending: Promise<Answer>): Promise<void> {
  const answer = await pending;
  if (answer.kind === "primary") await answer.found.database.close();
}
