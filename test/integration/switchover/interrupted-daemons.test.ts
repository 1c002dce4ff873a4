import { join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { waitUntil } from "../../harness/wait-until.js";
import { startDaemon, type StartedDaemon, waitUntilShown } from "../daemon/start-daemon.js";
import { makeCluster, type SwitchCluster, type SwitchNode } from "./make-cluster.js";
import { tellStory, type Story } from "./story.js";

const program = resolve(import.meta.dirname, "../../../bin/tsrepmgr.js");

let cluster: SwitchCluster;
let story: Story;

beforeAll(async () => {
  cluster = await makeCluster(3);
  story = tellStory(cluster);
  for (const { id, server, conf } of cluster.nodes)
    await cluster.configure(id, {
      failover: "automatic",
      promote_command: "echo promoted by a daemon >&2; exit 1",
      follow_command: `${process.execPath} ${program} -f ${conf} standby follow --upstream-node-id=%n`,
      reconnect_attempts: 1,
      reconnect_interval: 1,
      monitor_interval_secs: 1,
      vote_hold: "6500ms",
      state_directory: join(server.directory, "state"),
    });
});

const readDaemon = async ({
  server,
}: SwitchNode): Promise<{ readonly isRunning: boolean; readonly isPaused: boolean }> => {
  const [row] = await server.sql<{ running: boolean; paused: boolean }>(
    "SELECT repmgr.repmgrd_is_running() AS running, repmgr.repmgrd_is_paused() AS paused",
  );
  return { isRunning: row?.running === true, isPaused: row?.paused === true };
};

async function startDaemons(): Promise<readonly StartedDaemon[]> {
  const daemons = cluster.nodes.map(({ conf }) => startDaemon(conf));
  for (const [index, daemon] of daemons.entries())
    await waitUntilShown(daemon, (cluster.nodes[index] as SwitchNode).server);
  return daemons;
}

const expectAllUnpaused = (): Promise<boolean> =>
  waitUntil("no daemon is paused", async () => {
    const states = await Promise.all(cluster.nodes.map(readDaemon));
    return states.every(({ isRunning, isPaused }) => isRunning && !isPaused);
  });

describe("standby switchover with daemons on all nodes, killed when it announces", () => {
  it.each([
    "pausing repmgrd on 3 of 3",
    "issuing CHECKPOINT",
    "current primary has been cleanly shut down",
    "executing NODE REJOIN",
    "unpausing repmgrd on 3 of 3",
    ...(process.env["TEST_LONG"] === "1"
      ? [
          "local node",
          "stopping current primary",
          "promoting standby to primary",
          "STANDBY PROMOTE successful",
        ]
      : []),
  ])("%s: the same command brings it to an end, and no daemon stays paused", async (announcement) => {
    const daemons = await startDaemons();
    const stopWatching = story.watchWritable();
    const { candidate } = await story.findRoles();
    const onlooker = cluster.nodes[2];
    const words = ["standby", "switchover", "--siblings-follow"];
    const started = candidate.start(...words);
    await started.hasSaid(announcement);
    started.kill("SIGKILL");
    await started.result;

    const show = await onlooker?.run("cluster", "show");
    expect(show?.exitCode, show?.output).toBe(25);
    expect(show?.output).toContain(`tsrepmgr -f ${candidate.conf} standby switchover --siblings-follow`);

    const again = await candidate.run(...words);
    const describeAll = (): string => `${again.output}\n${daemons.map((daemon) => daemon.log()).join("\n")}`;
    expect([0, 18], describeAll()).toContain(again.exitCode);
    await story.expectHealthy();
    await expectAllUnpaused().catch((error: unknown) => {
      throw new Error(`${String(error)}\n${describeAll()}`, { cause: error });
    });
    expect(await stopWatching()).toBe(1);
    for (const daemon of daemons) expect(daemon.log()).not.toContain("promoted by a daemon");
  });
});
