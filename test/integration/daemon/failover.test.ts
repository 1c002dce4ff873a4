import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { waitUntil } from "../../harness/wait-until.js";
import { waitUntilAttached, type TestNode } from "../cluster/make-cluster.js";
import { createFailoverCluster, isPrimary, startDaemonOn, waitUntilArmed } from "./make-failover-cluster.js";

async function changeTimeline(primary: TestNode, standbys: readonly TestNode[]): Promise<void> {
  await primary.server.stop();
  await writeFile(join(primary.server.dataDirectory, "standby.signal"), "");
  await primary.server.start();
  await primary.server.sql("SELECT pg_promote()");
  for (const { server } of standbys) {
    await waitUntil(`${server.name} streams the new timeline`, async () => {
      const rows = await server.sql<{ timeline: number }>(
        "SELECT received_tli AS timeline FROM pg_stat_wal_receiver WHERE status = 'streaming'",
      );
      return rows[0]?.timeline === 2;
    });
  }
}

describe("a failover", () => {
  it.each([
    { where: "on the first timeline", prepare: () => Promise.resolve() },
    // The last restart point of the standbys is on the old one: only what they replay tells where they are.
    { where: "that has just changed its timeline", prepare: changeTimeline },
  ])("of a primary $where promotes a standby, and the other follows it", async ({ prepare }) => {
    const [n1, n2, n3] = await createFailoverCluster(3);
    if (n1 === undefined || n2 === undefined || n3 === undefined) throw new Error("three nodes are needed");
    await prepare(n1, [n2, n3]);
    const [, d2, d3] = [await startDaemonOn(n1), await startDaemonOn(n2), await startDaemonOn(n3)];
    for (const node of [n2, n3]) await waitUntilArmed(node);
    n1.server.signal("SIGKILL");
    const winner = await waitUntil("there is a new primary", async () =>
      (await isPrimary(n2)) ? n2 : (await isPrimary(n3)) && n3,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}\n--- n2:\n${d2.log()}\n--- n3:\n${d3.log()}`);
    });
    const follower = winner === n2 ? n3 : n2;
    await waitUntilAttached(winner, follower.server.name).catch((error: unknown) => {
      throw new Error(`${String(error)}\n--- n2:\n${d2.log()}\n--- n3:\n${d3.log()}`);
    });
    const rows = await winner.server.sql("SELECT node_id, type, active FROM repmgr.nodes ORDER BY node_id");
    expect(rows).toEqual([
      { node_id: 1, type: "primary", active: false },
      { node_id: 2, type: winner === n2 ? "primary" : "standby", active: true },
      { node_id: 3, type: winner === n3 ? "primary" : "standby", active: true },
    ]);
    const events = async () =>
      (
        await winner.server.sql<{ event: string; node_id: number }>(
          "SELECT event, node_id FROM repmgr.events WHERE event LIKE 'repmgrd%' ORDER BY event_timestamp",
        )
      ).map(({ event, node_id }) => `${event} ${node_id}`);
    await waitUntil("the events are stored", async () => {
      const stored = await events();
      return (
        stored.filter((event) => event === `repmgrd_failover_follow ${follower.id}`).length === 1 &&
        stored.filter((event) => event.startsWith("repmgrd_upstream_disconnect")).length === 2
      );
    }).catch(async (error: unknown) => {
      throw new Error(
        `${String(error)} ${JSON.stringify(await events())}\n--- n2:\n${d2.log()}\n--- n3:\n${d3.log()}`,
      );
    });
    expect(await events()).toContain(`repmgrd_failover_promote ${winner.id}`);
  });
});
