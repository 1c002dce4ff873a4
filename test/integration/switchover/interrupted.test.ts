import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { makeCluster, type SwitchNode } from "./make-cluster.js";
import { tellStory, type Story } from "./story.js";

let story: Story;
let node3: SwitchNode;

beforeAll(async () => {
  const cluster = await makeCluster(3);
  story = tellStory(cluster);
  node3 = cluster.nodes[2] as SwitchNode;
});

describe("standby switchover, killed when it announces", () => {
  let stopWatching: () => Promise<number>;

  afterEach(async () => {
    expect(await stopWatching()).toBe(1);
  });

  it.each([
    ["local node", "its beginning"],
    ["stopping current primary", "the stop"],
    ["current primary has been cleanly shut down", "the shutdown"],
    ["promoting standby to primary", "the promotion"],
    ["waiting up to", "the wait for the promotion"],
    ["STANDBY PROMOTE successful", "the end of the promotion"],
    ["executing NODE REJOIN", "the rejoin"],
    ["STANDBY FOLLOW successfully", "the end of a follow"],
  ])("%s: the same command brings it to an end", async (announcement) => {
    stopWatching = story.watchWritable();
    const { candidate } = await story.findRoles();
    const words = ["standby", "switchover", "--siblings-follow"];
    const started = candidate.start(...words);
    await started.hasSaid(announcement);
    started.kill("SIGKILL");
    await started.result;

    const show = await node3.run("cluster", "show");
    // Between the end of a follow and that of the command are a few milliseconds.
    if (announcement.startsWith("STANDBY FOLLOW") && show.exitCode === 0) return story.expectHealthy();
    expect(show.exitCode, show.output).toBe(25);
    expect(show.output).toContain(`is not finished`);
    expect(show.output).toContain(`tsrepmgr -f ${candidate.conf} standby switchover --siblings-follow`);

    const again = await candidate.run(...words);
    expect([0, 18], again.output).toContain(again.exitCode);
    return story.expectHealthy();
  });
});
