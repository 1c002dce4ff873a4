import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { waitUntil } from "../../harness/wait-until.js";
import { waitUntilAttached } from "../cluster/make-cluster.js";
import { createFailoverCluster, letFailOver, startDaemonOn } from "./make-failover-cluster.js";

describe("a standby that fails and comes back", () => {
  it("is told of by the daemons of both sides, and too few standbys run the command", async () => {
    const [n1, n2] = await createFailoverCluster(2);
    if (n1 === undefined || n2 === undefined) throw new Error("two nodes are needed");
    const told = join(n1.server.directory, "told-of-children");
    await letFailOver(n1, {
      child_nodes_check_interval: 1,
      child_nodes_disconnect_timeout: 1,
      child_nodes_disconnect_command: `echo "%p" >> ${told}`,
    });
    await waitUntilAttached(n1, n2.server.name);
    const d1 = await startDaemonOn(n1);
    const d2 = await startDaemonOn(n2);
    const events = async (): Promise<readonly string[]> =>
      (
        await n1.server.sql<{ line: string }>(
          `SELECT event || ' ' || node_id || ' ' || successful AS line FROM repmgr.events
            WHERE event LIKE 'child%' OR event IN ('standby_failure', 'standby_recovery') ORDER BY event_timestamp`,
        )
      ).map(({ line }) => line);
    const isActive = async (): Promise<unknown> =>
      (await n1.server.sql("SELECT active FROM repmgr.nodes WHERE node_id = 2"))[0]?.["active"];
    await d1.says(/monitoring cluster primary/);
    await d2.says(/monitoring connection to upstream node/);
    await waitUntil("the first look at the children is over", async () => {
      const rows = await n1.server.sql("SELECT FROM repmgr.events WHERE event = 'repmgrd_start'");
      return rows.length === 2;
    });
    await n2.server.stop("fast");
    const explain = async (error: unknown): Promise<never> => {
      throw new Error(`${String(error)} ${JSON.stringify(await events())}\n${d1.log()}\n---\n${d2.log()}`);
    };
    await waitUntil("the failure is told", async () => {
      const lines = await events();
      return (
        lines.includes("standby_failure 2 true") && lines.includes("child_nodes_disconnect_command 1 true")
      );
    }).catch(explain);
    expect(await isActive()).toBe(false);
    await n2.server.start();
    await waitUntil("the return is told", async () => {
      const lines = await events();
      return lines.includes("standby_recovery 2 true") && lines.includes("child_node_reconnect 1 true");
    }).catch(explain);
    expect(await isActive()).toBe(true);
    expect((await events()).filter((line) => line.startsWith("child_node_disconnect "))).toHaveLength(1);
    expect(await readFile(told, "utf8")).toBe("1\n");
  });
});
