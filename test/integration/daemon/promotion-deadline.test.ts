import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { waitUntil } from "../../harness/wait-until.js";
import { waitUntilAttached, type TestNode } from "../cluster/make-cluster.js";
import {
  createFailoverCluster,
  isPrimary,
  letFailOver,
  startDaemonOn,
  waitUntilArmed,
} from "./make-failover-cluster.js";
import type { StartedDaemon } from "./start-daemon.js";

const settings = { vote_timeout: 3, election_rerun_interval: 30 };

/** `n2` is the better candidate, and takes the primary for lost before `n3` does: it asks for votes first. */
async function createCluster(): Promise<readonly [TestNode, TestNode, TestNode]> {
  const [n1, n2, n3] = await createFailoverCluster(3, settings);
  if (n1 === undefined || n2 === undefined || n3 === undefined) throw new Error("three nodes are needed");
  await n1.server.sql("UPDATE repmgr.nodes SET priority = 50 WHERE node_id = 3");
  await letFailOver(n3, { ...settings, reconnect_attempts: 8 });
  return [n1, n2, n3];
}

/** `%` is the command that promotes. */
async function promoteBy(node: TestNode, command: string): Promise<void> {
  const conf = await readFile(node.configFile, "utf8");
  const promote = /^promote_command='(.*)'$/m.exec(conf)?.[1] ?? "";
  await letFailOver(node, { ...settings, promote_command: command.replace("%", promote) });
}

const logsOf = (daemons: readonly StartedDaemon[]): string =>
  daemons.map((daemon, index) => `--- n${index + 2}:\n${daemon.log()}`).join("\n");

describe("the deadline of a promotion", () => {
  it.each([
    { fault: "hangs", command: "sleep 60; %", isFrozen: false },
    // The shell that runs the command takes the place of the one that the daemon started.
    { fault: "goes on while the daemon is frozen", command: "kill -STOP $PPID; sleep 5; %", isFrozen: true },
  ])(
    "ends a promote_command that $fault, and another node is elected",
    { timeout: 120_000 },
    async ({ command, isFrozen }) => {
      const [n1, n2, n3] = await createCluster();
      await promoteBy(n2, command);
      const daemons = [await startDaemonOn(n2), await startDaemonOn(n3)];
      const [d2] = daemons;
      for (const node of [n2, n3]) await waitUntilArmed(node);
      n1.server.signal("SIGKILL");
      await d2?.says(/\[INFO\] promote_command is:/);
      if (isFrozen) {
        // Longer than the command would take, and than the votes are held. Nobody has a majority without this daemon.
        await n2.server.sql("SELECT pg_sleep(8)");
        expect(await isPrimary(n2)).toBe(false);
        d2?.signal("SIGCONT");
      }
      await waitUntil("n3 is the primary", () => isPrimary(n3), 40_000).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${logsOf(daemons)}`);
      });
      expect(await isPrimary(n2)).toBe(false);
      await waitUntilAttached(n3, "n2").catch((error: unknown) => {
        throw new Error(`${String(error)}\n${logsOf(daemons)}`);
      });
      expect(d2?.log()).toMatch(/promote_command failed\n.*it ended with signal SIGKILL/);
      const promotions = await n3.server.sql<{ value: string }>(
        "SELECT value FROM repmgr.settings WHERE name LIKE 'promotion%'",
      );
      expect(promotions.map(({ value }) => /node=(\d+)/.exec(value)?.[1])).toEqual(["3"]);
    },
  );
});
