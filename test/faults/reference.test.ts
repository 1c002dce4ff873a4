import { setTimeout as sleep } from "node:timers/promises";
import { expect, inject, it } from "vitest";
import { startFaultCluster } from "./fault-cluster.js";
import { waitForPrimary, type Program } from "./fault-node.js";
import { startLoad } from "./load.js";
import { awaitWhole } from "./restore.js";
import { readFigures } from "./story.js";

/** Our daemons give no vote until vote_hold after their start; repmgrd has nothing of this kind. */
const DAEMONS_ARE_READY_MS = 14_000;

async function measureOutage(program: Program): Promise<number> {
  const cluster = await startFaultCluster({ size: 3, program });
  try {
    const primary = await awaitWhole(cluster, 30_000);
    await sleep(DAEMONS_ARE_READY_MS);
    const load = await startLoad(cluster.servers);
    await primary.killServer();
    const winner = await waitForPrimary(
      cluster.servers.filter((node) => node !== primary),
      60_000,
    );
    await load.awaitAcknowledged(50);
    const endMs = load.nowMs();
    await load.stop();
    const { outageMs } = await readFigures(load, winner, endMs);
    return outageMs;
  } catch (error) {
    console.error(`logs of "${program}" are in ${await cluster.keepLogs()}`);
    throw error;
  } finally {
    await cluster.remove();
  }
}

it("a killed server costs no longer an outage than with repmgr", async (context) => {
  const engineFailure = inject("engineFailure");
  if (engineFailure !== null) context.skip(engineFailure);
  const reference = [await measureOutage("reference"), await measureOutage("reference")] as const;
  const ours = [await measureOutage("ours"), await measureOutage("ours")] as const;
  console.log(`server killed: outage ${ours.join(" and ")} ms, with repmgr ${reference.join(" and ")} ms`);
  expect(ours[0] + ours[1]).toBeLessThanOrEqual(reference[0] + reference[1]);
});
