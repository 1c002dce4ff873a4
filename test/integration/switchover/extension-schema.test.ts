import { expect, it } from "vitest";
import { makeCluster, type SwitchNode } from "./make-cluster.js";
import { tellStory } from "./story.js";

it("a switchover that is killed after the promotion is found in a schema that the extension made", async () => {
  const cluster = await makeCluster(3);
  const [node1, node2, node3] = cluster.nodes as [SwitchNode, SwitchNode, SwitchNode];
  const story = tellStory(cluster);
  // The extension's has no such table; it comes with the first promotion of ours.
  await node1.server.sql("DROP TABLE repmgr.settings");
  const words = ["standby", "switchover", "--siblings-follow"];
  const started = node2.start(...words);
  await started.hasSaid("STANDBY PROMOTE successful");
  started.kill("SIGKILL");
  await started.result;

  const show = await node3.run("cluster", "show");
  expect(show.exitCode, show.output).toBe(25);
  expect(show.output).toContain(`tsrepmgr -f ${node2.conf} standby switchover --siblings-follow`);
  const again = await node2.run(...words);
  expect(again.exitCode, again.output).toBe(0);
  await story.expectHealthy();
  expect(await node2.server.sql("SELECT event FROM repmgr.events WHERE event LIKE '%under_way'")).toEqual([]);
});
