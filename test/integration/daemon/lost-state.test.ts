import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runProgram } from "../../harness/program.js";
import { waitUntil } from "../../harness/wait-until.js";
import { waitUntilReplayed, type TestNode } from "../cluster/make-cluster.js";
import { createFailoverCluster, isPrimary, startDaemonOn, waitUntilArmed } from "./make-failover-cluster.js";
import { startDaemon, type StartedDaemon } from "./start-daemon.js";

/** As make-failover-cluster sets `vote_hold`. */
const HOLD_MS = 6500;

const stateDirectoryOf = ({ server }: TestNode): string => join(server.directory, "state");

const statusOf = async ({ configFile }: TestNode): Promise<string> =>
  (await runProgram(["-f", configFile, "service", "status"])).stdout;

/** Three nodes of which `n2` is the better candidate, with daemons that may vote. */
async function createArmedCluster(): Promise<{
  readonly nodes: readonly [TestNode, TestNode, TestNode];
  readonly daemons: Map<TestNode, StartedDaemon>;
  readonly logs: () => string;
}> {
  const [n1, n2, n3] = await createFailoverCluster(3);
  if (n1 === undefined || n2 === undefined || n3 === undefined) throw new Error("three nodes are needed");
  await n1.server.sql("UPDATE repmgr.nodes SET priority = 50 WHERE node_id = 3");
  for (const node of [n2, n3]) await waitUntilReplayed(n1, node);
  const daemons = new Map<TestNode, StartedDaemon>();
  for (const node of [n1, n2, n3]) daemons.set(node, await startDaemonOn(node));
  for (const node of [n2, n3]) await waitUntilArmed(node);
  const logs = (): string =>
    [...daemons].map(([{ server }, daemon]) => `--- ${server.name}:\n${daemon.log()}`).join("\n");
  return { nodes: [n1, n2, n3], daemons, logs };
}

interface StateFile {
  readonly votedTerm: number;
  readonly votedFor: number | null;
}

/** Null while it is not there. */
async function readStateFile(node: TestNode): Promise<StateFile | null> {
  const directory = stateDirectoryOf(node);
  const names = await readdir(directory).catch(() => []);
  const name = names.find((one) => /^node-\d+-\d+\.json$/.test(one));
  if (name === undefined) return null;
  return JSON.parse(await readFile(join(directory, name), "utf8")) as StateFile;
}

describe("a voter whose state directory is lost", () => {
  it.each([
    { title: "one of two voters", lost: ["n3"], starts: 1 },
    { title: "both voters", lost: ["n2", "n3"], starts: 1 },
    // The first start begins a new file, which knows of no vote either.
    { title: "a voter that is restarted twice", lost: ["n3"], starts: 2 },
  ])(
    "is not armed and lets nobody be elected within vote_hold of its start: $title",
    { timeout: 120_000 },
    async ({ lost, starts }) => {
      const { nodes, daemons, logs } = await createArmedCluster();
      const [n1, n2, n3] = nodes;
      const losers = nodes.filter(({ server }) => lost.includes(server.name));
      const kill = async (node: TestNode): Promise<void> => {
        daemons.get(node)?.signal("SIGKILL");
        await daemons.get(node)?.ended;
      };
      for (const node of losers) {
        await kill(node);
        await rm(stateDirectoryOf(node), { recursive: true });
      }
      await kill(n1);
      await n1.server.stop("immediate");
      let startedAt = 0;
      for (let count = 0; count < starts; count += 1) {
        for (const node of losers) await kill(node);
        startedAt = performance.now();
        for (const node of losers) daemons.set(node, startDaemon(node.configFile));
        for (const node of losers)
          await waitUntil("its state file is there", async () => (await readStateFile(node)) !== null);
      }
      await waitUntil(
        "its daemon is there",
        async () => !(await statusOf(n2)).includes('daemon missing on "n3"'),
      );
      const status = await statusOf(n2);
      expect(status).toContain("automatic failover is not armed\n");
      expect(status).toMatch(
        /votes are on hold for \d more seconds after a start or a vote: .*"n3" \(ID: 3\)/,
      );
      await waitUntil(
        "n2 or n3 is promoted",
        async () => (await isPrimary(n2)) || (await isPrimary(n3)),
      ).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${logs()}`);
      });
      expect(performance.now() - startedAt, logs()).toBeGreaterThan(HOLD_MS);
    },
  );

  it("writes again what it knows while it runs, and where it cannot, is not armed and gives no vote", async () => {
    const { nodes, daemons, logs } = await createArmedCluster();
    const [n1, n2, n3] = nodes;
    // It votes, but never stands itself.
    await n1.server.sql("UPDATE repmgr.nodes SET priority = 0 WHERE node_id = 3");
    const says = async (what: string, probe: () => Promise<boolean>): Promise<void> => {
      await waitUntil(what, probe).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${logs()}`);
      });
    };
    const directory = stateDirectoryOf(n3);
    await says("failover is armed", async () =>
      (await statusOf(n1)).includes("automatic failover is armed\n"),
    );

    // Nothing can be written where a file stands in the place of the directory.
    await rm(directory, { recursive: true });
    await writeFile(directory, "");
    await says("it is not armed", async () =>
      (await statusOf(n1)).includes(
        'no state directory that can be written, so that votes are forgotten or not given: "n3" (ID: 3)',
      ),
    );
    expect(await statusOf(n1)).toContain("automatic failover is not armed\n");
    await daemons.get(n3)?.says(/\[ERROR\] state file ".*" was lost and cannot be written again/);
    daemons.get(n1)?.signal("SIGKILL");
    n1.server.signal("SIGKILL");
    await daemons.get(n3)?.says(/the state file cannot be written, so nothing is promised/);
    await n2.server.sql("SELECT pg_sleep(4)");
    expect(await isPrimary(n2), logs()).toBe(false);
    expect(await isPrimary(n3), logs()).toBe(false);

    await rm(directory);
    await says("n2 is promoted", () => isPrimary(n2));
    const voted = await readStateFile(n3);
    expect(voted?.votedFor).toBe(2);

    await rm(directory, { recursive: true });
    await says("the state file is there again", async () => (await readStateFile(n3)) !== null);
    expect(await readStateFile(n3)).toEqual(voted);
    await daemons.get(n3)?.says(/state file ".*" was missing or not as it was left: written again/);
    await says("what node guard needs is there again", async () =>
      (await readdir(directory)).some((name) => name.endsWith(".cluster.json")),
    );
  }, 120_000);
});
