import { setTimeout as sleep } from "node:timers/promises";
import { waitUntil } from "../harness/wait-until.js";
import { waitForPrimary, type FaultNode } from "./fault-node.js";
import { cut, heal } from "./links.js";
import { describeFaults } from "./story.js";

/** A member of the set has everything that was acknowledged; before it is complete nothing is promised. */
async function awaitSet(primary: FaultNode, standbys: readonly FaultNode[]): Promise<void> {
  const names = standbys.map(({ name }) => `"${name}"`).join(",");
  await waitUntil(
    `${primary.name} waits for one of ${names}`,
    async () => (await primary.ask("SHOW synchronous_standby_names")) === `ANY 1 (${names})`,
  );
}

describeFaults({
  title: "three nodes in synchronous mode",
  shape: { size: 3, settings: { vote_hold: "6500ms", auto_rejoin: "true", sync_mode: "quorum" } },
  tell: (fault) => {
    fault("synchronous mode, server killed", async ({ primary, standbys, load }) => {
      await awaitSet(primary, standbys);
      await load.awaitAcknowledged(50);
      await primary.killServer();
      await waitForPrimary(standbys);
      await load.awaitAcknowledged(50);
      await primary.startServer();
      await sleep(3000);
      return undefined;
    });

    fault("synchronous mode, primary cut", async ({ primary, standbys, load }) => {
      await awaitSet(primary, standbys);
      await load.awaitAcknowledged(50);
      await cut(primary, standbys);
      await waitForPrimary(standbys);
      await load.awaitAcknowledged(50);
      await heal([primary, ...standbys]);
      await sleep(3000);
      return undefined;
    });

    fault("synchronous mode, frozen 30 s, thawed", async ({ primary, standbys, load }) => {
      await awaitSet(primary, standbys);
      await load.awaitAcknowledged(50);
      await primary.freeze();
      await Promise.all([waitForPrimary(standbys), sleep(30_000)]);
      await primary.thaw();
      await sleep(3000);
      await load.awaitAcknowledged(50);
      return undefined;
    });
  },
});
