import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { waitUntil } from "../../harness/wait-until.js";
import {
  isInRecovery,
  slotsOf,
  waitUntilStreaming,
  writableNodes,
  type SwitchCluster,
  type SwitchNode,
} from "./make-cluster.js";

/** Three nodes, of which the first two exchange their roles and the third looks on. */
export interface Story {
  findRoles(): Promise<{ readonly primary: SwitchNode; readonly candidate: SwitchNode }>;
  /** Looks all the time which nodes take writes; the most at one moment is the result. */
  watchWritable(): () => Promise<number>;
  /** Everybody streams, each slot is used, and `cluster show` finds nothing. */
  expectHealthy(): Promise<void>;
}

export function tellStory({ nodes }: SwitchCluster): Story {
  const [node1, node2, node3] = nodes as [SwitchNode, SwitchNode, SwitchNode];
  const findRoles: Story["findRoles"] = async () =>
    (await isInRecovery(node1)) ? { primary: node2, candidate: node1 } : { primary: node1, candidate: node2 };
  return {
    findRoles,
    watchWritable: () => {
      let most = 0;
      const watch = { isOn: true };
      const watching = (async () => {
        while (watch.isOn) {
          most = Math.max(most, (await writableNodes(nodes)).length);
          await sleep(20);
        }
      })();
      return async () => {
        watch.isOn = false;
        await watching;
        return most;
      };
    },
    expectHealthy: async () => {
      const { primary, candidate } = await findRoles();
      await waitUntil(
        "cluster show finds nothing",
        async () => (await node3.run("cluster", "show")).exitCode === 0,
        15_000,
      ).catch(async (error: unknown) => {
        const { output } = await node3.run("cluster", "show", "-v");
        throw new Error(`${String(error)}\n${output}`, { cause: error });
      });
      await waitUntilStreaming(primary, [candidate.server.name, "node3"]);
      const names = [`repmgr_slot_${candidate.id} active`, "repmgr_slot_3 active"];
      expect(await slotsOf(primary)).toEqual(names.sort());
      expect(await slotsOf(candidate)).toEqual([]);
      expect(await slotsOf(node3)).toEqual([]);
    },
  };
}
