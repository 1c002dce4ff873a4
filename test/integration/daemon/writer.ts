import pg from "pg";
import { onTestFinished } from "vitest";
import { testPassword, type TestServer } from "../../harness/postgres-server.js";

/** A client that writes one row after the other, wherever it is let, and keeps when each was acknowledged. */
export interface Writer {
  acknowledged(): number;
  /** By `performance.now()`; null before the first. */
  firstAt(): number | null;
  lastAt(): number | null;
  /** Resolves when nothing more is written. */
  stop(): Promise<void>;
}

const PAUSE_MS = 5;

export async function startWriter(server: TestServer): Promise<Writer> {
  let count = 0;
  let firstAt: number | null = null;
  let lastAt: number | null = null;
  let isOver = false;
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({
      host: server.directory,
      port: server.port,
      user: "postgres",
      database: "repmgr",
      password: testPassword,
      options: "-c log_statement=none -c log_min_error_statement=panic -c default_transaction_read_only=off",
    });
    client.on("error", () => undefined);
    await client.connect();
    return client;
  };
  const pause = (): Promise<void> => new Promise((fulfil) => setTimeout(fulfil, PAUSE_MS));
  const write = async (): Promise<void> => {
    let client: pg.Client | null = null;
    while (!isOver) {
      try {
        client ??= await connect();
        await client.query("SELECT pg_logical_emit_message(true, 'writer', 'row')");
        lastAt = performance.now();
        firstAt ??= lastAt;
        count += 1;
      } catch {
        await client?.end().catch(() => undefined);
        client = null;
      }
      await pause();
    }
    await client?.end().catch(() => undefined);
  };
  const writing = write();
  const stop = async (): Promise<void> => {
    isOver = true;
    await writing;
  };
  onTestFinished(stop);
  return { acknowledged: () => count, firstAt: () => firstAt, lastAt: () => lastAt, stop };
}
