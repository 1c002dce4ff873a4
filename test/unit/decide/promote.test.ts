import { describe, expect, it } from "vitest";
import { judgePromotion, planPromotion, type PromotionFacts } from "../../../src/decide/promote.js";
import { parseLsn } from "../../../src/model/lsn.js";
import { nodeId } from "../../../src/model/node-record.js";
import { nodeRecord } from "../../builders/node-record.js";

const own = nodeRecord({ id: 2 });

const facts = (changes: Partial<PromotionFacts> = {}): PromotionFacts => ({
  own,
  isPromoted: false,
  records: [nodeRecord(), own],
  livePrimary: null,
  replay: { isPaused: false, received: parseLsn("0/5000000"), replayed: parseLsn("0/5000000"), delayMs: 0 },
  mayCallPromote: true,
  following: null,
  ...changes,
});

const rules = { configuredCommand: "", controlCommand: "pg_ctl promote", force: false };
const behind = { received: parseLsn("0/5000100"), replayed: parseLsn("0/5000000") };

const outcome = (...args: Parameters<typeof planPromotion>): string => {
  const plan = planPromotion(...args);
  if (plan.kind === "refused") return plan.problems.map(({ message }) => `refused: ${message}`).join("\n");
  return [...plan.warnings.map(({ message }) => `warning: ${message}`), JSON.stringify(plan.steps[0])].join(
    "\n",
  );
};

const byFunction = '{"kind":"promote","method":{"kind":"function"}}';

describe("planPromotion", () => {
  it.each<[string, PromotionFacts, typeof rules, string]>([
    ["a standby whose primary is gone", facts(), rules, byFunction],
    [
      "a live primary",
      facts({ livePrimary: nodeRecord() }),
      rules,
      "refused: this replication cluster already has an active primary server",
    ],
    [
      "a standby that an earlier run has promoted",
      facts({ isPromoted: true }),
      rules,
      '{"kind":"record-primary","node":2}',
    ],
    [
      "a configured command",
      facts(),
      { ...rules, configuredCommand: "my promote" },
      '{"kind":"promote","method":{"kind":"command","command":"my promote"}}',
    ],
    [
      "no right to call pg_promote()",
      facts({ mayCallPromote: false }),
      rules,
      '{"kind":"promote","method":{"kind":"command","command":"pg_ctl promote"}}',
    ],
    [
      "a sibling",
      facts({ records: [nodeRecord(), own, nodeRecord({ id: 3 })] }),
      rules,
      `warning: 1 sibling nodes found, but option "--siblings-follow" not specified\n${byFunction}`,
    ],
    [
      "an inactive sibling",
      facts({ records: [own, nodeRecord({ id: 3, active: false })] }),
      rules,
      byFunction,
    ],
    [
      "a child of its own",
      facts({ records: [own, nodeRecord({ id: 3, upstreamNodeId: nodeId(2) })] }),
      rules,
      byFunction,
    ],
    [
      "paused replay with WAL pending",
      facts({ replay: { ...behind, isPaused: true, delayMs: 0 } }),
      rules,
      `warning: WAL replay is paused on this node\n${byFunction}`,
    ],
    [
      "delayed replay with WAL pending",
      facts({ replay: { ...behind, isPaused: false, delayMs: 60_000 } }),
      rules,
      `warning: WAL replay is delayed on this node\n${byFunction}`,
    ],
    [
      "paused replay that is at the end",
      facts({ replay: { ...facts().replay, isPaused: true } }),
      rules,
      byFunction,
    ],
    [
      "a server that never received anything",
      facts({ replay: { isPaused: true, received: null, replayed: null, delayMs: 0 } }),
      rules,
      byFunction,
    ],
  ])("plans %s", (_case, given, applied, expected) => {
    expect(outcome(given, applied)).toBe(expected);
  });

  it("records the new primary after the promotion", () => {
    const plan = planPromotion(facts(), rules);
    expect(plan.kind === "ready" && plan.steps.map(({ kind }) => kind)).toEqual([
      "promote",
      "record-primary",
    ]);
  });
});

describe("judgePromotion", () => {
  it.each([
    ["out-of-recovery", 99_000, "promoted"],
    ["in-recovery", 59_999, "wait"],
    ["in-recovery", 60_000, "timed-out"],
    ["no-answer", 59_999, "wait"],
    ["no-answer", 60_000, "connection-lost"],
  ] as const)("with %s after %i ms says %s", (look, elapsedMs, expected) => {
    expect(judgePromotion(look, { elapsedMs, timeoutMs: 60_000 })).toBe(expected);
  });
});
