import { describe, expect, it } from "vitest";
import { waitUntil } from "../../harness/wait-until.js";
import { runProgram } from "../../harness/program.js";
import { waitUntilAttached, waitUntilReplayed, type TestNode } from "../cluster/make-cluster.js";
import type { StartedDaemon } from "./start-daemon.js";
import { createFailoverCluster, isPrimary, startDaemonOn, waitUntilArmed } from "./make-failover-cluster.js";

interface Story {
  readonly old: TestNode;
  readonly oldDaemon: StartedDaemon;
  readonly successor: TestNode;
}

interface WatchedCluster {
  readonly nodes: readonly [TestNode, TestNode, TestNode];
  readonly daemons: readonly [StartedDaemon, StartedDaemon, StartedDaemon];
}

/** Three nodes with daemons that may vote. */
async function watchedCluster(settings: Readonly<Record<string, string>>): Promise<WatchedCluster> {
  const [n1, n2, n3] = await createFailoverCluster(3, settings);
  if (n1 === undefined || n2 === undefined || n3 === undefined) throw new Error("three nodes are needed");
  // pg_rewind needs the WAL from the last common checkpoint on.
  await n1.server.sql("ALTER SYSTEM SET wal_keep_size = '256MB'");
  await n1.server.sql("SELECT pg_reload_conf()");
  const daemons = [await startDaemonOn(n1), await startDaemonOn(n2), await startDaemonOn(n3)] as const;
  for (const node of [n2, n3]) await waitUntilArmed(node);
  return { nodes: [n1, n2, n3], daemons };
}

/** The primary was killed: one of the standbys is the primary now. */
async function failOver(settings: Readonly<Record<string, string>>): Promise<Story> {
  const {
    nodes: [n1, n2, n3],
    daemons,
  } = await watchedCluster(settings);
  n1.server.signal("SIGKILL");
  await waitUntil("n1 is down", async () => !(await n1.server.isRunning()));
  const successor = await waitUntil("there is a new primary", async () =>
    (await isPrimary(n2)) ? n2 : (await isPrimary(n3)) && n3,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${daemons.map((daemon) => daemon.log()).join("\n---\n")}`);
  });
  await waitUntilAttached(successor, successor === n2 ? "n3" : "n2");
  await successor.server.sql("CREATE TABLE public.kept AS SELECT generate_series(1, 100) AS i");
  return { old: n1, oldDaemon: daemons[0], successor };
}

/** By hand and without a guard, so it is writable until the daemon has looked. */
async function startByHand({ server }: TestNode): Promise<void> {
  await server.start().catch(() => undefined);
  await server.sql("CREATE TABLE public.lost AS SELECT 1 AS i").catch(() => undefined);
}

const checksumOf = async ({ server }: TestNode): Promise<unknown> =>
  server.sql("SELECT md5(string_agg(i::text, ',' ORDER BY i)) FROM public.kept");

const eventsOn = async ({ server }: TestNode, event: string): Promise<readonly string[]> =>
  (await server.sql<{ details: string }>("SELECT details FROM repmgr.events WHERE event = $1", [event])).map(
    ({ details }) => details,
  );

describe("a primary that was killed and started again after the failover", () => {
  it("is stopped and rejoins by itself with auto_rejoin, and what only it had is recorded", async () => {
    const { old, oldDaemon, successor } = await failOver({ auto_rejoin: "true" });
    const port = old.server.port;
    await startByHand(old);
    await waitUntilAttached(successor, "n1").catch((error: unknown) => {
      throw new Error(`${String(error)}\n${oldDaemon.log()}`);
    });
    await waitUntilReplayed(successor, old);
    expect(await checksumOf(old)).toEqual(await checksumOf(successor));
    expect(await old.server.sql("SELECT to_regclass('public.lost') AS lost")).toEqual([{ lost: null }]);
    expect(await old.server.sql("SHOW port")).toEqual([{ port: String(port) }]);
    const [discarded] = await eventsOn(successor, "wal_discarded");
    expect(discarded).toMatch(
      /^only node "n1" \(ID: 1\) has WAL of timeline 1 from \S+ to \S+ \(\d+ bytes\)/,
    );
    await waitUntil(
      "the event is stored",
      async () => (await eventsOn(successor, "primary_fenced")).length > 0,
    );
    expect(await eventsOn(successor, "primary_fenced")).toEqual([
      `node "n1" (ID: 1) was stopped, node "${successor.server.name}" (ID: ${successor.id}) is the primary`,
    ]);
    await oldDaemon.says(/now following new upstream node/);
    expect(oldDaemon.log()).toContain("WAL that exists on this node only will be discarded");
  });

  it("is stopped without auto_rejoin, and the daemon names the command that brings it back", async () => {
    const { old, oldDaemon, successor } = await failOver({});
    await startByHand(old);
    await oldDaemon.says(/the local server is stopped/);
    const command = /\[HINT\] to make it a standby: tsrepmgr (.*)/.exec(oldDaemon.log())?.[1] ?? "";
    expect(await old.server.isRunning()).toBe(false);
    await waitUntil("the event is stored", async () =>
      (await eventsOn(successor, "primary_fenced"))[0]?.endsWith(
        `; to make it a standby: tsrepmgr ${command}`,
      ),
    ).catch(async (error: unknown) => {
      const events = await eventsOn(successor, "primary_fenced");
      throw new Error(`${String(error)} ${JSON.stringify(events)}\n${oldDaemon.log()}`);
    });
    const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
    const repaired = await runProgram([...words, "--config-files=postgresql.conf"]);
    expect(repaired.exitCode, repaired.output).toBe(0);
    await oldDaemon.says(/now following new upstream node|monitoring connection to upstream node/);
    expect(await checksumOf(old)).toEqual(await checksumOf(successor));
  });
});

describe("a primary that was killed with local_restart_attempts", () => {
  it("is started again by its daemon before anybody is promoted, unless it was shut down", async () => {
    // PostgreSQL does not start while the killed postmaster is a zombie, and some hosts leave it one for seconds.
    const settings = {
      local_restart_attempts: "10",
      reconnect_attempts: "20",
      reconnect_interval: "500ms",
    };
    const { nodes, daemons } = await watchedCluster(settings);
    const [n1, n2, n3] = nodes;
    await n1.server.sql("CREATE TABLE public.kept AS SELECT 1 AS i");
    n1.server.signal("SIGKILL");
    await waitUntil("n1 is writable again", () => isPrimary(n1)).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${daemons[0].log()}`);
    });
    await daemons[0].says(/reconnected to local node/);
    expect(await n1.server.sql("SELECT i FROM public.kept")).toEqual([{ i: 1 }]);
    for (const node of [n2, n3]) await waitUntilAttached(n1, node.server.name);
    expect(await isPrimary(n2)).toBe(false);
    expect(await isPrimary(n3)).toBe(false);

    await n1.server.stop();
    await waitUntil("a standby is promoted", async () => (await isPrimary(n2)) || isPrimary(n3), 30_000);
    expect(await n1.server.isRunning()).toBe(false);
  });
});
