import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { parseConninfo } from "../../../src/model/conninfo.js";
import { ConnectionError } from "../../../src/postgres/connection-error.js";
import type { Database } from "../../../src/postgres/database.js";
import type { TestServer } from "../../harness/postgres-server.js";
import { runProgram } from "../../harness/program.js";
import { testDatabases } from "../../harness/test-databases.js";
import { waitUntil } from "../../harness/wait-until.js";
import { waitUntilAttached, waitUntilReplayed, type TestNode } from "../cluster/make-cluster.js";
import { createFailoverCluster, isPrimary, startDaemonOn, waitUntilArmed } from "./make-failover-cluster.js";
import { startWriter } from "./writer.js";

const TIMEOUT_MS = 3000;

const TOO_MANY_CONNECTIONS = "53300";

/** Null when there is no room for one more session, not even for a superuser. */
async function connectIfRoom(server: TestServer): Promise<Database | null> {
  try {
    return await testDatabases().connect(parseConninfo(server.conninfo));
  } catch (error) {
    const isFull =
      error instanceof ConnectionError &&
      error.attempts.some(({ sqlState }) => sqlState === TOO_MANY_CONNECTIONS);
    if (isFull) return null;
    throw error;
  }
}

const GREED_EVERY_MS = 10;

interface FullServer {
  /** One of the sessions. */
  readonly database: Database;
  free(): Promise<void>;
}

/** Takes all sessions that a server has left, and each that becomes free later, as an application does. */
async function fill(server: TestServer): Promise<FullServer> {
  const sessions: Database[] = [];
  let isOver = false;
  const takeAll = async (): Promise<void> => {
    for (;;) {
      const session = isOver ? null : await connectIfRoom(server);
      if (session === null) return;
      sessions.push(session);
    }
  };
  await takeAll();
  const keepFull = async (): Promise<void> => {
    while (!isOver) {
      await sleep(GREED_EVERY_MS);
      await takeAll();
    }
  };
  // The server may be stopped at the end of the test before the sessions are.
  const keeping = keepFull().catch(() => undefined);
  const free = async (): Promise<void> => {
    isOver = true;
    await keeping;
    await Promise.all(sessions.splice(0).map((session) => session.close()));
  };
  onTestFinished(free);
  const [database] = sessions;
  if (database === undefined) throw new Error(`${server.name} had no room at all`);
  return { database, free };
}

/** What became free this moment is taken at the next. */
const awaitFull = (server: TestServer): Promise<boolean> =>
  waitUntil(`${server.name} has no room`, async () => {
    const session = await connectIfRoom(server);
    await session?.close();
    return session === null;
  });

const isInRecovery = async (database: Database): Promise<boolean | undefined> =>
  (await database.query<{ yes: boolean }>("SELECT pg_is_in_recovery() AS yes"))[0]?.yes;

describe("standbys without room for one more session", () => {
  it(
    "let the primary renew its lease, and vote, over the sessions that the daemons have",
    { timeout: 150_000 },
    async () => {
      const [n1, n2, n3] = await createFailoverCluster(3, {
        primary_isolation_timeout: `${TIMEOUT_MS}ms`,
        standby_follow_timeout: 5,
      });
      if (n1 === undefined || n2 === undefined || n3 === undefined) throw new Error("three nodes are needed");
      // It votes and does not stand: a promotion needs room on the own server.
      await n1.server.sql("UPDATE repmgr.nodes SET priority = 0 WHERE node_id = 3");
      for (const node of [n2, n3]) await waitUntilReplayed(n1, node);
      const daemons = new Map<TestNode, Awaited<ReturnType<typeof startDaemonOn>>>();
      for (const node of [n1, n2, n3]) daemons.set(node, await startDaemonOn(node));
      const logs = (): string =>
        [...daemons].map(([{ server }, daemon]) => `--- ${server.name}:\n${daemon.log()}`).join("\n");
      for (const node of [n2, n3]) await waitUntilArmed(node);
      const status = await runProgram(["-f", n1.configFile, "service", "status"]);
      expect(status.stdout).toContain("primary_isolation_timeout is armed\n");
      const writer = await startWriter(n1.server);

      const second = await fill(n2.server);
      const third = await fill(n3.server);
      const before = writer.acknowledged();
      await n1.server.sql(`SELECT pg_sleep(${(3 * TIMEOUT_MS) / 1000})`);
      expect(await isPrimary(n1), logs()).toBe(true);
      expect(writer.acknowledged(), logs()).toBeGreaterThan(before + 20);
      for (const { server } of [n2, n3]) await awaitFull(server);

      await second.free();
      // Who has the last row of a killed primary is chance, and n3 votes for nobody who has less than itself.
      await writer.stop();
      await waitUntil("both standbys have all of the log", async () => {
        const rows = await n1.server.sql(
          "SELECT FROM pg_stat_replication WHERE flush_lsn >= pg_current_wal_lsn()",
        );
        return rows.length === 2;
      });
      daemons.get(n1)?.signal("SIGKILL");
      n1.server.signal("SIGKILL");
      await waitUntil("n2 is promoted", () => isPrimary(n2)).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${logs()}`);
      });
      expect(await isInRecovery(third.database)).toBe(true);
      await awaitFull(n3.server);
      await third.free();
      await waitUntilAttached(n2, "n3").catch((error: unknown) => {
        throw new Error(`${String(error)}\n${logs()}`);
      });
    },
  );
});
