import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { parseConninfo } from "../../../src/model/conninfo.js";
import type { Database } from "../../../src/postgres/database.js";
import {
  findGuard,
  mayRunServerPrograms,
  showKick,
  startGuardSession,
} from "../../../src/postgres/guard-session.js";
import { createPrimary, type TestServer } from "../../harness/postgres-server.js";
import { createStandby } from "../../harness/standby.js";
import { testDatabases } from "../../harness/test-databases.js";
import { waitUntil } from "../../harness/wait-until.js";

const note = { nodeId: 1, systemIdentifier: "7000000000000000001" };

async function connect(server: TestServer): Promise<Database> {
  const database = await testDatabases().connect(parseConninfo(server.conninfo));
  onTestFinished(() => database.close());
  return database;
}

/** Good for so long from now on. */
async function startGuard(server: TestServer, goodForMs: number): Promise<Database> {
  const session = await startGuardSession(testDatabases(), parseConninfo(server.conninfo), {
    order: (now) => ({
      goodUntil: now + goodForMs,
      dataDirectory: server.dataDirectory,
      noteFile: "tsrepmgr.stopped",
      note,
      timeline: 1,
      term: 3,
    }),
    signal: AbortSignal.timeout(2000),
  });
  onTestFinished(() => session.close());
  return session;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const isGone = async (server: TestServer): Promise<boolean> => !(await server.isRunning());

describe("the dead-man session", () => {
  it("stops the server when its time is over, and makes it come up as a standby of nobody", async () => {
    const server = await createPrimary();
    await server.sql("ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port=1'");
    await startGuard(server, 700);
    await waitUntil("the server has stopped", () => isGone(server), 10_000);
    const stopped = JSON.parse(
      await readFile(join(server.dataDirectory, "tsrepmgr.stopped"), "utf8"),
    ) as unknown;
    expect(stopped).toEqual({ ...note, timeline: 1, term: 3 });
    expect(await server.log()).toContain("tsrepmgr: no majority of the nodes was heard");
    await server.start();
    expect(
      await server.sql(
        "SELECT pg_is_in_recovery() AS standby, current_setting('primary_conninfo') AS upstream",
      ),
    ).toEqual([{ standby: true, upstream: "" }]);
  });

  it("lets the server run for as long as it is kicked, and stops it when the client that started it is gone", async () => {
    const server = await createPrimary();
    const session = await startGuard(server, 2000);
    const kicker = await connect(server);
    for (let kicks = 0; kicks < 15; kicks += 1) {
      const { now } = await findGuard(kicker);
      await showKick(kicker, { goodUntil: now + 2000, timeline: 1, term: 4 });
      await kicker.query("SELECT pg_sleep(0.2)");
    }
    const seen = await findGuard(kicker);
    expect(seen.silentMs).toBeLessThan(1500);
    void session.close();
    await kicker.close();
    await waitUntil("the server has stopped", () => isGone(server), 10_000);
    expect(await readFile(join(server.dataDirectory, "tsrepmgr.stopped"), "utf8")).toContain('"term":4');
  });

  it("waits on a standby until that is promoted", async () => {
    const primary = await createPrimary();
    const standby = await createStandby(primary, "n2");
    await startGuard(standby, 0);
    await standby.sql("SELECT pg_sleep(0.5)");
    expect(await standby.isRunning()).toBe(true);
    await standby.sql("SELECT pg_promote(false)").catch(() => undefined);
    await waitUntil("the server has stopped", () => isGone(standby), 10_000);
    expect(await exists(join(standby.dataDirectory, "standby.signal"))).toBe(true);
  });

  it("leaves the field to a newer one, also when it was frozen for longer than its time", async () => {
    const server = await createPrimary();
    await startGuard(server, 3000);
    const kicker = await connect(server);
    const first = await waitUntil("the first is there", async () => (await findGuard(kicker)).pid ?? false);
    process.kill(first, "SIGSTOP");
    await kicker.query("SELECT pg_sleep(3.2)");
    expect((await findGuard(kicker)).silentMs).toBeGreaterThan(3000);
    await startGuard(server, 60_000);
    await waitUntil("the second is there", async () => (await findGuard(kicker)).pid !== first);
    process.kill(first, "SIGCONT");
    await waitUntil("the first has ended", async () => {
      const rows = await kicker.query("SELECT FROM pg_stat_activity WHERE pid = $1", [first]);
      return rows.length === 0;
    });
    expect(await server.isRunning()).toBe(true);
  });

  it("may be started by a member of pg_execute_server_program", async () => {
    const server = await createPrimary();
    const kicker = await connect(server);
    expect(await mayRunServerPrograms(kicker)).toBe(true);
    await server.sql("ALTER ROLE repmgr NOSUPERUSER");
    expect(await mayRunServerPrograms(await connect(server))).toBe(false);
    await server.sql("GRANT pg_execute_server_program TO repmgr");
    expect(await mayRunServerPrograms(await connect(server))).toBe(true);
    await startGuard(server, 300);
    await waitUntil("the server has stopped", () => isGone(server), 10_000);
  });
});
