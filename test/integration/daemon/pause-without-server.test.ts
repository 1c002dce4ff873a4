import { rename } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { makeCluster, type SwitchCluster, type SwitchNode } from "../switchover/make-cluster.js";
import { startDaemon, type StartedDaemon, waitUntilShown } from "./start-daemon.js";

describe("service pause and unpause while a server is down", () => {
  let cluster: SwitchCluster;
  let node1: SwitchNode;
  let node2: SwitchNode;

  const isPaused = async ({ server }: SwitchNode): Promise<boolean> => {
    const [row] = await server.sql<{ yes: boolean }>(
      "SELECT repmgr.repmgrd_is_running() AND repmgr.repmgrd_is_paused() AS yes",
    );
    return row?.yes === true;
  };
  const startOn = async (node: SwitchNode): Promise<StartedDaemon> => {
    const daemon = startDaemon(node.conf);
    await waitUntilShown(daemon, node.server);
    return daemon;
  };
  const stopServer = async (node: SwitchNode): Promise<void> => {
    await node.server.stop("immediate");
    onTestFinished(() => node.server.start());
  };

  beforeAll(async () => {
    cluster = await makeCluster(2);
    [node1, node2] = cluster.nodes as [SwitchNode, SwitchNode];
    for (const { id, server } of cluster.nodes)
      await cluster.configure(id, { state_directory: join(server.directory, "state") });
  });

  it("reach its daemon over SSH from another node", async () => {
    const daemon = await startOn(node1);
    await stopServer(node1);
    await daemon.says(/unable to connect to local node|the local server does not answer/);
    const dryRun = await node2.run("service", "pause", "--dry-run");
    expect(dryRun.exitCode, dryRun.output).toBe(0);
    const paused = await node2.run("service", "pause");
    expect(paused.exitCode, paused.output).toBe(0);
    expect(daemon.log()).toContain("this daemon is paused now");
    const unpaused = await node2.run("service", "unpause");
    expect(unpaused.exitCode, unpaused.output).toBe(0);
    expect(daemon.log()).toContain("this daemon is not paused any more");
  });

  it("say what to execute there where SSH does not lead there either", async () => {
    await stopServer(node1);
    await rename(cluster.keyFile, `${cluster.keyFile}.away`);
    onTestFinished(() => rename(`${cluster.keyFile}.away`, cluster.keyFile));
    const result = await node2.run("service", "pause");
    expect(result.exitCode, result.output).toBe(26);
    expect(result.stderr).toContain(
      `HINT: execute there: tsrepmgr -f ${node1.conf} service pause --this-node`,
    );
    expect((await node2.run("service", "pause", "--dry-run")).exitCode).toBe(26);
    await node2.run("service", "unpause");
  });

  it("reach the daemon of this node, and one that starts later", async () => {
    const daemon = await startOn(node1);
    await node1.server.stop("immediate");
    const all = await node1.run("service", "pause");
    expect(all).toMatchObject({ exitCode: 6 });
    expect(all.stderr).toContain(`tsrepmgr -f ${node1.conf} service pause --this-node`);
    const paused = await node1.run("service", "pause", "--this-node");
    expect(paused.exitCode, paused.output).toBe(0);
    expect(daemon.log()).toContain("this daemon is paused now");
    daemon.signal("SIGTERM");
    await daemon.ended;
    expect((await node1.run("service", "unpause", "--this-node")).exitCode).toBe(0);
    await node1.server.start();
    const next = await startOn(node1);
    await next.says(/this daemon is not paused any more/);
    expect(await isPaused(node1)).toBe(false);
  });

  it("--this-node leaves the other daemons as they are", async () => {
    await Promise.all([startOn(node1), startOn(node2)]);
    expect((await node1.run("service", "pause", "--this-node")).exitCode).toBe(0);
    expect([await isPaused(node1), await isPaused(node2)]).toEqual([true, false]);
    expect((await node1.run("service", "unpause")).exitCode).toBe(0);
  });
});
