import type { Client, QueryResult } from "pg";
import { DatabaseError } from "../errors/database-error.js";
import type { Conninfo } from "../model/conninfo.js";
import { isSecretKeyword } from "../model/conninfo-keywords.js";
import { startTimer } from "../system/clock.js";
import type { ConnectOptions, Database } from "./database.js";
import type { StartedSession } from "./start-session.js";

/** A server that does not answer any more is not waited for. */
const CLOSE_TIMEOUT_MS = 1000;
/** What a statement under way gets when the user interrupts: enough for any of ours on a server that answers at all. */
const INTERRUPTION_GRACE_MS = 1000;

/** One for all: without a reason given, Node makes one at each abort, with a stack, and loads a module for the first. */
const ENDED = new Error("the session has ended");

/** The open session as the rest of the program knows it. */
export function makeDatabase(
  session: StartedSession,
  conninfo: Conninfo,
  { interrupted, replication: isReplication = false }: Pick<ConnectOptions, "interrupted" | "replication">,
): Database {
  const { client, parameters } = session;
  let loss: Error | null = null;
  const throwLoss = (): void => {
    if (loss !== null) throw describeLoss(loss);
  };
  const lost = new AbortController();
  client.on("error", (error) => {
    loss ??= error;
    lost.abort(error);
  });
  client.on("end", () => lost.abort(ENDED));
  const forgetInterruption = endOnInterruption(client, interrupted);
  const query = async <Row extends object>(
    text: string,
    values: readonly unknown[] = [],
  ): Promise<readonly Row[]> => {
    throwLoss();
    try {
      const result: QueryResult<Row> | QueryResult<Row>[] =
        values.length === 0 ? await client.query<Row>(text) : await client.query<Row>(text, [...values]);
      // Several statements in one text answer with several results, the last of which counts.
      return (Array.isArray(result) ? (result as QueryResult<Row>[]).at(-1) : result)?.rows ?? [];
    } catch (error) {
      throwLoss();
      throw describeQueryFailure(error);
    }
  };
  const serverVersionText = parameters.get("server_version") ?? "";
  return {
    conninfo: new Map([...conninfo].filter(([keyword]) => !isSecretKeyword(keyword))),
    serverVersion: numberVersion(serverVersionText),
    serverVersionText,
    isSuperuser: parameters.get("is_superuser") === "on",
    backendPid: (client as Client & { readonly processID: number | null }).processID,
    lost: lost.signal,
    query,
    transaction: (work) => runTransaction(query, work),
    close: () => {
      forgetInterruption();
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

/** Returns what takes that back. */
function endOnInterruption(client: Client, interrupted: AbortSignal | undefined): () => void {
  if (interrupted === undefined) return () => {};
  let stopTimer = (): void => {};
  const end = (): void => {
    stopTimer = startTimer(INTERRUPTION_GRACE_MS, () => void client.connection.stream.destroy());
  };
  interrupted.addEventListener("abort", end, { once: true });
  return () => {
    interrupted.removeEventListener("abort", end);
    stopTimer();
  };
}

/** The farewell has left when this resolves; a session of replication, which keeps a slot busy, has ended. */
async function closeClient(client: Client, isReplication: boolean): Promise<void> {
  const { stream } = client.connection;
  let stopTimer = (): void => {};
  const givingUp = new Promise<void>((resolve) => {
    stopTimer = startTimer(CLOSE_TIMEOUT_MS, () => {
      stream.destroy();
      resolve();
    });
  });
  const said = new Promise<void>((resolve) => void stream.once("finish", () => resolve()));
  const ended = client.end().catch(() => {});
  await Promise.race(isReplication ? [ended, givingUp] : [said, ended, givingUp]);
  stopTimer();
}

/** 150018 for `15.18 (Debian …)`, 180000 for `18beta1`. */
export function numberVersion(text: string): number {
  const match = /^(\d+)(?:\.(\d+))?/.exec(text);
  return Number(match?.[1] ?? "0") * 10_000 + Number(match?.[2] ?? "0");
}

function describeQueryFailure(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const isOfSession =
    (error as NodeJS.ErrnoException).code !== undefined ||
    error.message.startsWith("Connection terminated") ||
    error.message.includes("not queryable");
  return isOfSession ? describeLoss(error) : error;
}

/** A refusal by the server, the last one of a session included, or that there is no server at the other end any more. */
function describeLoss(error: Error): DatabaseError {
  const { code, severity, detail, hint } = error as Error & Readonly<Record<string, string | undefined>>;
  if (severity !== undefined && code !== undefined)
    return new DatabaseError({ message: error.message, sqlState: code, detail, hint });
  return new DatabaseError({
    message: "connection to server was lost",
    detail: error.message,
    sqlState: null,
  });
}
