import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { configFile, waitForPrimary, type FaultNode } from "./fault-node.js";
import { describeFaults } from "./story.js";

async function bringBack(nodes: readonly FaultNode[]): Promise<void> {
  for (const node of nodes) {
    await node.startContainer();
    await node.startServer();
    await node.startDaemon();
  }
}

/** Voters keep their last vote for vote_hold. */
const VOTES_ARE_FREE_MS = 8000;

describeFaults({
  title: "two failures in a row",
  shape: { size: 3, settings: { vote_hold: "6500ms", auto_rejoin: "true" } },
  tell: (fault) => {
    fault("two failures in a row", async ({ primary, standbys, load }) => {
      await primary.killContainer();
      const second = await waitForPrimary(standbys);
      await load.awaitAcknowledged(50);
      await sleep(VOTES_ARE_FREE_MS);
      await second.killContainer();
      const last = standbys.filter((node) => node !== second);
      await sleep(12_000);
      expect(await Promise.all(last.map((node) => node.isPrimary()))).toEqual([false]);
      const { output } = await (last[0] ?? second).attempt(`repmgr -f ${configFile} service status 2>&1`);
      console.log(output.replaceAll(/^/gm, "  "));
      expect(output).toMatch(/no majority/);
      expect(output).toMatch(/unregister/);
      return () => bringBack([second, primary]);
    });

    fault("two failures in a row, the first node unregistered", async ({ primary, standbys, load }) => {
      await primary.killContainer();
      const second = await waitForPrimary(standbys);
      await load.awaitAcknowledged(50);
      await sleep(VOTES_ARE_FREE_MS);
      await second.run(`repmgr -f ${configFile} primary unregister --node-id=${primary.id} --force`);
      await sleep(2000);
      await second.killContainer();
      const last = await waitForPrimary(standbys.filter((node) => node !== second));
      await load.awaitAcknowledged(50);
      return async () => {
        await bringBack([second]);
        await primary.startContainer();
        await primary.run(
          `repmgr -f ${configFile} standby clone --force -h ${last.name} -U repmgr -d repmgr`,
        );
        await primary.startServer();
        await primary.run(`repmgr -f ${configFile} standby register --force`);
        await primary.startDaemon();
      };
    });
  },
});
