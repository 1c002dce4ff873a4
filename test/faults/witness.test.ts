import { setTimeout as sleep } from "node:timers/promises";
import { cut, heal } from "./links.js";
import { describeFaults } from "./story.js";
import { findCandidate, letCandidateRun } from "./candidates.js";
import { waitForPrimary } from "./fault-node.js";

describeFaults({
  title: "two nodes and a witness",
  shape: { size: 2, hasWitness: true, settings: { vote_hold: "6500ms", auto_rejoin: "true" } },
  tell: (fault) => {
    fault("link cut while a witness sees both", async ({ primary, standbys, load }) => {
      await cut(primary, standbys);
      await sleep(15_000);
      await heal([primary, ...standbys]);
      await load.awaitAcknowledged(50);
      return undefined;
    });
  },
});

describeFaults({
  title: "three nodes and a witness",
  shape: { size: 3, hasWitness: true, settings: { vote_hold: "6500ms", auto_rejoin: "true" } },
  tell: (fault) => {
    fault("candidate dies during promotion", async ({ primary, standbys, load }) => {
      await letCandidateRun(standbys, "sleep 60");
      // Stopped: the row that a killed server had not sent yet would be missing without the candidate's help.
      await primary.stopServer();
      const candidate = await findCandidate(standbys);
      await candidate.killContainer();
      const others = standbys.filter((node) => node !== candidate);
      for (const node of others) await node.configure();
      await waitForPrimary(others);
      await load.awaitAcknowledged(50);
      return async () => {
        await candidate.startContainer();
        await candidate.configure();
        await Promise.all([primary.startServer(), candidate.startServer(), candidate.startDaemon()]);
      };
    });

    fault("two failures in a row, with a witness", async ({ primary, standbys, load }) => {
      await primary.killContainer();
      const second = await waitForPrimary(standbys);
      await load.awaitAcknowledged(50);
      // Voters keep their last vote for vote_hold.
      await sleep(8000);
      await second.killContainer();
      await waitForPrimary(standbys.filter((node) => node !== second));
      await load.awaitAcknowledged(50);
      return async () => {
        for (const node of [primary, second]) {
          await node.startContainer();
          await node.startServer();
          await node.startDaemon();
        }
      };
    });
  },
});
