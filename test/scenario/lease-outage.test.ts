import { describe, expect, it } from "vitest";
import { measureOutage } from "./failover/outage.js";
import { clusterOf, quickSettings } from "./failover/scenario.js";

const HISTORIES = 300;
const LEASE_MS = 5000;
/** What the acceptance table of the fault stories gives: the lease and 4 s, for a campaign that fails and another. */
const LIMIT_MS = LEASE_MS + 4000;

describe("a primary with a lease whose host dies", () => {
  it("is replaced soon after the end of the lease, for which every candidate has to wait", () => {
    const settings = { ...quickSettings, primary_isolation_timeout: LEASE_MS };
    const scenario = { name: "three nodes with a lease", members: clusterOf(3), settings, faults: [] };
    for (let seed = 1; seed <= HISTORIES; seed++) {
      const { ms, cluster } = measureOutage(scenario, seed, { betweenMs: [15_000, 20_000] });
      expect(ms, `seed ${seed}\n${cluster.trace.join("\n")}`).toBeLessThan(LIMIT_MS);
    }
  }, 60_000);
});
