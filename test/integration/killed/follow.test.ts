import { appendFile } from "node:fs/promises";
import { beforeEach, describe, expect, it } from "vitest";
import { killAtEachAnnouncement } from "./kill-at.js";
import { addStandby, awaitStreaming, makePrimary, recordOf, slotsOf, type Node } from "./make-nodes.js";

describe("killed by SIGKILL at each announcement and run again", () => {
  let primary: Node;
  let middle: Node;
  let leaf: Node;

  beforeEach(async () => {
    primary = await makePrimary();
    middle = await addStandby(primary, 2);
    leaf = await addStandby(primary, 3);
  });

  it.each([
    ["reloaded", false],
    ["restarted", true],
  ])(
    "standby follow leaves a %s standby that streams from its upstream, and no slot where it was",
    async (_how, restarts) => {
      if (restarts) await appendFile(leaf.conf, "standby_follow_restart=true\n");
      let upstream = primary;
      const count = await killAtEachAnnouncement({
        prepare: async () => {
          upstream = upstream === primary ? middle : primary;
          return ["-f", leaf.conf, "standby", "follow", `--upstream-node-id=${upstream.id}`];
        },
        verify: async () => {
          await awaitStreaming(upstream, leaf);
          expect(await recordOf(primary, leaf.id)).toMatchObject({ upstream: upstream.id, active: true });
          const former = upstream === primary ? middle : primary;
          expect(await slotsOf(upstream)).toContain("repmgr_slot_3");
          expect(await slotsOf(former)).not.toContain("repmgr_slot_3");
        },
      });
      expect(count).toBeGreaterThanOrEqual(3);
    },
    300_000,
  );
});
