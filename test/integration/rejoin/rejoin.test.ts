import { appendFile, chmod, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { createPrimary, newDirectory, type TestServer } from "../../harness/postgres-server.js";
import { runProgram, startProgram, writeRepmgrConf, type ProgramResult } from "../../harness/program.js";
import { createStandby } from "../../harness/standby.js";
import { waitUntil } from "../../harness/wait-until.js";

interface Node {
  readonly server: TestServer;
  readonly conf: string;
  run(...words: string[]): Promise<ProgramResult>;
}

async function makeNode(server: TestServer, id: number): Promise<Node> {
  const conf = await writeRepmgrConf(server, {
    node_id: id,
    node_name: `node${id}`,
    use_replication_slots: true,
    node_rejoin_timeout: 20,
    pg_ctl_options: `-l ${server.logFile}`,
  });
  return { server, conf, run: (...words) => runProgram(["-f", conf, ...words]) };
}

async function makePair(): Promise<readonly [Node, Node]> {
  const node1 = await makeNode(await createPrimary({ name: "node1" }), 1);
  expect((await node1.run("primary", "register")).exitCode).toBe(0);
  const node2 = await makeNode(await createStandby(node1.server, "node2"), 2);
  expect((await node2.run("standby", "register", "--wait-sync=20")).exitCode).toBe(0);
  return [node1, node2];
}

const autoConf = ({ server }: Node): string => join(server.dataDirectory, "postgresql.auto.conf");

const events = async ({ server }: Node): Promise<readonly { successful: boolean; details: string }[]> =>
  server.sql(
    "SELECT successful, details FROM repmgr.events WHERE event = 'node_rejoin' ORDER BY event_timestamp",
  );

/** A pg_rewind that waits, in the place where `--force-rewind=PATH` names one. */
async function makeSlowRewind({ binDirectory }: TestServer, before: string): Promise<string> {
  const path = join(await newDirectory("rewind"), "pg_rewind");
  await writeFile(path, `#!/bin/sh\n${before}\nexec ${binDirectory}/pg_rewind "$@"\n`);
  await chmod(path, 0o755);
  return path;
}

/** One story in the order of an operator's evening: the tests depend on each other. */
describe("node rejoin", () => {
  let node1: Node;
  let node2: Node;
  const rejoin = (node: Node, target: Node, ...words: string[]): Promise<ProgramResult> =>
    node.run("node", "rejoin", "-d", target.server.conninfo, ...words);

  beforeAll(async () => {
    [node1, node2] = await makePair();
  });

  it("refuses a running server, and a command line that names no node", async () => {
    const running = await rejoin(node1, node2);
    expect(running.exitCode).toBe(24);
    expect(running.stderr).toContain('ERROR: database is still running in state "in production"');
    expect(running.stderr).toContain('HINT: "tsrepmgr node rejoin" cannot be executed on a running node');
    expect((await node1.run("node", "rejoin")).exitCode).toBe(1);
  });

  it("refuses a node that nobody answers for, and a target that is not a primary", async () => {
    await node1.server.stop();
    const nobody = await rejoin(node1, node1);
    expect(nobody.exitCode, nobody.output).toBe(6);
    const own = await rejoin(node1, node2);
    expect(own.exitCode, own.output).toBe(1);
    expect(own.stderr).toContain("ERROR: the rejoin target is this node itself");
  });

  it("starts the old primary as a standby when it has not diverged; settings with quotes survive", async () => {
    expect((await node2.run("standby", "promote")).exitCode).toBe(0);
    await appendFile(autoConf(node1), "# mine\narchive_command = 'test ! -f ''/x/%f'' && cp %p ''/x/%f'''\n");
    const shown = await rejoin(node1, node2, "--dry-run");
    expect(shown.exitCode, shown.output).toBe(0);
    expect(shown.stderr).toContain("INFO: prerequisites for executing NODE REJOIN are met");
    expect(await node1.server.isRunning()).toBe(false);

    const result = await rejoin(node1, node2);
    expect(result.exitCode, result.output).toBe(0);
    expect(result.stderr).toContain('NOTICE: rejoin target is node "node2" (ID: 2)');
    expect(result.stderr).toContain("INFO: local node 1 can attach to rejoin target node 2");
    expect(result.stderr).toContain(
      "NOTICE: NODE REJOIN successful\nDETAIL: node 1 is now attached to node 2",
    );
    const text = await readFile(autoConf(node1), "utf8");
    expect(text).toContain("# mine\narchive_command = 'test ! -f ''/x/%f'' && cp %p ''/x/%f'''\n");
    expect(text).toContain("primary_slot_name = 'repmgr_slot_1'");
    expect(await events(node2)).toEqual([{ successful: true, details: "node 1 is now attached to node 2" }]);
  });

  it("refuses a node that diverged, and shows both histories", async () => {
    await node2.server.stop();
    expect((await node1.run("standby", "promote")).exitCode).toBe(0);
    await node1.server.sql("CREATE TABLE public.kept AS SELECT 1 AS i");
    await node2.server.start();
    await node2.server.sql("CREATE TABLE public.lost AS SELECT generate_series(1, 1000) AS i");
    await node2.server.stop();
    const result = await rejoin(node2, node1);
    expect(result.exitCode, result.output).toBe(24);
    expect(result.stderr).toContain("ERROR: this node cannot attach to rejoin target node 1");
    expect(result.stderr).toMatch(
      /history of node 1: timeline 1 up to \S+; timeline 2 up to \S+; timeline 3/,
    );
    expect(result.stderr).toContain("HINT: use --force-rewind");
  });

  it("says with --dry-run what would be discarded, and changes nothing", async () => {
    const before = await readFile(autoConf(node2), "utf8");
    const result = await rejoin(node2, node1, "--force-rewind", "--dry-run");
    expect(result.exitCode, result.output).toBe(0);
    expect(result.stderr).toContain("NOTICE: pg_rewind execution required for this node to attach");
    expect(result.stderr).toMatch(/would execute pg_rewind, discarding WAL of timeline 2 from \S+ to \S+/);
    expect(await readFile(autoConf(node2), "utf8")).toBe(before);
  });

  it("never starts a node whose rewind was killed with the program, and finishes it afterwards", async () => {
    const slow = await makeSlowRewind(node2.server, 'touch "$0.began"; sleep 30');
    const words = ["-f", node2.conf, "node", "rejoin", "-d", node1.server.conninfo];
    const files = "--config-files=postgresql.conf,pg_hba.conf,postgresql.auto.conf,nosuch.conf";
    const archive = `--config-archive-dir=${await newDirectory("archive")}`;
    const started = startProgram([...words, `--force-rewind=${slow}`, files, archive]);
    await waitUntil("the rewind began", async () => readFile(`${slow}.began`).catch(() => null));
    started.kill("SIGKILL");
    await started.result;

    const plain = await rejoin(node2, node1);
    expect(plain.exitCode, plain.output).toBe(24);
    expect(plain.stderr).toContain("ERROR: an earlier rewind did not finish");
    expect(await node2.server.isRunning()).toBe(false);

    const result = await rejoin(node2, node1, "--force-rewind");
    expect(result.exitCode, result.output).toBe(0);
    expect(result.stderr).toContain("WARNING: WAL that exists on this node only will be discarded");
    expect(result.stderr).toContain(`NOTICE: 3 files copied to ${node2.server.dataDirectory}`);
    const rows = await node2.server.sql(
      "SELECT to_regclass('public.kept') IS NOT NULL AS kept, to_regclass('public.lost') IS NULL AS gone",
    );
    expect(rows).toEqual([{ kept: true, gone: true }]);
    expect(await node2.server.sql("SELECT slot_name FROM pg_replication_slots")).toEqual([]);
    const last = (await events(node1)).at(-1);
    expect(last?.details).toMatch(
      /^node 2 is now attached to node 1; discarded by pg_rewind: WAL of timeline 2 from \S+ to \S+ /,
    );
  });

  it("does not rewind a node that did not diverge, though it may", async () => {
    await node2.server.stop();
    const result = await rejoin(node2, node1, "--force-rewind");
    expect(result.exitCode, result.output).toBe(0);
    expect(result.stderr).not.toContain("executing pg_rewind");
  });

  it("attaches a crashed standby as it is, if --force-rewind allows it; -W records the event", async () => {
    await node2.server.stop("immediate");
    const refused = await rejoin(node2, node1);
    expect(refused.exitCode, refused.output).toBe(24);
    expect(refused.stderr).toContain("ERROR: database is not shut down cleanly");
    const before = (await events(node1)).length;
    const result = await rejoin(node2, node1, "--force-rewind", "-W");
    expect(result.exitCode, result.output).toBe(0);
    expect(await events(node1)).toHaveLength(before + 1);
    await waitUntil(
      "it streams",
      async () =>
        (await node1.server.sql("SELECT FROM pg_stat_replication WHERE state = 'streaming'")).length === 1,
    );
  });

  it("lets pg_rewind recover a crashed primary, and rewinds it", async () => {
    await node1.server.stop("immediate");
    expect((await node2.run("standby", "promote")).exitCode).toBe(0);
    // Back for a moment beside its successor, and again with its history, as a fenced primary has it.
    await node1.server.start();
    await node1.server.sql("CHECKPOINT");
    await node1.server.stop("immediate");
    const histories = (await readdir(join(node2.server.dataDirectory, "pg_wal"))).filter((name) =>
      name.endsWith(".history"),
    );
    for (const name of histories) {
      const [from, to] = [node2, node1].map(({ server }) => join(server.dataDirectory, "pg_wal", name));
      await writeFile(to ?? "", await readFile(from ?? ""));
    }
    await writeFile(join(node1.server.dataDirectory, "recovery.signal"), "");
    const refused = await rejoin(node1, node2);
    expect(refused.exitCode, refused.output).toBe(24);
    const files = "--config-files=postgresql.conf,pg_hba.conf";
    const archive = `--config-archive-dir=${await newDirectory("archive")}`;
    const result = await rejoin(node1, node2, "--force-rewind", files, archive);
    expect(result.exitCode, result.output).toBe(0);
    expect(result.stderr).toContain(
      'WARNING: database is not shut down cleanly: its state is "in production"',
    );
    expect(result.stderr).toContain("NOTICE: executing pg_rewind");
  });

  it("says how to copy the target again when pg_rewind cannot find the WAL it needs", async () => {
    await node1.server.sql("SELECT pg_promote()");
    await node1.server.sql("CREATE TABLE public.astray AS SELECT generate_series(1, 1000) AS i");
    await node1.server.stop();
    const wal = join(node1.server.dataDirectory, "pg_wal");
    const segments = (await readdir(wal)).filter((name) => /^[0-9A-F]{24}$/.test(name));
    for (const name of segments) await rm(join(wal, name));
    const result = await rejoin(node1, node2, "--force-rewind");
    expect(result.exitCode, result.output).toBe(24);
    expect(result.stderr).toContain("pg_rewind: error: could not");
    expect(result.stderr).toContain("ERROR: NODE REJOIN failed");
    expect(result.stderr).toContain("the data directory was not changed");
    expect(result.stderr).toMatch(
      /HINT: copy the target again: tsrepmgr -f '.*' standby clone --force -d 'host=/,
    );
    expect((await rejoin(node1, node2)).stderr).not.toContain("an earlier rewind did not finish");
    expect((await events(node2)).at(-1)?.successful).toBe(false);
  });

  it("refuses a node of another cluster and a node that is not registered", async () => {
    const stranger = await makeNode(await createPrimary({ name: "stranger" }), 1);
    await stranger.server.stop();
    const other = await rejoin(stranger, node2);
    expect(other.exitCode, other.output).toBe(24);
    expect(other.stderr).toContain("are not part of the same replication cluster");
    const unknown = await makeNode(stranger.server, 9);
    const missing = await rejoin(unknown, node2);
    expect(missing.exitCode, missing.output).toBe(1);
    expect(missing.stderr).toContain("unable to retrieve node record for the local node (ID: 9)");
  });
});
