import { createConnection } from "node:net";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { freePort } from "../../harness/postgres-server.js";
import { runProgram } from "../../harness/program.js";
import { waitUntil } from "../../harness/wait-until.js";
import type { TestNode } from "../cluster/make-cluster.js";
import {
  createFailoverCluster,
  isPrimary,
  letFailOver,
  startDaemonOn,
  waitUntilArmed,
} from "./make-failover-cluster.js";

describe("a cluster of two nodes", () => {
  let n1: TestNode;
  let n2: TestNode;
  beforeEach(async () => {
    const [first, second] = await createFailoverCluster(2);
    if (first === undefined || second === undefined) throw new Error("two nodes are needed");
    n1 = first;
    n2 = second;
  });

  const askRole = (port: number): Promise<string> =>
    new Promise((fulfil) => {
      const socket = createConnection(port, "127.0.0.1");
      let text = "";
      socket.on("data", (piece) => (text += piece.toString()));
      socket.on("error", () => fulfil("refused"));
      socket.on("end", () => fulfil(text));
    });
  const eventsOn = async ({ server }: TestNode): Promise<readonly string[]> => {
    const rows = await server.sql<{ line: string }>(
      "SELECT event || ' ' || node_id AS line FROM repmgr.events WHERE event LIKE 'repmgrd%' ORDER BY event_timestamp",
    );
    return rows.map(({ line }) => line);
  };

  it("does nothing while paused or when the server is back in time, and then replaces a frozen primary", async () => {
    const port = await freePort();
    const script = join(n2.server.directory, "told");
    await letFailOver(n2, {
      role_port: port,
      event_notification_command: `sleep 1; echo '%e %s' >> ${script}; exit 3`,
    });
    const daemon = await startDaemonOn(n2);
    await waitUntilArmed(n2);
    expect(await askRole(port)).toBe("STANDBY\n");

    expect((await runProgram(["-f", n2.configFile, "service", "pause"])).exitCode).toBe(0);
    await n1.server.stop("immediate");
    await daemon.says(/degraded state: this daemon is paused|is in degraded state/);
    expect(await isPrimary(n2)).toBe(false);
    await n1.server.start();
    await daemon.says(/reconnected to upstream node "n1"/);
    expect((await runProgram(["-f", n2.configFile, "service", "unpause"])).exitCode).toBe(0);

    n1.server.signal("SIGSTOP");
    onTestFinished(() => n1.server.signal("SIGCONT"));
    await waitUntil("n2 is the primary", () => isPrimary(n2)).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${daemon.log()}`);
    });
    const words = [
      '[NOTICE] starting monitoring of node "n2" (ID: 2)',
      '[INFO] monitoring connection to upstream node "n1" (ID: 1)',
      '[WARNING] unable to connect to upstream node "n1" (ID: 1)',
      '[INFO] checking state of node "n1" (ID: 1), 1 of ',
      "[INFO] sleeping up to ",
      '[WARNING] unable to reconnect to node "n1" (ID: 1) after ',
      "[INFO] 0 active sibling nodes registered",
      "[INFO] 2 total nodes registered",
      "[NOTICE] this node is the only available candidate and will now promote itself",
      "[INFO] promote_command is:",
      "[INFO] switching to primary monitoring mode",
      '[NOTICE] monitoring cluster primary "n2" (ID: 2)',
    ];
    await daemon.says(/monitoring cluster primary "n2"/);
    const log = daemon.log();
    const places = words.map((line) => log.lastIndexOf(line));
    expect(places, log).toEqual([...places].sort((one, other) => one - other));
    expect(places, log).not.toContain(-1);
    await waitUntil("the port says so", async () => (await askRole(port)) === "MASTER\n");
    await waitUntil("the events are stored once each", async () => {
      const events = await eventsOn(n2);
      return events.filter((event) => event === "repmgrd_failover_promote 2").length === 1;
    });
    await waitUntil("the script was told, slow and failing as it is", async () =>
      (await readFile(script, "utf8").catch(() => "")).includes("repmgrd_failover_promote 1"),
    );
    const [term] = await n2.server.sql<{ term: number }>("SELECT term FROM repmgr.voting_term");
    expect(term?.term).toBeGreaterThan(1);
  });

  it("goes on to the next attempt when promote_command fails, and keeps its events over a restart of the daemon", async () => {
    const flag = join(n2.server.directory, "may-promote");
    const conf = await readFile(n2.configFile, "utf8");
    const promote = /^promote_command='(.*)'$/m.exec(conf)?.[1] ?? "";
    await letFailOver(n2, { promote_command: `test -e ${flag} && ${promote}`, election_rerun_interval: 1 });
    const daemon = await startDaemonOn(n2);
    await waitUntilArmed(n2);
    await n1.server.stop("immediate");
    await daemon.says(/\[ERROR\] promote_command failed/);
    daemon.signal("SIGTERM");
    expect(await daemon.ended).toEqual({ exitCode: 0, signal: null });
    await writeFile(flag, "");
    const again = await startDaemonOn(n2);
    await waitUntil("n2 is the primary", () => isPrimary(n2), 40_000).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${daemon.log()}\n----\n${again.log()}`);
    });
    await waitUntil("all events are stored", async () => {
      const events = await eventsOn(n2);
      return (
        events.filter((event) => event === "repmgrd_upstream_disconnect 2").length >= 1 &&
        events.includes("repmgrd_shutdown 2") &&
        events.includes("repmgrd_failover_promote 2")
      );
    });
  });
});
