import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { waitUntil } from "../harness/wait-until.js";
import { configFile, waitForPrimary, type FaultNode } from "./fault-node.js";
import { findLongestSilence } from "./figures.js";
import { cut, heal } from "./links.js";
import { describeFaults } from "./story.js";

const STANDBY_TIMEOUT_S = 3;
/** The witness looks once a second at what is asked of it, and so does the primary. */
const PERMITTED_WITHIN_MS = 3000;

const namesOf = (primary: FaultNode): Promise<string | null> => primary.ask("SHOW synchronous_standby_names");

/** Commits wait for it, and it may be voted for. */
async function awaitCounted(primary: FaultNode, standby: FaultNode, witness: FaultNode): Promise<void> {
  await waitUntil(
    `${standby.name} is counted and may be promoted`,
    async () => {
      const excluded = await witness.ask(
        "SELECT count(*) FROM repmgr.settings WHERE name = 'sync_exclusion' AND value NOT LIKE '% node=0 %'",
      );
      return excluded === "0" && (await namesOf(primary)) === `ANY 1 ("${standby.name}")`;
    },
    30_000,
  );
}

const readStatus = async (node: FaultNode): Promise<string> =>
  (await node.attempt(`repmgr -f ${configFile} service status`)).output;

describeFaults({
  title: "two nodes and a witness, synchronous where possible",
  shape: {
    size: 2,
    hasWitness: true,
    settings: {
      vote_hold: "6500ms",
      auto_rejoin: "true",
      sync_mode: "preferred",
      sync_standby_timeout: STANDBY_TIMEOUT_S,
    },
  },
  tell: (fault) => {
    fault("standby cut, primary killed twice", async ({ cluster, primary, standbys, load }) => {
      const [standby] = standbys;
      const { witness } = cluster;
      if (standby === undefined || witness === null) throw new Error("two nodes and a witness are needed");
      await awaitCounted(primary, standby, witness);

      await cut(primary, [standby]);
      await load.awaitAcknowledged(100, 20_000);
      const waitedMs = findLongestSilence(load.acknowledgements().map(({ atMs }) => atMs));
      console.log(`commits waited ${waitedMs} ms for a standby that is cut off`);
      expect(waitedMs).toBeLessThanOrEqual(STANDBY_TIMEOUT_S * 1000 + PERMITTED_WITHIN_MS);
      expect(await readStatus(primary)).toContain(`commits go on without "${standby.name}"`);

      await primary.killServer();
      await waitUntil("the primary is dead", async () => (await primary.isPrimary()) === null);
      await heal([primary, standby]);
      // A failover takes 4 s.
      await sleep(8000);
      expect(await standby.isPrimary(), "a standby that lacks rows was promoted").toBe(false);
      expect(await readStatus(standby)).toMatch(
        new RegExp(`"${standby.name}" is excluded since .*it may lack acknowledged rows and is not promoted`),
      );

      await primary.startServer();
      await waitForPrimary([primary]);
      await load.awaitAcknowledged(50);
      await awaitCounted(primary, standby, witness);

      await load.awaitAcknowledged(50);
      await primary.killServer();
      await waitForPrimary([standby]);
      await load.awaitAcknowledged(50);
      return () => primary.startServer();
    });
  },
});
