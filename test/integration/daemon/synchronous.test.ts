import { spawn } from "node:child_process";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { parseLsn, type Lsn } from "../../../src/model/lsn.js";
import { BLOCKED_NAMES } from "../../../src/model/sync-state.js";
import { ordinaryUser } from "../../harness/ordinary-user.js";
import { runProgram } from "../../harness/program.js";
import { signalServer } from "../../harness/signals.js";
import { newDirectory, testEnvironment } from "../../harness/test-run.js";
import { waitUntil } from "../../harness/wait-until.js";
import { waitUntilAttached, waitUntilReplayed, type TestNode } from "../cluster/make-cluster.js";
import { startWriters, type Writers } from "./acknowledged-writes.js";
import { makeCluster } from "../switchover/make-cluster.js";
import {
  createFailoverCluster,
  isPrimary,
  letFailOver,
  startDaemonOn,
  waitUntilArmed,
} from "./make-failover-cluster.js";
import type { StartedDaemon } from "./start-daemon.js";

const namesOn = async ({ server }: TestNode): Promise<string> => {
  const rows = await server
    .sql<{ names: string }>("SELECT current_setting('synchronous_standby_names') AS names")
    .catch(() => []);
  return rows[0]?.names ?? "(no answer)";
};

const stateOn = async ({ server }: TestNode): Promise<string> => {
  const rows = await server
    .sql<{ value: string }>("SELECT value FROM repmgr.settings WHERE name = 'sync_state'")
    .catch(() => []);
  return rows[0]?.value ?? "(none)";
};

async function waitForNames(node: TestNode, names: string, daemons: readonly StartedDaemon[]): Promise<void> {
  await waitUntil(
    `the names on ${node.server.name} are ${names}`,
    async () => (await namesOn(node)) === names,
    30_000,
  ).catch(async (error: unknown) => {
    const logs = daemons.map((daemon) => daemon.log()).join("\n-----\n");
    throw new Error(`${String(error)}: ${await namesOn(node)}; ${await stateOn(node)}\n${logs}`);
  });
}

type Overrides = Readonly<Record<string, string>>;

async function synchronise(
  nodes: readonly TestNode[],
  overrides: Overrides = {},
): Promise<readonly StartedDaemon[]> {
  const daemons: StartedDaemon[] = [];
  for (const node of nodes) {
    const { port, directory, logFile } = node.server;
    // A rewind brings the other node's postgresql.conf, with its port.
    const pg_ctl_options = `-l ${logFile} -o "-p ${port} -k ${directory}"`;
    await letFailOver(node, { sync_mode: "quorum", auto_rejoin: "true", pg_ctl_options, ...overrides });
    daemons.push(await startDaemonOn(node));
  }
  return daemons;
}

/** Takes the name of a standby and says that it has flushed everything. */
async function startStranger({ server }: TestNode, name: string): Promise<{ end(): void }> {
  const directory = await newDirectory("stranger");
  const user = ordinaryUser();
  const child = spawn(
    join(server.binDirectory, "pg_receivewal"),
    ["-D", directory, "--synchronous", "-d", `${server.conninfo} application_name=${name}`],
    { env: testEnvironment(), stdio: "ignore", ...(user ?? {}) },
  );
  const end = (): void => {
    child.kill("SIGKILL");
  };
  onTestFinished(end);
  return { end };
}

async function waitUntilFinal(
  node: TestNode,
  members: string,
  daemons: readonly StartedDaemon[],
): Promise<void> {
  const pattern = new RegExp(`^version=\\d+ members=${members} q=\\d$`);
  await waitUntil(`the set is ${members}`, async () => pattern.test(await stateOn(node)), 40_000).catch(
    async (error: unknown) => {
      const logs = daemons.map((daemon) => daemon.log()).join("\n-----\n");
      throw new Error(`${String(error)}: ${await namesOn(node)}; ${await stateOn(node)}\n${logs}`);
    },
  );
}

async function waitForPrimary(
  nodes: readonly TestNode[],
  writers: Writers,
  daemons: readonly StartedDaemon[],
): Promise<TestNode> {
  const counts = new Map(nodes.map((node) => [node, writers.countOn(node)]));
  return waitUntil(
    "a new primary acknowledges",
    () => Promise.resolve(nodes.find((node) => writers.countOn(node) > (counts.get(node) ?? 0) + 20)),
    40_000,
  ).catch(async (error: unknown) => {
    const states = await Promise.all(
      nodes.map(async (node) => `${await namesOn(node)}; ${await stateOn(node)}`),
    );
    const logs = daemons.map((daemon) => daemon.log()).join("\n-----\n");
    throw new Error(`${String(error)}\n${states.join("\n")}\n${logs}`);
  });
}

