import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { waitUntil } from "../harness/wait-until.js";
import { findCandidate, letCandidateRun, promoteCommand } from "./candidates.js";
import { waitForPrimary, type FaultNode } from "./fault-node.js";
import { cut, heal } from "./links.js";
import { awaitArmed } from "./restore.js";
import { describeFaults } from "./story.js";

const readTerm = (node: FaultNode): Promise<string | null> =>
  node.ask("SELECT max(term) FROM repmgr.voting_term");

/** Until then it might stream what the old primary alone has, and be away for a rewind. */
async function waitForFollower(primary: FaultNode): Promise<void> {
  await waitUntil(
    `a standby streams from ${primary.name}`,
    async () =>
      (await primary.ask("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'")) === "1",
  );
}

/** A dead-man session that takes its turns. */
const hasGuard = async (node: FaultNode): Promise<boolean> =>
  (await node.ask(
    `SELECT count(*) FROM pg_stat_activity
      WHERE application_name = 'tsr1g' AND abs(extract(epoch FROM clock_timestamp() - xact_start)) < 1`,
  )) === "1";

/** A rate other than that of the kernel holds for the monotonic clock of a program that is started with it. */
async function restartWithClock(node: FaultNode, spec: string): Promise<void> {
  await node.killDaemon("TERM");
  await waitUntil(
    "the daemon has ended",
    async () => (await node.attempt("pgrep -f repmgrd")).exitCode !== 0,
  );
  await node.setClock(spec, { isMonotonic: spec.includes("x") });
  await node.startDaemon();
}

// A date that is set stays: the last story is the one of the dates.
describeFaults({
  title: "three nodes whose clocks are wrong",
  shape: {
    size: 3,
    fakesClocks: true,
    settings: { vote_hold: "6500ms", auto_rejoin: "true", primary_isolation_timeout: "5s" },
  },
  tell: (fault) => {
    fault("primary cut, the clocks of the others 2 % fast", async ({ cluster, primary, standbys, load }) => {
      for (const node of standbys) await restartWithClock(node, "+0 x1.02");
      await awaitArmed(cluster);
      await cut(primary, standbys);
      await waitForFollower(await waitForPrimary(standbys));
      await load.awaitAcknowledged(50);
      await heal([primary, ...standbys]);
      await sleep(3000);
      await load.awaitAcknowledged(50);
      return async () => {
        for (const node of standbys) await restartWithClock(node, "+0");
      };
    });

    fault("dates set back and forth", async ({ primary, standbys, load }) => {
      const [one, other] = standbys;
      if (one === undefined || other === undefined) throw new Error("three nodes are needed");
      const term = await readTerm(primary);
      await one.setClock("+3600");
      await other.setClock("-3600");
      await sleep(2000);
      await one.setClock("-3600");
      await other.setClock("+3600");
      await primary.setClock("-3600");
      await sleep(7000);
      await load.awaitAcknowledged(50);
      expect(await primary.isPrimary(), "the healthy primary is one").toBe(true);
      expect(await readTerm(primary), "its term").toBe(term);
      await waitUntil("the primary has one dead-man session", () => hasGuard(primary));
      await letCandidateRun(standbys, `sleep 1; ${promoteCommand}`);
      // It would start its server again, and be the best candidate.
      await primary.killDaemon();
      await primary.killServer();
      const candidate = await findCandidate(standbys);
      const voter = candidate === one ? other : one;
      await candidate.setClock(candidate === one ? "-7200" : "+0");
      await voter.setClock(voter === one ? "+3600" : "-3600");
      expect(await waitForPrimary(standbys)).toBe(candidate);
      await load.awaitAcknowledged(50);
      return async () => {
        await primary.startServer();
        await primary.startDaemon();
      };
    });
  },
});
