import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { waitUntil } from "../harness/wait-until.js";
import { configFile, waitForPrimary, type FaultNode } from "./fault-node.js";
import { cut, heal } from "./links.js";
import { isStreaming } from "./restore.js";
import { describeFaults, type Scene } from "./story.js";

/** Part of the node record, so that it takes effect by a registration. */
async function setPriority(node: FaultNode, priority: number): Promise<void> {
  await node.configure({ priority });
  await node.run(`repmgr -f ${configFile} standby register --force --wait-sync=10`);
}

/** One that had more of the log than its new primary is rewound before. */
async function awaitStreaming(standby: FaultNode, primary: FaultNode): Promise<void> {
  await waitUntil(
    `${standby.name} streams from ${primary.name}`,
    () => isStreaming(primary, standby),
    30_000,
  );
}

/** The others have more of the log then. A link that is cut would deliver what waits in the kernel of a dead server. */
async function killBeforeSendingTo(
  standby: FaultNode,
  { primary, load }: Pick<Scene, "primary" | "load">,
): Promise<void> {
  const sender = await primary.ask(
    `SELECT pid FROM pg_stat_replication WHERE application_name = '${standby.name}'`,
  );
  await primary.run(`kill -STOP ${sender ?? "none"}`);
  await load.awaitAcknowledged(50);
  await primary.killServer();
  await primary.run(`kill -KILL ${sender ?? "none"}`);
}

describeFaults({
  title: "which standby is promoted",
  shape: { size: 3, settings: { vote_hold: "6500ms", auto_rejoin: "true" } },
  tell: (fault) => {
    fault("priority 0", async ({ primary, standbys: [barred, other], load }) => {
      if (barred === undefined || other === undefined) throw new Error("three nodes are needed");
      await setPriority(barred, 0);
      await sleep(2000);
      await primary.killServer();
      expect(await waitForPrimary([barred, other])).toBe(other);
      await load.awaitAcknowledged(50);
      return async () => {
        await primary.startServer();
        await awaitStreaming(barred, other);
        await setPriority(barred, 100);
      };
    });

    fault("priority 0, with the most of the log", async ({ primary, standbys: [barred, other], load }) => {
      if (barred === undefined || other === undefined) throw new Error("three nodes are needed");
      await setPriority(barred, 0);
      await killBeforeSendingTo(other, { primary, load });
      expect(await waitForPrimary([barred, other])).toBe(other);
      await load.awaitAcknowledged(50);
      return async () => {
        await primary.startServer();
        await awaitStreaming(barred, other);
        await setPriority(barred, 100);
      };
    });

    fault("lagging standby", async ({ primary, standbys: [lagging, other], load }) => {
      if (lagging === undefined || other === undefined) throw new Error("three nodes are needed");
      await lagging.ask("SELECT pg_wal_replay_pause()");
      await cut(lagging, [primary]);
      await load.awaitAcknowledged(100);
      await primary.killServer();
      await heal([lagging, primary]);
      await lagging.ask("SELECT pg_wal_replay_resume()");
      expect(await waitForPrimary([lagging, other])).toBe(other);
      await load.awaitAcknowledged(50);
      return () => primary.startServer();
    });

    fault("delayed standby", async ({ primary, standbys: [delayed, other], load }) => {
      if (delayed === undefined || other === undefined) throw new Error("three nodes are needed");
      await setPriority(delayed, 200);
      await delayed.ask("ALTER SYSTEM SET recovery_min_apply_delay = '1min'");
      await delayed.ask("SELECT pg_reload_conf()");
      await sleep(3000);
      await killBeforeSendingTo(other, { primary, load });
      expect(await waitForPrimary([delayed, other])).toBe(other);
      await load.awaitAcknowledged(50);
      return async () => {
        await primary.startServer();
        await awaitStreaming(delayed, other);
        await delayed.ask("ALTER SYSTEM RESET recovery_min_apply_delay");
        await delayed.ask("SELECT pg_reload_conf()");
        await setPriority(delayed, 100);
      };
    });

    fault("promoted by hand", async ({ primary, standbys: [stray], load }) => {
      if (stray === undefined) throw new Error("three nodes are needed");
      await stray.ask("SELECT pg_promote()");
      await sleep(5000);
      await load.awaitAcknowledged(50);
      const { exitCode, output } = await primary.attempt(`repmgr -f ${configFile} cluster show 2>&1`);
      expect(exitCode, output).toBe(25);
      const alarm = await primary.ask(
        "SELECT details FROM repmgr.events WHERE event LIKE 'split_brain%' ORDER BY event_timestamp DESC LIMIT 1",
      );
      const command = /execute there: (.*)$/.exec(alarm ?? "")?.[1];
      console.log(`  the alarm: ${alarm ?? "none"}`);
      return async () => {
        expect(command, "the command that the alarm names").toBeDefined();
        await stray.run(command ?? "false");
      };
    });
  },
});