/** Three nodes, their set final, all of them able to vote, and clients that write. */
async function createWrittenCluster(overrides: Overrides = {}) {
  const nodes = await createFailoverCluster(3);
  const daemons = await synchronise(nodes, overrides);
  const [n1, n2, n3] = nodes;
  if (n1 === undefined || n2 === undefined || n3 === undefined) throw new Error("three nodes are needed");
  await waitUntilFinal(n1, "1,2,3", daemons);
  for (const node of nodes) await waitUntilArmed(node);
  const writers = await startWriters(n1, nodes);
  await waitUntil("rows are acknowledged", () => Promise.resolve(writers.countOn(n1) > 20));
  return { n1, n2, n3, nodes, daemons, writers };
}

/** Of a server whose primary is down: it receives no more. */
async function receivedLsn({ server }: TestNode): Promise<Lsn> {
  const [row] = await server.sql<{ lsn: string }>("SELECT pg_last_wal_receive_lsn()::text AS lsn");
  return parseLsn(row?.lsn ?? "");
}

const run = ({ configFile }: TestNode, ...args: string[]) => runProgram(["-f", configFile, ...args]);

describe("synchronous mode", () => {
  it("counts every registered standby, and loses no acknowledged row when the primary is killed", async () => {
    const { n1, n2, n3, daemons, writers } = await createWrittenCluster();
    expect(await namesOn(n1)).toBe('ANY 1 ("n2","n3")');
    for (const standby of [n2, n3]) expect(await namesOn(standby)).toBe(BLOCKED_NAMES);
    const status = await run(n3, "service", "status");
    expect(status.stdout).toContain('synchronous mode is quorum: each commit waits for 1 of "n2", "n3"\n');
    n1.server.signal("SIGKILL");
    const winner = await waitForPrimary([n2, n3], writers, daemons);
    const follower = winner === n2 ? n3 : n2;
    expect(await namesOn(winner)).toBe(`ANY 1 ("n1","${follower.server.name}")`);
    // Its daemon may stop it again before pg_ctl has seen it up.
    await n1.server.start().catch(() => undefined);
    await waitUntilAttached(winner, "n1").catch((error: unknown) => {
      throw new Error(`${String(error)}\n${daemons.map((daemon) => daemon.log()).join("\n-----\n")}`);
    });
    await writers.stop();
    expect(await writers.missingOn(winner)).toEqual([]);
    expect(writers.overlaps(200)).toEqual([]);
  });

  it("acknowledges nothing on a frozen primary that goes on after its failover", async () => {
    const { n1, n2, n3, daemons, writers } = await createWrittenCluster();
    await signalServer(n1.server, "SIGSTOP");
    daemons[0]?.signal("SIGSTOP");
    const winner = await waitForPrimary([n2, n3], writers, daemons);
    const before = writers.countOn(n1);
    daemons[0]?.signal("SIGCONT");
    await signalServer(n1.server, "SIGCONT");
    await waitUntilAttached(winner, "n1").catch((error: unknown) => {
      throw new Error(`${String(error)}\n${daemons.map((daemon) => daemon.log()).join("\n-----\n")}`);
    });
    await writers.stop();
    expect(writers.countOn(n1)).toBe(before);
    expect(await writers.missingOn(winner)).toEqual([]);
    expect(writers.overlaps(200)).toEqual([]);
  });

  it("comes back by votes when the primary is restarted, and acknowledges again then", async () => {
    const { n1, nodes, daemons, writers } = await createWrittenCluster();
    await n1.server.stop("immediate");
    // Its daemon may stop it again before pg_ctl has seen it up.
    await n1.server.start().catch(() => undefined);
    const winner = await waitForPrimary(nodes, writers, daemons);
    await writers.stop();
    expect(await writers.missingOn(winner)).toEqual([]);
    expect(writers.overlaps(200)).toEqual([]);
  });

  it("is promoted by hand only where every acknowledged row is", async () => {
    const { n1, n2, n3, daemons, writers } = await createWrittenCluster({ failover: "manual" });
    await n1.server.stop("immediate");
    const first = await run(n2, "standby", "promote");
    const winner = first.exitCode === 0 ? n2 : n3;
    if (winner === n3) {
      expect(first.output).toContain("this standby does not have every acknowledged row");
      const second = await run(n3, "standby", "promote");
      expect(second.exitCode, second.output).toBe(0);
    }
    const before = writers.countOn(winner);
    const followed = await run(winner === n2 ? n3 : n2, "standby", "follow");
    expect(followed.exitCode, followed.output).toBe(0);
    expect(before).toBe(0);
    await waitForPrimary([winner], writers, daemons);
    await writers.stop();
    expect(await writers.missingOn(winner)).toEqual([]);
    const follower = daemons[winner === n2 ? 2 : 1];
    await waitUntil("the follower's daemon watches its new upstream", async () =>
      (follower?.log() ?? "").includes(`monitoring connection to upstream node "${winner.server.name}"`),
    );
  });

  it("streams from its primary again when another one was not promoted by hand", async () => {
    const { n1, n2, n3, daemons, writers } = await createWrittenCluster({
      failover: "manual",
      follow_command: "",
    });
    await n1.server.stop("immediate");
    const candidate = (await receivedLsn(n3)) > (await receivedLsn(n2)) ? n3 : n2;
    await appendFile(candidate.configFile, "service_promote_command='/bin/false'\n");
    const failed = await run(candidate, "standby", "promote");
    expect(failed.exitCode, failed.output).toBe(8);
    expect(failed.output).toContain("unable to promote server");
    expect(daemons[candidate === n2 ? 2 : 1]?.log()).toContain("detaching the WAL receiver");
    await n1.server.start();
    const promoted = await run(n1, "standby", "promote");
    expect(promoted.exitCode, promoted.output).toBe(0);
    for (const name of ["n2", "n3"]) {
      await waitUntilAttached(n1, name).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${daemons.map((daemon) => daemon.log()).join("\n-----\n")}`);
      });
    }
    await waitForPrimary([n1], writers, daemons);
    await writers.stop();
    expect(await writers.missingOn(n1)).toEqual([]);
  });

  it("is not promoted by hand when nobody can say where every acknowledged row is", async () => {
    const { n1, n2, daemons, writers } = await createWrittenCluster({ failover: "manual" });
    await writers.stop();
    await waitUntilReplayed(n1, n2);
    daemons[2]?.signal("SIGKILL");
    await n1.server.stop("immediate");
    const refused = await run(n2, "standby", "promote");
    expect(refused.exitCode).toBe(8);
    expect(refused.output).toContain("it is unknown whether this standby has every acknowledged row");
    expect(refused.output).toContain('not detached for this promotion: "n1", "n3"');
    expect(await isPrimary(n2)).toBe(false);
  });

  it("goes with a switchover", async () => {
    const cluster = await makeCluster(3);
    const nodes = cluster.nodes.map(({ id, server, conf }) => ({ id, server, configFile: conf }));
    const daemons = await synchronise(nodes);
    const [n1, n2, n3] = nodes;
    if (n1 === undefined || n2 === undefined || n3 === undefined) throw new Error("three nodes are needed");
    await waitUntilFinal(n1, "1,2,3", daemons);
    const writers = await startWriters(n1, nodes);
    await waitUntil("rows are acknowledged", () => Promise.resolve(writers.countOn(n1) > 20));
    const exchanged = await run(n2, "standby", "switchover", "--siblings-follow");
    expect(exchanged.exitCode, exchanged.output).toBe(0);
    await waitForPrimary([n2], writers, daemons);
    await writers.stop();
    expect(await namesOn(n2)).toBe('ANY 1 ("node1","node3")');
    expect(await writers.missingOn(n2)).toEqual([]);
    expect(writers.overlaps(200)).toEqual([]);
  });

  it("takes in and lets go of a standby under load, and does not count a stranger with its name", async () => {
    const { n1, n3, daemons, writers } = await createWrittenCluster();
    const removed = await run(n1, "standby", "unregister", "--node-id=3");
    expect(removed.exitCode, removed.output).toBe(0);
    expect(await namesOn(n1)).toBe('ANY 1 ("n2")');
    expect(await stateOn(n1)).toMatch(/ members=1,2 q=1$/);
    // The commands do it as well while no daemon of the primary does.
    daemons[0]?.signal("SIGSTOP");
    const added = await run(n3, "standby", "register");
    expect(added.exitCode, added.output).toBe(0);
    expect(await namesOn(n1)).toBe('ANY 1 ("n2","n3")');
    expect(await stateOn(n1)).toMatch(/ members=1,2,3 q=1$/);
    daemons[0]?.signal("SIGCONT");
    const stranger = await startStranger(n1, "n2");
    await waitForNames(n1, 'ANY 1 ("n3")', daemons);
    expect((await run(n1, "service", "status")).stdout).toContain(
      'synchronous mode is quorum, but not in order\n  - 2 WAL senders use the name "n2"\n',
    );
    stranger.end();
    await waitForNames(n1, 'ANY 1 ("n2","n3")', daemons);
    await writers.stop();
    expect(await writers.missingOn(n1)).toEqual([]);
  });

  it("is left without a trace when it is switched off", async () => {
    const nodes = await createFailoverCluster(2);
    const daemons = await synchronise(nodes);
    const [n1, n2] = nodes;
    if (n1 === undefined || n2 === undefined) throw new Error("two nodes are needed");
    await waitUntilFinal(n1, "1,2", daemons);
    for (const [index, node] of nodes.entries()) {
      await appendFile(node.configFile, "sync_mode='off'\n");
      daemons[index]?.signal("SIGHUP");
    }
    for (const node of nodes) await waitForNames(node, "", daemons);
    expect(await stateOn(n1)).toBe("(none)");
  });
});
