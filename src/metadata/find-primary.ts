import type { NodeRecord } from "../model/node-record.js";
import { ConninfoError, parseConninfo } from "../model/conninfo.js";
import { ConnectionError } from "../postgres/connection-error.js";
import type { Database, Databases } from "../postgres/database.js";

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
  | { readonly kind: "standby" }
  | { readonly kind: "unanswered"; readonly node: UnansweredNode };

/**
 * Asks every active node except witnesses at once which of them is out of recovery. The registered primary is
 * preferred, then the lowest priority and node id (reference: repmgr's search for the "true primary"); nodes that
 * come later in this order are not waited for.
 */
export async function findTruePrimary(
  databases: Databases,
  records: readonly NodeRecord[],
): Promise<PrimarySearch> {
  const noLongerNeeded = new AbortController();
  const answers = inSearchOrder(records).map((record) => askNode(databases, record, noLongerNeeded.signal));
  const unanswered: UnansweredNode[] = [];
  for (const [index, pending] of answers.entries()) {
    const answer = await pending;
    if (answer.kind === "unanswered") unanswered.push(answer.node);
    if (answer.kind !== "primary") continue;
    noLongerNeeded.abort();
    await Promise.all(answers.slice(index + 1).map(closeAnswer));
    return { primary: answer.found, unanswered };
  }
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

async function askNode(databases: Databases, record: NodeRecord, signal: AbortSignal): Promise<Answer> {
  let database: Database;
  try {
    database = await databases.connect(parseConninfo(record.conninfo), { signal });
  } catch (error) {
    if (signal.aborted) return { kind: "standby" };
    if (!(error instanceof ConnectionError || error instanceof ConninfoError)) throw error;
    return { kind: "unanswered", node: { record, error } };
  }
  const [row] = await database.query<{ in_recovery: boolean }>(
    "SELECT pg_catalog.pg_is_in_recovery() AS in_recovery",
  );
  if (row?.in_recovery === false) return { kind: "primary", found: { record, database } };
  await database.close();
  return { kind: "standby" };
}

async function closeAnswer(pending: Promise<Answer>): Promise<void> {
  const answer = await pending;
  if (answer.kind === "primary") await answer.found.database.close();
}
