import { describe, expect, it } from "vitest";
import type { Settings } from "../../../src/config/settings-table.js";
import type { FailoverSettings } from "../../../src/decide/failover-settings.js";
import { findEdges, renderFailoverDocument } from "./render-failover-document.js";

const roles = ["standby", "primary", "witness"] as const;

describe("the grids of failover", () => {
  it("are drawn in docs/failover.md as they are; add -u to write it again", async () => {
    await expect(renderFailoverDocument()).toMatchFileSnapshot("../../../docs/failover.md");
  });

  it.each(roles)("of a %s have no state without an exit", (role) => {
    const edges = findEdges(role);
    for (const state of new Set(edges.map(({ from }) => from)))
      expect(
        edges.some(({ from, to }) => from === state && to !== state),
        state,
      ).toBe(true);
  });

  it("lead a standby that looks for a primary to the one that is found", () => {
    const ways = findEdges("standby").filter(({ on }) => on === "primary-found");
    const looking = ["watching", "reconnecting", "electing", "campaigning", "validating", "degraded"];
    expect(ways.map(({ from }) => from)).toEqual(expect.arrayContaining(looking));
  });

  it("take the settings in force as they are", () => {
    const asFailoverSettings = (settings: Settings): FailoverSettings => settings;
    expect(asFailoverSettings).toBeTypeOf("function");
  });
});
