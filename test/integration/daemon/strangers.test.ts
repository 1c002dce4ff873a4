import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { TestServer } from "../../harness/postgres-server.js";
import { createStandby } from "../../harness/standby.js";
import { newDirectory } from "../../harness/test-run.js";
import { waitUntil } from "../../harness/wait-until.js";
import type { TestNode } from "../cluster/make-cluster.js";
import { createFailoverCluster, isPrimary, startDaemonOn } from "./make-failover-cluster.js";
import { startDaemon } from "./start-daemon.js";

/** A copy of the primary that somebody promoted: a restored backup on a higher timeline. */
async function restoreBackup(primary: TestNode, name: string): Promise<TestServer> {
  const server = await createStandby(primary.server, name);
  await server.sql("SELECT pg_promote()");
  return server;
}

/** The repmgr.conf of a node, which somebody has taken along and changed in places. */
async function copyConfiguration(node: TestNode, changes: Readonly<Record<string, string>>): Promise<string> {
  const directory = await newDirectory("copied-conf");
  const values = { state_directory: join(directory, "state"), ...changes };
  const lines = Object.entries(values).map(([key, value]) => `${key}='${value.replaceAll("'", "''")}'\n`);
  const path = join(directory, "repmgr.conf");
  await writeFile(path, `${await readFile(node.configFile, "utf8")}${lines.join("")}`);
  return path;
}

const alarmsOn = async ({ server }: TestNode): Promise<readonly string[]> =>
  (
    await server.sql<{ details: string }>(
      "SELECT details FROM repmgr.events WHERE event LIKE 'split_brain%' ORDER BY event_timestamp",
    )
  ).map(({ details }) => details);

describe("a cluster beside servers that are none of its own", () => {
  it("keeps its primary, and tells of those that its nodes can see", { timeout: 120_000 }, async () => {
    const [n1, n2, n3] = await createFailoverCluster(3);
    if (n1 === undefined || n2 === undefined || n3 === undefined) throw new Error("three nodes are needed");
    const daemons = [await startDaemonOn(n1), await startDaemonOn(n3)];
    const logs = (): string => daemons.map((daemon) => daemon.log()).join("\n---\n");
    const expectUndisturbed = async (): Promise<void> => {
      expect(await isPrimary(n1), logs()).toBe(true);
      expect(logs()).not.toContain("stopping the local server");
      expect(logs()).not.toContain("promotion candidate is");
    };

    // A test server that nobody has registered, with the configuration of the primary but for its address.
    const clone = await restoreBackup(n1, "clone");
    const own = { conninfo: clone.conninfo, data_directory: clone.dataDirectory };
    const cloned = startDaemon(await copyConfiguration(n1, own));
    await cloned.says(/monitoring/);
    await sleep(4000);
    await expectUndisturbed();
    expect(await alarmsOn(n1)).toEqual([]);
    cloned.signal("SIGTERM");
    await cloned.ended;

    // The same configuration as it is: the daemon of a test machine looks after the production server.
    const verbatim = startDaemon(await copyConfiguration(n1, {}));
    await waitUntil("the double is told of", async () =>
      (await alarmsOn(n1)).some((alarm) =>
        /another daemon \(PID \d+\) takes itself for node "n1" \(ID: 1\)/.test(alarm),
      ),
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${logs()}\n--- ${verbatim.log()}`);
    });
    await expectUndisturbed();
    verbatim.signal("SIGTERM");
    await verbatim.ended;

    // The address of a standby leads to a restored backup of the cluster.
    const { conninfo } = n2.server;
    await n2.server.stop();
    await n1.server.sql("UPDATE repmgr.nodes SET conninfo = $1 WHERE node_id = 2", [clone.conninfo]);
    await waitUntil("the backup is told of", async () =>
      (await alarmsOn(n1)).some((alarm) => alarm.includes('node "n2" (ID: 2) is read-write too')),
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${logs()}`);
    });
    await sleep(2000);
    await expectUndisturbed();
    await n1.server.sql("UPDATE repmgr.nodes SET conninfo = $1 WHERE node_id = 2", [conninfo]);
  });
});
