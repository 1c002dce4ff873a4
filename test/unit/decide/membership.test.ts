import { describe, expect, it } from "vitest";
import type { ArmedRules } from "../../../src/decide/armed.js";
import { judgeMembership } from "../../../src/decide/membership.js";
import { nodeId } from "../../../src/model/node-record.js";
import { nodeRecord } from "../../builders/node-record.js";

const rules: ArmedRules = {
  failover: "automatic",
  failover_quorum: "auto",
  primary_isolation_timeout: null,
  sync_mode: "off",
};

describe("judgeMembership", () => {
  it.each<[string, number, readonly number[], Partial<ArmedRules>, boolean, string]>([
    ["the first node", 0, [], {}, false, "done"],
    ["the second node", 1, [1], {}, false, "done"],
    ["a third node while the second is down", 2, [1], {}, false, "told"],
    ["the same with strict votes", 2, [1], { failover_quorum: "strict" }, false, "failed"],
    ["more than half", 3, [1, 3], {}, false, "done"],
    ["half of four", 4, [1, 3], {}, false, "failed"],
    ["half of four, by force", 4, [1, 3], {}, true, "told"],
    ["half of four that are only counted", 4, [1, 3], { failover_quorum: "visible" }, false, "told"],
    ["half of four without a daemon that promotes", 4, [1, 3], { failover: "manual" }, false, "told"],
  ])("of %s", (_case, count, reached, changed, force, expected) => {
    const before = Array.from({ length: count }, (_, index) => nodeRecord({ id: index + 1 }));
    const spread = { before, reached: new Set(reached.map(nodeId)) };
    expect(judgeMembership(spread, { ...rules, ...changed }, force).kind).toBe(expected);
  });

  it("names who has the change and who has not", () => {
    const before = [1, 2, 3].map((id) => nodeRecord({ id }));
    const verdict = judgeMembership({ before, reached: new Set([nodeId(1)]) }, rules, false);
    expect(verdict).toMatchObject({
      kind: "failed",
      problem: {
        detail: 'nodes that have it: "node1" (ID: 1); nodes that have not: "node2" (ID: 2), "node3" (ID: 3)',
      },
    });
  });
});
