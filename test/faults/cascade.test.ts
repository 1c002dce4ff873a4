import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { waitUntil } from "../harness/wait-until.js";
import { describeFaults } from "./story.js";

describeFaults({
  title: "a cascade of three nodes",
  shape: { size: 3, upstreams: { 3: 2 }, settings: { vote_hold: "6500ms", auto_rejoin: "true" } },
  tell: (fault) => {
    fault("middle node of a cascade dies", async ({ primary, standbys: [middle, child], load }) => {
      if (middle === undefined || child === undefined) throw new Error("three nodes are needed");
      expect(await child.ask("SELECT sender_host FROM pg_stat_wal_receiver")).toBe(middle.name);
      await middle.killContainer();
      await waitUntil(
        "the child follows the primary",
        async () => (await child.ask("SELECT sender_host FROM pg_stat_wal_receiver")) === primary.name,
      );
      await sleep(2000);
      await load.awaitAcknowledged(50);
      return async () => {
        await middle.startContainer();
        await middle.startServer();
        await middle.startDaemon();
      };
    });
  },
});
