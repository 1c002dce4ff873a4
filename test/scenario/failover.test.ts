import { describe, expect, it } from "vitest";
import { cases, weakCases } from "./failover/cases.js";
import { runHistory, type History } from "./failover/history.js";
import type { Scenario } from "./failover/scenario.js";

// npm run test:long sets 100,000; SIMULATION_SEED repeats one history, with its trace.
const total = Number(process.env.SIMULATION_HISTORIES ?? 5000);
const onlySeed = process.env.SIMULATION_SEED;
const timeout = Math.max(60_000, total * 100);

const quote = (text: string): string => `'${text}'`;

function describeFailure({ name }: Scenario, history: History): string {
  return [
    ...history.violations.values(),
    `again: SIMULATION_SEED=${history.seed} npx vitest run --project scenario test/scenario/failover.test.ts -t ${quote(name)}`,
  ].join("\n");
}

function traced(scenario: Scenario, seed: number): string {
  return runHistory(scenario, seed, { isTraced: true }).trace.slice(-150).join("\n");
}

describe("failover in random histories", () => {
  it.each(cases.map((one) => [one.scenario.name, one] as const))(
    "keeps what is promised: %s",
    { timeout },
    (_name, { scenario, allows, share }) => {
      const count = onlySeed === undefined ? Math.ceil(total * share) : 1;
      let promotions = 0;
      let exclusions = 0;
      for (let index = 0; index < count; index++) {
        const seed = onlySeed === undefined ? index + 1 : Number(onlySeed);
        const history = runHistory(scenario, seed);
        promotions += history.promotions;
        exclusions += history.exclusions;
        const broken = [...history.violations.keys()].filter((violation) => !allows.includes(violation));
        if (broken.length > 0)
          expect.fail(`${describeFailure(scenario, history)}\n${traced(scenario, seed)}`);
      }
      if (onlySeed !== undefined) return;
      expect(promotions).toBeGreaterThan(count / 10);
      if (scenario.settings.sync_mode === "preferred") expect(exclusions).toBeGreaterThan(count / 10);
    },
  );
});

describe("the simulation finds what happens without", () => {
  it.each(weakCases.map((one) => [one.rule, one] as const))("%s", { timeout }, (_rule, weak) => {
    for (let seed = 1; seed <= weak.within; seed++) {
      if (runHistory(weak.scenario, seed).violations.has(weak.finds)) return;
    }
    expect.fail(`"${weak.finds}" did not happen in ${weak.within} histories`);
  });
});
