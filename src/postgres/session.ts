import type { Client, QueryResult } from "pg";
import { DatabaseError } from "../errors/database-error.js";
import type { Conninfo } from "../model/conninfo.js";
import { isSecretKeyword } from "../model/conninfo-keywords.js";
import { systemClock } from "../system/clock.js";
import type { ConnectOptions, Database } from "./database.js";
import type { StartedSession } from "./start-session.js";

/** A server that does not answer any more is not waited for. */
const CLOSE_TIMEOUT_MS = 1000;
/** What a statement under way gets when the user interrupts: enough for any of ours on a server that answers at all. */
const INTERRUPTION_GRACE_MS = 1000;

/** The open session as the rest of the program knows it. */
export function makeDatabase(
  session: StartedSession,
  conninfo: Conninfo,
  { interrupted, replication: isReplication = false }: Pick<ConnectOptions, "interrupted" | "replication">,
): Database {
  const { client, parameters } = session;
  const losses: Error[] = [];
  const lost = new AbortController();
  client.on("error", (error) => {
    losses.push(error);
    lost.abort();
  });
  client.on("end", () => lost.abort());
  const closing = new AbortController();
  endOnInterruption(client, interrupted, closing.signal);
  const query = async <Row extends object>(
    text: string,
    values: readonly unknown[] = [],
  ): Promise<readonly Row[]> => {
    if (losses.length > 0) throw describeQueryFailure(losses[0]);
    try {
      const result: QueryResult<Row> | QueryResult<Row>[] =
        values.length === 0 ? await client.query<Row>(text) : await client.query<Row>(text, [...values]);
      // Several statements in one text answer with several results, the last of which counts.
      return (Array.isArray(result) ? (result as QueryResult<Row>[]).at(-1) : result)?.rows ?? [];
    } catch (error) {
      throw describeQueryFailure(losses[0] ?? error);
    }
  };
  const serverVersionText = parameters.get("server_version") ?? "";
  return {
    conninfo: new Map([...conninfo].filter(([keyword]) => !isSecretKeyword(keyword))),
    serverVersion: numberVersion(serverVersionText),
    serverVersionText,
    isSuperuser: parameters.get("is_superuser") === "on",
    lost: lost.signal,
    query,
    transaction: (work) => runTransaction(query, work),
    close: () => {
      closing.abort();
      return closeClient(client, isReplication);
    },
  };
}

async function runTransaction<T>(
  query: (text: string) => Promise<unknown>,
  work: () => Promise<T>,
): Promise<T> {
  await query("BEGIN");
  let result: T;
  try {
    result = await work();
  } catch (error) {
    // The reason is the failure of the work, whatever becomes of the rollback.
    await query("ROLLBACK").catch(() => {});
    throw error;
  }
  await query("COMMIT");
  return result;
}

function endOnInterruption(client: Client, interrupted: AbortSignal | undefined, closing: AbortSignal): void {
  const end = (): void => {
    systemClock.sleep(INTERRUPTION_GRACE_MS, closing).then(
      () => void client.connection.stream.destroy(),
      () => {},
    );
  };
  interrupted?.addEventListener("abort", end, { once: true, signal: closing });
}

/** The farewell has left when this resolves; a session of replication, which keeps a slot busy, has ended. */
async function closeClient(client: Client, isReplication: boolean): Promise<void> {
  const finished = new AbortController();
  const { stream } = client.connection;
  const givingUp = systemClock.sleep(CLOSE_TIMEOUT_MS, finished.signal).then(
    () => void stream.destroy(),
    () => {},
  );
  const said = new Promise<void>((resolve) => void stream.once("finish", () => resolve()));
  const ended = client.end().catch(() => {});
  await Promise.race(isReplication ? [ended, givingUp] : [said, ended, givingUp]);
  finished.abort();
}

/** 150018 for `15.18 (Debian …)`, 180000 for `18beta1`. */
export function numberVersion(text: string): number {
  const match = /^(\d+)(?:\.(\d+))?/.exec(text);
  return Number(match?.[1] ?? "0") * 10_000 + Number(match?.[2] ?? "0");
}

function describeQueryFailure(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, severity, detail, hint } = error as Error & Readonly<Record<string, string | undefined>>;
  if (severity !== undefined && code !== undefined) {
    return new DatabaseError({ message: error.message, sqlState: code, detail, hint });
  }
  const isOfSession =
    code !== undefined ||
    error.message.startsWith("Connection terminated") ||
    error.message.includes("not queryable");
  if (!isOfSession) return error;
  return new DatabaseError({
    message: "connection to server was lost",
    detail: error.message,
    sqlState: null,
  });
}
