import { describe, expect, it } from "vitest";
import { measureOutage } from "./failover/outage.js";
import { clusterOf, quickSettings } from "./failover/scenario.js";

const HISTORIES = 300;

const { monitor_interval_secs, reconnect_attempts, vote_hold } = quickSettings;
/** The look that is due, its silence, and as long a silence for each attempt. */
const DETECTION_MS = monitor_interval_secs + 1000 + reconnect_attempts * 1000;
/** A campaign, and the longest first pause before it. */
const ROUND_MS = 1500 + 1000;
const LIMIT_MS = DETECTION_MS + vote_hold + 2 * ROUND_MS;

/** The voters keep a session with a request that nobody waits for. */
const deaths = { betweenMs: [3000, 6000], takesCandidate: true } as const;

describe("a candidate whose host dies after its request was sent", () => {
  it("is replaced within the detection, vote_hold and two rounds, where one standby and a witness are left", () => {
    const scenario = {
      name: "three nodes and a witness",
      members: clusterOf(3, { hasWitness: true }),
      settings: quickSettings,
      faults: [],
    };
    for (let seed = 1; seed <= HISTORIES; seed++) {
      const { ms, cluster } = measureOutage(scenario, seed, deaths);
      expect(ms, `seed ${seed}\n${cluster.trace.join("\n")}`).toBeLessThan(LIMIT_MS);
    }
  }, 60_000);

  it("is replaced, and in nearly all histories as soon, where three of five nodes are left that must all agree", () => {
    const scenario = { name: "five nodes", members: clusterOf(5), settings: quickSettings, faults: [] };
    const outages = Array.from({ length: HISTORIES }, (_, index) => {
      const { ms, cluster } = measureOutage(scenario, index + 1, deaths);
      expect(ms, `seed ${index + 1}\n${cluster.trace.join("\n")}`).toBeLessThan(2 * LIMIT_MS);
      return ms;
    });
    const soon = outages.filter((ms) => ms < LIMIT_MS);
    expect(soon.length).toBeGreaterThan(0.95 * HISTORIES);
  }, 60_000);
});
