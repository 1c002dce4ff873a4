import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { runProgram } from "../../harness/program.js";
import { signalServer } from "../../harness/signals.js";
import { newDirectorySync } from "../../harness/test-run.js";
import { waitUntil } from "../../harness/wait-until.js";
import { waitUntilAttached, type TestNode } from "../cluster/make-cluster.js";
import { createFailoverCluster, isPrimary, startDaemonOn, waitUntilArmed } from "./make-failover-cluster.js";
import { startDaemon, type StartedDaemon } from "./start-daemon.js";
import { startWriter } from "./writer.js";

const TIMEOUT_MS = 5000;
/** One turn of the dead-man session, and the end of the server. */
const MARGIN_MS = 800;

const lease = {
  primary_isolation_timeout: `${TIMEOUT_MS}ms`,
  vote_hold: "6500ms",
  // What its standbys had not received yet is on the old primary only.
  auto_rejoin: "true",
  standby_follow_timeout: 5,
};

async function createLeaseCluster(
  settings: Readonly<Record<string, string | number>> = {},
): Promise<readonly [TestNode, TestNode, TestNode]> {
  const [n1, n2, n3] = await createFailoverCluster(3, { ...lease, ...settings });
  if (n1 === undefined || n2 === undefined || n3 === undefined) throw new Error("three nodes are needed");
  return [n1, n2, n3];
}

async function startAll(nodes: readonly TestNode[]): Promise<readonly StartedDaemon[]> {
  const daemons: StartedDaemon[] = [];
  for (const node of nodes) daemons.push(await startDaemonOn(node));
  for (const node of nodes.slice(1)) await waitUntilArmed(node);
  return daemons;
}

const guardOn = async ({ server }: TestNode): Promise<number | null> => {
  const rows = await server.sql<{ pid: number }>(
    "SELECT pid FROM pg_stat_activity WHERE application_name = 'tsr1g' AND state = 'active'",
  );
  return rows[0]?.pid ?? null;
};

const isStandby = async ({ server }: TestNode): Promise<boolean | undefined> =>
  (await server.sql<{ yes: boolean }>("SELECT pg_is_in_recovery() AS yes").catch(() => []))[0]?.yes;

const statusOf = async ({ configFile }: TestNode): Promise<string> =>
  (await runProgram(["-f", configFile, "service", "status"])).stdout;

const logsOf = (daemons: readonly StartedDaemon[]): string =>
  daemons.map((daemon, index) => `--- n${index + 1}:\n${daemon.log()}`).join("\n");

