import { existsSync } from "node:fs";
import { appendFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { runProgram, type ProgramResult } from "../../harness/program.js";
import { waitUntil } from "../../harness/wait-until.js";
import {
  addStandby,
  createRegisteredPrimary,
  waitUntilAttached,
  waitUntilReplayed,
  type TestNode,
} from "../cluster/make-cluster.js";
import { startDaemon } from "../daemon/start-daemon.js";

const stateDirectoryOf = ({ server }: TestNode): string => join(server.directory, "state");
const run = (node: TestNode, ...words: string[]): Promise<ProgramResult> =>
  runProgram(["-f", node.configFile, ...words]);
async function succeed(node: TestNode, ...words: string[]): Promise<void> {
  const result = await run(node, ...words);
  expect(result.exitCode, result.output).toBe(0);
}
const guard = (node: TestNode, ...words: string[]): Promise<ProgramResult> =>
  run(node, "node", "guard", ...words);
const signalOf = ({ server }: TestNode): string => join(server.dataDirectory, "standby.signal");
const inRecovery = async ({ server }: TestNode): Promise<unknown> =>
  (await server.sql<{ r: boolean }>("SELECT pg_is_in_recovery() AS r"))[0]?.r;

/** That of a daemon, which has something to remember: without one, a new file would hide that votes were forgotten. */
async function makeMemory(node: TestNode): Promise<void> {
  await succeed(node, "service", "pause");
  const daemon = startDaemon(node.configFile);
  await daemon.says(/this daemon is paused/);
  daemon.signal("SIGTERM");
  await daemon.ended;
}

/** Three nodes of which each has written down the others. */
async function makeCluster(): Promise<readonly [TestNode, TestNode, TestNode]> {
  const n1 = await createRegisteredPrimary();
  const nodes = [n1, await addStandby(2, n1), await addStandby(3, n1)] as const;
  for (const node of nodes)
    await appendFile(node.configFile, `state_directory='${stateDirectoryOf(node)}'\n`);
  await run(n1, "primary", "register", "--force");
  for (const node of nodes.slice(1)) await run(node, "standby", "register", "--force");
  await n1.server.sql("CREATE TABLE public.kept AS SELECT generate_series(1, 100) AS i");
  for (const node of nodes.slice(1)) await waitUntilReplayed(n1, node);
  return nodes;
}

/** One story: each test leaves the nodes for the next. */
describe("node guard", () => {
  let n1: TestNode;
  let n2: TestNode;
  let n3: TestNode;
  beforeAll(async () => {
    [n1, n2, n3] = await makeCluster();
  });

  it("changes nothing while the server runs, and needs a data directory", async () => {
    const running = await guard(n1, "--as-standby");
    expect(running.exitCode, running.output).toBe(0);
    expect(running.stderr).toContain("the server of this node is running already");
    expect(existsSync(signalOf(n1))).toBe(false);
    const missing = await guard({ ...n3, configFile: await confWithout(n3) });
    expect(missing.exitCode, missing.output).toBe(1);
  });

  it("lets a standby and a primary without a successor start, at once", async () => {
    await n3.server.stop();
    expect((await guard(n3)).exitCode).toBe(0);
    await n1.server.stop();
    const startedAt = performance.now();
    const result = await guard(n1, "--format=json");
    expect(result.exitCode, result.output).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(3000);
    expect(JSON.parse(result.stdout)).toMatchObject({
      command: "node guard",
      decision: "start",
      reason: "majority",
      successor: null,
      nodes: [{ id: 2, answered: true, in_recovery: true, term: 1, timeline: 1 }, { id: 3 }],
      exit_code: 0,
    });
  });

  it("lets a primary that nobody answers start with a warning, but not with --strict, in the time given", async () => {
    await n2.server.stop();
    for (const words of [[], ["--strict"]]) {
      const startedAt = performance.now();
      const result = await guard(n1, "--wait=2", ...words);
      const took = performance.now() - startedAt;
      expect(took).toBeGreaterThan(2000);
      expect(took).toBeLessThan(3500);
      expect(result.exitCode, result.output).toBe(words.length === 0 ? 0 : 24);
      expect(result.stderr).toContain("nobody can say whether this node was superseded");
    }
    expect(existsSync(signalOf(n1))).toBe(false);
  });

  it("refuses a primary with a successor, and tells its name, term and timeline", async () => {
    for (const { server } of [n1, n2, n3]) await server.start();
    for (const name of ["n2", "n3"]) await waitUntilAttached(n1, name);
    await makeMemory(n1);
    for (const node of [n2, n3]) await waitUntilReplayed(n1, node);
    n1.server.signal("SIGKILL");
    await waitUntil("n1 is down", async () => !(await n1.server.isRunning()));
    await succeed(n2, "standby", "promote");
    await succeed(n3, "standby", "follow");
    await waitUntilReplayed(n2, n3);
    const result = await guard(n1);
    expect(result.exitCode, result.output).toBe(24);
    expect(result.stderr).toContain(
      'ERROR: this node was superseded: node "n2" (ID: 2) is the primary of term 2, on timeline 2',
    );
    expect(result.stderr).toMatch(
      /HINT: to make it a standby: tsrepmgr -f '.*' node rejoin --force-rewind -d 'host=/,
    );
    expect(existsSync(signalOf(n1))).toBe(false);
  });

  it("asks the node that is named when it knows of nobody, as before any other was registered", async () => {
    const [kept = ""] = (await readdir(stateDirectoryOf(n1))).filter((name) =>
      name.endsWith(".cluster.json"),
    );
    const path = join(stateDirectoryOf(n1), kept);
    const text = await readFile(path, "utf8");
    const cluster = JSON.parse(text) as { readonly records: readonly object[] };
    await writeFile(path, JSON.stringify({ ...cluster, records: cluster.records.slice(0, 1) }));
    expect((await guard(n1)).exitCode).toBe(0);
    const result = await guard(n1, "-d", n3.server.conninfo);
    expect(result.exitCode, result.output).toBe(24);
    expect(result.stderr).toContain('node "n2" (ID: 2) is the primary of term 2, on timeline 2');
    await writeFile(path, text);
  });

  it("believes the log of a standby when the successor is down", async () => {
    await n2.server.stop();
    const result = await guard(n1, "--wait=5");
    expect(result.exitCode, result.output).toBe(24);
    expect(result.stderr).toContain('node "n2" (ID: 2) is the primary of term 2, on timeline 2');
    await n2.server.start();
  });

  it("makes it a standby of its successor with --as-standby, and remembers that it was the primary", async () => {
    const dry = await guard(n1, "--as-standby", "--dry-run");
    expect(dry.exitCode, dry.output).toBe(0);
    expect(dry.stderr).toContain("would make this node a standby, streaming from its successor");
    expect(existsSync(signalOf(n1))).toBe(false);
    const result = await guard(n1, "--as-standby");
    expect(result.exitCode, result.output).toBe(0);
    const files = await readdir(stateDirectoryOf(n1));
    const memory = files.find((name) => /^node-1-\d+\.json$/.test(name)) ?? "";
    expect(JSON.parse(await readFile(join(stateDirectoryOf(n1), memory), "utf8"))).toMatchObject({
      wasPrimary: { timeline: 1, term: 1, reason: "superseded" },
    });
    await n1.server.start();
    await waitUntilAttached(n2, "n1");
    await waitUntilReplayed(n2, n1);
    expect(await inRecovery(n1)).toBe(true);
    const sum = "SELECT md5(string_agg(i::text, ',' ORDER BY i)) FROM public.kept";
    expect(await n1.server.sql(sum)).toEqual(await n2.server.sql(sum));
  });

  it("lets one that has diverged come up read-only, streaming from nobody", async () => {
    await waitUntilReplayed(n2, n3);
    n2.server.signal("SIGKILL");
    await waitUntil("n2 is down", async () => !(await n2.server.isRunning()));
    await succeed(n3, "standby", "promote");
    await n2.server.start();
    await n2.server.sql("CREATE TABLE public.lost AS SELECT 1 AS i");
    await n2.server.stop();
    const result = await guard(n2, "--as-standby");
    expect(result.exitCode, result.output).toBe(0);
    expect(result.stderr).toContain("made this node a standby, streaming from nobody");
    await n2.server.start();
    expect(await inRecovery(n2)).toBe(true);
    expect(await n2.server.sql("SHOW primary_conninfo")).toEqual([{ primary_conninfo: "" }]);
  });
});

async function confWithout(node: TestNode): Promise<string> {
  const path = `${node.configFile}.missing`;
  const text = await readFile(node.configFile, "utf8");
  await appendFile(path, text.replace(/^data_directory=.*$/m, "data_directory='/nonexistent'"));
  return path;
}
