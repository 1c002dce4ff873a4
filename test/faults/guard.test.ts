import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { waitUntil } from "../harness/wait-until.js";
import { findCandidate, letCandidateRun, promoteCommand } from "./candidates.js";
import { configFile, dataDirectory, waitForPrimary, type FaultNode } from "./fault-node.js";
import { startProbe } from "./probe.js";
import { describeFaults } from "./story.js";

/** What a boot does where the guard stands before the server. */
async function boot(node: FaultNode): Promise<void> {
  await node.startContainer();
  await node.run(`repmgr -f ${configFile} node guard --strict --as-standby`);
  await node.startServer();
  await node.startDaemon();
}

/** What the units of an installation without our daemon do at a boot. */
const guardedStart = `repmgr -f ${configFile} node guard --strict --as-standby && pg_ctl -D ${dataDirectory} -l /var/log/postgresql/server.log -w start >/dev/null`;

const readTerm = async (node: FaultNode): Promise<number> =>
  Number(await node.ask("SELECT max(term) FROM repmgr.voting_term"));

describeFaults({
  title: "three nodes behind node guard",
  shape: { size: 3, settings: { vote_hold: "6500ms", auto_rejoin: "true" } },
  tell: (fault) => {
    fault("container killed, started later behind the guard", async ({ primary, standbys, load }) => {
      await primary.killContainer();
      await waitForPrimary(standbys);
      await load.awaitAcknowledged(50);
      await boot(primary);
      await sleep(3000);
      return undefined;
    });

    fault("rebooted during the failover, its daemon disabled", async ({ primary, standbys, load }) => {
      // Votes are given by then, and nobody is promoted yet.
      await letCandidateRun(standbys, `sleep 2; ${promoteCommand}`);
      await primary.killContainer();
      await findCandidate(standbys);
      const probe = startProbe(primary);
      await primary.startContainer();
      await primary.run(guardedStart);
      await waitForPrimary(standbys);
      await load.awaitAcknowledged(50);
      await sleep(3000);
      const { answers, writable } = await probe.stop();
      console.log(`  ${answers} looks at the rebooted server, writable in ${writable}`);
      expect(answers).toBeGreaterThan(100);
      expect(writable).toBe(0);
      return () => primary.startDaemon();
    });

    fault("a session killed where the primary starts as a standby", async ({ primary, load }) => {
      await primary.configure({ primary_starts_as_standby: "true" });
      await primary.run(`until test -e ${dataDirectory}/standby.signal; do sleep 0.1; done`);
      const term = await readTerm(primary);
      await primary.run(
        `kill -KILL $(psql -XAtq -U repmgr repmgr -c "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND query LIKE 'INSERT%' LIMIT 1")`,
      );
      await sleep(4000);
      await load.awaitAcknowledged(50);
      await waitUntil("the term is that of the votes", async () => (await readTerm(primary)) > term);
      return undefined;
    });

    const orders = [
      [
        "cold start, the old primary first",
        (old: FaultNode, others: readonly FaultNode[]) => [[old], others],
      ],
      ["cold start, the old primary last", (old: FaultNode, others: readonly FaultNode[]) => [others, [old]]],
      ["cold start, all at once", (old: FaultNode, others: readonly FaultNode[]) => [[old, ...others]]],
    ] as const;
    for (const [name, order] of orders) {
      fault(name, async ({ cluster, primary, standbys, load }) => {
        const term = await readTerm(primary);
        await primary.killContainer();
        await waitForPrimary(standbys);
        await load.awaitAcknowledged(100);
        // A node that has not got the new term yet could not tell the old primary of it.
        for (const node of standbys)
          await waitUntil(`${node.name} knows of the promotion`, async () => (await readTerm(node)) > term);
        for (const node of standbys) await node.killContainer();
        for (const group of order(primary, standbys)) {
          await Promise.all(group.map(boot));
          await sleep(3000);
        }
        await waitForPrimary(cluster.servers, 60_000);
        await load.awaitAcknowledged(50, 60_000);
        return undefined;
      });
    }
  },
});
