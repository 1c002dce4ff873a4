import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { runProgram, type ProgramResult } from "../../harness/program.js";
import { waitUntil } from "../../harness/wait-until.js";
import {
  addStandby,
  createRegisteredPrimary,
  waitUntilReplayed,
  type TestNode,
} from "../cluster/make-cluster.js";
import { startDaemon, type StartedDaemon, waitUntilShown } from "./start-daemon.js";

describe("service and daemon", () => {
  let n1: TestNode;
  let n2: TestNode;
  beforeAll(async () => {
    n1 = await createRegisteredPrimary();
    n2 = await addStandby(2, n1);
    for (const { server, configFile } of [n1, n2])
      await appendFile(configFile, `state_directory='${join(server.directory, "state")}'\n`);
  });

  const run = (node: TestNode, ...words: string[]): Promise<ProgramResult> =>
    runProgram(["-f", node.configFile, ...words]);
  const isRunning = async (node: TestNode): Promise<boolean> => {
    const [row] = await node.server.sql<{ running: boolean }>(
      "SELECT repmgr.repmgrd_is_running() AS running",
    );
    return row?.running === true;
  };
  const startOn = async (node: TestNode): Promise<StartedDaemon> => {
    const daemon = startDaemon(node.configFile);
    await waitUntilShown(daemon, node.server);
    return daemon;
  };
  const stop = async (daemon: StartedDaemon): Promise<void> => {
    daemon.signal("SIGTERM");
    expect(await daemon.ended).toEqual({ exitCode: 0, signal: null });
  };
  const isPaused = async (node: TestNode): Promise<boolean> => {
    const [row] = await node.server.sql<{ paused: boolean }>("SELECT repmgr.repmgrd_is_paused() AS paused");
    return row?.paused === true;
  };

  it("status has the reference's table and its ten CSV columns", async () => {
    const daemon = await startOn(n1);
    const text = await run(n1, "service", "status");
    expect(text.exitCode).toBe(0);
    const [titles, , first, second] = text.stdout.split("\n");
    expect(titles).toMatch(
      /^ ID \| Name \| Role +\| Status +\| Upstream \| repmgrd +\| PID +\| Paused\? \| Upstream last seen$/,
    );
    expect(first).toMatch(
      new RegExp(
        `^ 1  \\| n1   \\| primary \\| \\* running \\|          \\| running     \\| ${daemon.pid} +\\| no      \\| n/a `,
      ),
    );
    expect(second).toMatch(/ n1 {7}\| not running \| n\/a +\| n\/a +\| n\/a /);
    expect(text.stdout).toContain(
      'automatic failover is not armed\n  - "failover" is "manual" on this node\n',
    );
    const csv = await runProgram(["-f", n1.configFile, "daemon", "status", "--csv"]);
    expect(csv.stdout).toBe(
      `1,n1,primary,1,1,${daemon.pid},0,100,-1,default\n2,n2,standby,1,0,-1,-1,100,-1,default\n`,
    );
    const json = JSON.parse((await run(n1, "service", "status", "--format=json")).stdout) as object;
    expect(json).toMatchObject({
      command: "service status",
      nodes: [
        { id: 1, daemon: { running: true, pid: daemon.pid, paused: false } },
        { daemon: { running: false } },
      ],
      failover: { armed: false },
    });
    expect((await run(n1, "service", "status", "--detail", "--compact")).stdout).toContain(
      "| Location | Prio. | repmgrd     | PID",
    );
  });

  it("pause reaches every daemon, changes nothing with --dry-run, and outlives the daemon", async () => {
    const daemons = [await startOn(n1), await startOn(n2)];
    const dryRun = await run(n2, "service", "pause", "--dry-run");
    expect(dryRun).toMatchObject({ exitCode: 0, stdout: "" });
    expect(await isPaused(n1)).toBe(false);
    const paused = await run(n2, "service", "pause");
    expect(paused.exitCode).toBe(0);
    expect(paused.stderr).toContain("NOTICE: node 1 (n1) paused\nNOTICE: node 2 (n2) paused\n");
    for (const daemon of daemons) await stop(daemon);
    await startOn(n2);
    await waitUntil("n2 says so again", () => isPaused(n2));
    const check = await run(n2, "node", "check", "--repmgrd");
    expect(check).toMatchObject({ exitCode: 1 });
    expect(check.stdout).toContain("repmgrd running but paused");
    await startOn(n1);
    expect((await run(n1, "daemon", "unpause")).exitCode).toBe(0);
    expect([await isPaused(n1), await isPaused(n2)]).toEqual([false, false]);
  });

  it("pause is found by a daemon that starts later, here and on another node", async () => {
    expect((await run(n1, "service", "pause")).exitCode).toBe(0);
    await waitUntilReplayed(n1, n2);
    await Promise.all([startOn(n1), startOn(n2)]);
    await waitUntil("both are paused", async () => (await isPaused(n1)) && isPaused(n2));
    expect((await run(n1, "service", "unpause")).exitCode).toBe(0);
  });

  it("pause works while there is no primary", async () => {
    await startOn(n2);
    await n1.server.stop("immediate");
    onTestFinished(() => n1.server.start());
    const paused = await run(n2, "service", "pause");
    expect(paused.exitCode).toBe(26);
    expect(paused.stderr).toContain('WARNING: unable to pause node "n1" (ID: 1)');
    expect(paused.stderr).toContain("NOTICE: node 2 (n2) paused");
    expect(await isPaused(n2)).toBe(true);
    expect((await run(n2, "service", "unpause")).exitCode).toBe(26);
  });

  it("start and stop run the configured commands, and wait for what they do", async () => {
    const missing = await run(n1, "daemon", "start");
    expect(missing).toMatchObject({ exitCode: 1 });
    const pidFile = join(n1.server.directory, "d.pid");
    const bin = join(import.meta.dirname, "../../../bin/tsrepmgrd.js");
    await appendFile(
      n1.configFile,
      `log_file='${pidFile}.log'\n` +
        `repmgrd_service_start_command='${process.execPath} ${bin} -f ${n1.configFile} -d -p ${pidFile}'\n` +
        `repmgrd_service_stop_command='kill $(cat ${pidFile})'\n`,
    );
    expect(await run(n1, "daemon", "start", "--dry-run")).toMatchObject({ exitCode: 0 });
    expect(await isRunning(n1)).toBe(false);
    expect((await run(n1, "daemon", "start")).stderr).toContain("NOTICE: repmgrd was successfully started");
    expect(await run(n1, "daemon", "start")).toMatchObject({ exitCode: 27 });
    const stopped = await run(n1, "daemon", "stop");
    expect(stopped.stderr).toContain("NOTICE: repmgrd was successfully stopped");
    expect(stopped.exitCode).toBe(0);
    expect(await run(n1, "daemon", "stop")).toMatchObject({ exitCode: 27 });
  });
});
