import { setTimeout as sleep } from "node:timers/promises";
import { waitForPrimary, type FaultNode } from "./fault-node.js";
import { cut, heal } from "./links.js";
import { describeFaults, type Scene } from "./story.js";

/** Cut off until the other side has a primary for some time; what the old one still acknowledges would overlap. */
async function isolate({ primary, standbys, load }: Scene, whileCut?: () => Promise<void>): Promise<void> {
  await cut(primary, standbys);
  await waitForPrimary(standbys);
  await load.awaitAcknowledged(50);
  await whileCut?.();
  await heal([primary, ...standbys]);
  await sleep(3000);
  await load.awaitAcknowledged(50);
}

describeFaults({
  title: "three nodes with primary_isolation_timeout",
  shape: {
    size: 3,
    settings: { vote_hold: "6500ms", auto_rejoin: "true", primary_isolation_timeout: "5s" },
  },
  tell: (fault) => {
    fault("primary cut from both standbys, isolation 5 s", async (scene) => {
      await isolate(scene);
      return undefined;
    });

    const brokenDaemons: readonly (readonly [
      "primary cut, its daemon dead" | "primary cut, its daemon frozen",
      string,
      (node: FaultNode) => Promise<void>,
    ])[] = [
      [
        "primary cut, its daemon dead",
        "KILL",
        // The guard stopped the server; nobody is there who would start it again.
        async (node) => {
          await node.startServer();
          await node.startDaemon();
        },
      ],
      ["primary cut, its daemon frozen", "STOP", (node) => node.killDaemon("CONT")],
    ];
    for (const [name, signal, mend] of brokenDaemons) {
      fault(name, async (scene) => {
        await scene.primary.killDaemon(signal);
        await isolate(scene, () => mend(scene.primary));
        return undefined;
      });
    }
  },
});
