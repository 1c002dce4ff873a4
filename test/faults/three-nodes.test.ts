import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { waitUntil } from "../harness/wait-until.js";
import { findCandidate, letCandidateRun, promoteCommand } from "./candidates.js";
import { configFile, daemonLog, dataDirectory, waitForPrimary } from "./fault-node.js";
import { measureOverlap } from "./figures.js";
import { cut, heal } from "./links.js";
import { describeFaults, patience } from "./story.js";

describeFaults({
  title: "three nodes",
  shape: { size: 3, settings: { vote_hold: "6500ms", auto_rejoin: "true" } },
  tell: (fault) => {
    fault("clean stop", async ({ primary, standbys, load }) => {
      await primary.stopServer();
      await waitForPrimary(standbys);
      await load.awaitAcknowledged(50);
      return () => primary.startServer();
    });

    fault("server killed", async ({ primary, standbys, load }) => {
      await primary.killServer();
      await waitForPrimary(standbys);
      await load.awaitAcknowledged(50);
      await primary.run(`repmgr -f ${configFile} node guard --as-standby`);
      await primary.startServer();
      await sleep(3000);
      return undefined;
    });

    fault("server killed, started without the guard", async ({ primary, standbys, load }) => {
      await primary.killServer();
      await waitForPrimary(standbys);
      await load.awaitAcknowledged(50);
      await primary.startServer();
      await sleep(3000);
      return undefined;
    });

    fault("daemon killed", async ({ cluster, primary, standbys, load }) => {
      await primary.killDaemon();
      await sleep(8000);
      await load.awaitAcknowledged(50);
      const { output } = await (standbys[0] ?? primary).attempt(`repmgr -f ${configFile} service status`);
      expect(output).toMatch(new RegExp(`^ *${primary.id} .*not running`, "m"));
      return () => cluster.nodes[primary.id - 1]?.startDaemon() ?? Promise.resolve();
    });

    fault("container killed, started later", async ({ primary, standbys, load }) => {
      await primary.killContainer();
      await waitForPrimary(standbys);
      await load.awaitAcknowledged(50);
      await primary.startContainer();
      await Promise.all([primary.startServer(), primary.startDaemon()]);
      await sleep(2000);
      return undefined;
    });

    fault("frozen 30 s, thawed", async ({ primary, standbys, load }) => {
      await primary.freeze();
      await Promise.all([waitForPrimary(standbys), sleep(30_000)]);
      await primary.thaw();
      await sleep(3000);
      await load.awaitAcknowledged(50);
      return undefined;
    });

    const cuts = [
      ["primary cut from both standbys", "DROP"],
      ["primary cut from both standbys, refused", "REJECT"],
    ] as const;
    for (const [name, how] of cuts) {
      fault(name, async ({ primary, standbys, load }) => {
        await cut(primary, standbys, how);
        const successor = await waitForPrimary(standbys);
        await sleep(3000);
        await heal([primary, ...standbys]);
        const healedMs = load.nowMs();
        await sleep(5000);
        const overlapMs = measureOverlap(load.acknowledgements(), healedMs);
        console.log(`  two writable after the cut has healed: ${overlapMs} ms`);
        const alarm = await successor.ask(
          `SELECT details FROM repmgr.events WHERE node_id = ${primary.id} AND event = 'primary_fenced'
            ORDER BY event_timestamp DESC LIMIT 1`,
        );
        console.log(`  the alarm: ${alarm ?? "none"}`);
        expect(alarm).toContain(
          `"${primary.name}" (ID: ${primary.id}) was stopped, node "${successor.name}"`,
        );
        expect(await primary.run(`grep '\\[ALERT\\]' ${daemonLog}`)).toContain("stopping the local server");
        expect(overlapMs).toBeLessThanOrEqual(500 * patience);
        return undefined;
      });
    }

    fault("one standby cut", async ({ primary, standbys: [lone, other], load }) => {
      if (lone === undefined || other === undefined) throw new Error("three nodes are needed");
      await cut(lone, [primary, other]);
      await sleep(15_000);
      await heal([primary, lone, other]);
      await load.awaitAcknowledged(50);
      return undefined;
    });

    fault("one-way cuts", async ({ cluster, load }) => {
      for (const from of cluster.servers) {
        for (const to of cluster.servers) {
          if (from === to) continue;
          await from.stopSendingTo(to);
          await sleep(6000);
          await from.restoreLinks();
          await load.awaitAcknowledged(10);
        }
      }
      return undefined;
    });

    // Stopped, not killed: the row that a killed server had not sent yet would be missing whatever the candidate does.
    const badCommands = [
      ["promote command fails", "exit 1"],
      ["promote command is killed", "kill -KILL $$"],
      ["promote command hangs", "sleep 60"],
    ] as const;
    for (const [name, command] of badCommands) {
      fault(name, async ({ primary, standbys, load }) => {
        await letCandidateRun(standbys, command);
        await primary.stopServer();
        const candidate = await findCandidate(standbys);
        const others = standbys.filter((node) => node !== candidate);
        for (const node of others) await node.configure();
        await waitForPrimary(others);
        await load.awaitAcknowledged(50);
        return () => primary.startServer();
      });
    }

    fault("voter's server restarts", async ({ primary, standbys, load }) => {
      await letCandidateRun(standbys, `sleep 1; ${promoteCommand}`);
      await primary.stopServer();
      const candidate = await findCandidate(standbys);
      const voters = standbys.filter((node) => node !== candidate);
      for (const node of voters) {
        await node.run(`pg_ctl -D ${dataDirectory} -m immediate -w restart >/dev/null`);
      }
      await waitForPrimary(standbys);
      await load.awaitAcknowledged(50);
      return () => primary.startServer();
    });

    fault("paused, over restarts", async ({ cluster, primary, standbys, load }) => {
      await primary.run(`repmgr -f ${configFile} service pause`);
      for (const node of cluster.nodes) {
        await node.killDaemon("TERM");
        await waitUntil(
          "the daemon has ended",
          async () => (await node.attempt("pgrep -f repmgrd")).exitCode !== 0,
        );
        await node.startDaemon();
      }
      await primary.killServer();
      await sleep(10_000);
      expect(await Promise.all(standbys.map((node) => node.isPrimary()))).toEqual([false, false]);
      const unpausedAt = performance.now();
      // Also the daemon of the lost server, over SSH.
      await (standbys[0] ?? primary).run(`repmgr -f ${configFile} service unpause`);
      await waitForPrimary(standbys);
      const durationMs = Math.round(performance.now() - unpausedAt);
      console.log(`  promoted ${durationMs} ms after unpause`);
      expect(durationMs).toBeLessThanOrEqual(15_000);
      await load.awaitAcknowledged(50);
      return () => primary.startServer();
    });
  },
});