describe("primary_isolation_timeout", () => {
  it.each([
    { signal: "SIGSTOP", guard: "session" },
    { signal: "SIGKILL", guard: "session" },
    { signal: "SIGKILL", guard: "process" },
  ] as const)(
    "stops the server by a $guard within its time after $signal of the daemon, and no acknowledgement comes after the successor's first",
    { timeout: 150_000 },
    async ({ signal, guard }) => {
      const [n1, n2, n3] = await createLeaseCluster({ primary_fence_guard: guard });
      const daemons = await startAll([n1, n2, n3]);
      await daemons[0]?.says(/the dead-man (session on the local server|process [-\w]+) was started/);
      expect((await guardOn(n1)) !== null).toBe(guard === "session");
      const old = await startWriter(n1.server);
      const others = [await startWriter(n2.server), await startWriter(n3.server)];
      const before = old.acknowledged();
      await waitUntil("rows are written", () => Promise.resolve(old.acknowledged() > before + 20));
      daemons[0]?.signal(signal);
      const stoppedAt = performance.now();
      await waitUntil("the server has stopped", async () => !(await n1.server.isRunning())).catch(
        (error: unknown) => {
          throw new Error(`${String(error)}\n${logsOf(daemons)}`);
        },
      );
      expect(performance.now() - stoppedAt).toBeLessThan(TIMEOUT_MS + MARGIN_MS);
      const winner = await waitUntil("there is a new primary", async () =>
        (await isPrimary(n2)) ? n2 : (await isPrimary(n3)) && n3,
      ).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${logsOf(daemons)}`);
      });
      await waitUntil("it acknowledges", () =>
        Promise.resolve(others.some((writer) => writer.firstAt() !== null)),
      );
      const first = Math.min(...others.map((writer) => writer.firstAt() ?? Infinity));
      expect(old.lastAt()).toBeLessThan(first);
      const again = signal === "SIGKILL" ? startDaemon(n1.configFile) : daemons[0];
      if (signal === "SIGSTOP") again?.signal("SIGCONT");
      await waitUntilAttached(winner, "n1").catch((error: unknown) => {
        throw new Error(`${String(error)}\n${logsOf(daemons)}\n--- again\n${again?.log()}`);
      });
    },
  );

  it("lets the daemon of a primary that hears no majority stop it, and the cluster find a primary again", async () => {
    const stopped = join(newDirectorySync("fence"), "told");
    const [n1, n2, n3] = await createLeaseCluster({ fence_command: `echo fenced >> ${stopped}` });
    const [d1, ...others] = await startAll([n1, n2, n3]);
    await d1?.says(/the dead-man session on the local server was started/);
    expect(await statusOf(n2)).toContain("primary_isolation_timeout is armed\n");
    await n1.server.sql(`ALTER SYSTEM SET primary_conninfo = '${n2.server.conninfo}'`);
    for (const { server } of [n2, n3]) {
      await signalServer(server, "SIGSTOP");
      onTestFinished(() => signalServer(server, "SIGCONT").catch(() => undefined));
    }
    const cutAt = performance.now();
    await d1?.says(/\[ALERT\] stopping the local server: no majority was heard/, 2 * TIMEOUT_MS);
    expect(performance.now() - cutAt).toBeLessThan(TIMEOUT_MS + MARGIN_MS);
    await waitUntil("it is up as a standby", async () => (await isStandby(n1)) === true);
    expect(await n1.server.sql("SELECT current_setting('primary_conninfo') AS upstream")).toEqual([
      { upstream: "" },
    ]);
    expect(await readFile(stopped, "utf8")).toBe("fenced\n");
    for (const { server } of [n2, n3]) await signalServer(server, "SIGCONT");
    await waitUntil(
      "there is one primary, and the others follow it",
      async () => {
        const nodes = [n1, n2, n3];
        const leaders = await Promise.all(nodes.map(isPrimary));
        const [leader] = nodes.filter((_, index) => leaders[index]);
        if (leader === undefined || leaders.filter(Boolean).length !== 1) return false;
        const rows = await leader.server.sql("SELECT FROM pg_stat_replication WHERE state = 'streaming'");
        return rows.length === 2;
      },
      60_000,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}\n--- n1:\n${d1?.log()}\n${logsOf(others)}`);
    });
  }, 150_000);

  it("is refused where two nodes have no majority without each other", async () => {
    const [n1] = await createFailoverCluster(2, lease);
    const daemon = startDaemon(n1?.configFile ?? "");
    expect((await daemon.ended).exitCode).toBe(1);
    expect(daemon.log()).toMatch(
      /\[ERROR\] "primary_isolation_timeout" needs three registered nodes\n.*\n.*register a witness/,
    );
  });

  it(
    "keeps the server through restarts of the daemon and the end of its dead-man session, and while it is paused",
    { timeout: 150_000 },
    async () => {
      const [n1, n2, n3] = await createLeaseCluster();
      const daemons = await startAll([n1, n2, n3]);
      const guard = await waitUntil("the guard is there", async () => (await guardOn(n1)) ?? false);
      daemons[0]?.signal("SIGTERM");
      expect((await daemons[0]?.ended)?.exitCode).toBe(0);
      expect(daemons[0]?.log()).toContain("[WARNING] the local server will be stopped within 5 seconds");
      const again = await startDaemonOn(n1);
      expect(await guardOn(n1)).toBe(guard);
      process.kill(guard, "SIGSTOP");
      await again.says(/the dead-man session on the local server was started/);
      process.kill(guard, "SIGCONT");
      await waitUntil("the first has ended", async () => (await guardOn(n1)) !== guard);
      await n1.server.sql(`SELECT pg_sleep(${(1.2 * TIMEOUT_MS) / 1000})`);
      expect(await isPrimary(n1)).toBe(true);

      expect((await runProgram(["-f", n1.configFile, "service", "pause"])).exitCode).toBe(0);
      expect(await statusOf(n2)).toContain(
        'primary_isolation_timeout is NOT ARMED\n  - paused: node "n1" (ID: 1)\n',
      );
      await waitUntil("there is no guard any more", async () => (await guardOn(n1)) === null);
      again.signal("SIGKILL");
      await n1.server.sql(`SELECT pg_sleep(${(1.2 * TIMEOUT_MS) / 1000})`);
      expect(await isPrimary(n1)).toBe(true);
    },
  );
});
