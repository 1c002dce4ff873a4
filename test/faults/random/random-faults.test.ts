import { setTimeout as sleep } from "node:timers/promises";
import { expect, inject, it } from "vitest";
import { startFaultCluster, type FaultCluster } from "../fault-cluster.js";
import { findLongestSilence, findSharedMoments } from "../figures.js";
import type { FaultNode } from "../fault-node.js";
import { startLoad } from "../load.js";
import { awaitWhole, restoreCluster } from "../restore.js";
import { readFigures } from "../story.js";
import { chooseFault, endFault } from "./faults.js";
import { renderHistogram } from "./histogram.js";
import { createRandom } from "./random.js";

const minutes = Number(process.env["FAULT_MINUTES"] ?? 60);
const seed = Number(process.env["FAULT_SEED"] ?? Math.floor(Math.random() * 1_000_000));
const FAULT_MS = 60_000;
const QUIET_MS = 60_000;
const MOMENT_MS = 200;

async function findPrimary({ servers }: FaultCluster): Promise<FaultNode | null> {
  const roles = await Promise.all(servers.map((node) => node.isPrimary()));
  return servers[roles.indexOf(true)] ?? null;
}

it(
  `${minutes} minutes of random faults in synchronous mode lose no acknowledged row`,
  { timeout: (minutes + 10) * 60_000 },
  async (context) => {
    const engineFailure = inject("engineFailure");
    if (engineFailure !== null) context.skip(engineFailure);
    console.log(`FAULT_SEED=${seed}`);
    const random = createRandom(seed);
    const settings = { vote_hold: "6500ms", auto_rejoin: "true", sync_mode: "quorum" };
    const cluster = await startFaultCluster({ size: 3, settings });
    try {
      await restoreCluster(cluster);
      const load = await startLoad(cluster.servers);
      const outages: number[] = [];
      const endMs = minutes * 60_000;
      while (load.nowMs() < endMs) {
        const sinceMs = load.nowMs();
        const fault = chooseFault(cluster, await findPrimary(cluster), random);
        await Promise.all([fault.begin(), sleep(FAULT_MS)]);
        await endFault(cluster);
        await sleep(QUIET_MS);
        const untilMs = load.nowMs();
        const during = load.acknowledgements().filter(({ atMs }) => atMs >= sinceMs);
        const outageMs = findLongestSilence([sinceMs, ...during.map(({ atMs }) => atMs), untilMs]);
        outages.push(outageMs);
        console.log(`${Math.round(sinceMs / 1000)} s: ${fault.name}: outage ${outageMs} ms`);
      }
      await load.stop();
      const primary = await awaitWhole(cluster, 60_000);
      const { acknowledged, missing } = await readFigures(load, primary, endMs);
      const shared = findSharedMoments(load.acknowledgements(), MOMENT_MS);
      console.log(`outages of ${outages.length} faults\n${renderHistogram(outages)}`);
      console.log(`${acknowledged} rows acknowledged, missing ${JSON.stringify(missing)}`);
      expect(missing, "acknowledged rows that are missing").toEqual({});
      expect(shared.slice(0, 5), `two servers acknowledge within ${MOMENT_MS} ms`).toEqual([]);
    } catch (error) {
      console.error(`logs are in ${await cluster.keepLogs()}`);
      throw error;
    } finally {
      await cluster.remove();
    }
  },
);
