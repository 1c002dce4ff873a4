import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPrimary, type TestServer } from "../../harness/postgres-server.js";
import { runProgram, startProgram, writeRepmgrConf, type ProgramResult } from "../../harness/program.js";
import { createStandby } from "../../harness/standby.js";
import { signalIfThere } from "../../harness/signals.js";
import { waitUntil } from "../../harness/wait-until.js";

interface Node {
  readonly server: TestServer;
  readonly conf: string;
  run(...words: string[]): Promise<ProgramResult>;
}

async function makeNode(
  server: TestServer,
  id: number,
  settings: Partial<Parameters<typeof writeRepmgrConf>[1]> = {},
): Promise<Node> {
  const conf = await writeRepmgrConf(server, {
    use_replication_slots: true,
    standby_follow_timeout: 20,
    ...settings,
    node_id: id,
    node_name: `node${id}`,
  });
  return { server, conf, run: (...words) => runProgram(["-f", conf, ...words]) };
}

const slotsOf = async ({ server }: Node): Promise<unknown> =>
  (await server.sql<{ slot_name: string }>("SELECT slot_name FROM pg_replication_slots ORDER BY 1")).map(
    ({ slot_name }) => slot_name,
  );

const upstreamOf = async (node: Node, id: number): Promise<unknown> =>
  (await node.server.sql("SELECT upstream_node_id AS id FROM repmgr.nodes WHERE node_id = $1", [id]))[0]?.[
    "id"
  ];

/** One story in the order of an operator's evening: the tests depend on each other. */
describe("standby follow in a cascade of four", () => {
  let node1: Node;
  let node2: Node;
  let node3: Node;
  let node4: Node;

  beforeAll(async () => {
    node1 = await makeNode(await createPrimary({ name: "node1" }), 1);
    await node1.run("primary", "register");
    node2 = await makeNode(await createStandby(node1.server, "node2"), 2);
    node3 = await makeNode(await createStandby(node1.server, "node3"), 3);
    node4 = await makeNode(await createStandby(node1.server, "node4"), 4);
    for (const node of [node2, node3, node4]) {
      expect((await node.run("standby", "register", "--wait-sync=20")).exitCode).toBe(0);
    }
  });

  it("refuses itself, an unknown node and a primary", async () => {
    const self = await node3.run("standby", "follow", "--upstream-node-id=3");
    expect(self.exitCode).toBe(23);
    expect(self.stderr).toContain("ERROR: provided --upstream-node-id 3 is the current node");
    expect((await node3.run("standby", "follow", "--upstream-node-id=9")).exitCode).toBe(23);
    expect((await node1.run("standby", "follow")).exitCode).toBe(1);
  });

  it("refuses a node that is not registered", async () => {
    await node1.server.sql("CREATE TABLE public.kept AS SELECT * FROM repmgr.nodes WHERE node_id = 4");
    await node1.server.sql("DELETE FROM repmgr.nodes WHERE node_id = 4");
    const result = await node4.run("standby", "follow");
    await node1.server.sql("INSERT INTO repmgr.nodes SELECT * FROM public.kept");
    expect(result.exitCode, result.output).toBe(1);
    expect(result.stderr).toContain("ERROR: no record found for this node (ID: 4) on the primary");
  });

  it("shows its steps with --dry-run and changes nothing", async () => {
    const before = await readFile(join(node3.server.dataDirectory, "postgresql.auto.conf"), "utf8");
    const result = await node3.run("standby", "follow", "--upstream-node-id=2", "--dry-run");
    expect(result.exitCode, result.output).toBe(0);
    expect(result.stderr).toContain("INFO: timelines are same, this server is not ahead");
    expect(result.stderr).toContain(
      'INFO: would create replication slot "repmgr_slot_3" on node "node2" (ID: 2)',
    );
    expect(await readFile(join(node3.server.dataDirectory, "postgresql.auto.conf"), "utf8")).toBe(before);
    expect(await slotsOf(node2)).toEqual([]);
  });

  it("follows a standby through a slot of its own", async () => {
    const result = await node3.run("standby", "follow", "--upstream-node-id=2");
    expect(result.exitCode, result.output).toBe(0);
    expect(result.stderr).toContain(
      'NOTICE: STANDBY FOLLOW successful\nDETAIL: standby attached to upstream node "node2" (ID: 2)',
    );
    expect(await slotsOf(node2)).toEqual(["repmgr_slot_3"]);
    expect(await upstreamOf(node1, 3)).toBe(2);
  });

  it("exits 0 at once when it follows that node already", async () => {
    const result = await node3.run("standby", "follow", "--upstream-node-id=2");
    expect(result.exitCode, result.output).toBe(0);
    expect(result.stderr).toContain("NOTICE: this node follows that upstream already");
  });

  it("returns to the primary when the node in the middle is stopped, and every node knows within 2 s", async () => {
    await node2.server.stop();
    const result = await node3.run("standby", "follow");
    expect(result.exitCode, result.output).toBe(0);
    expect(result.stderr).toContain(
      "WARNING: unable to connect to old upstream node 2 to remove replication slot",
    );
    for (const node of [node1, node3, node4]) {
      await waitUntil("the record is there", async () => (await upstreamOf(node, 3)) === 1, 2000);
    }
    await node2.server.start();
    await makeNode(node3.server, 3, { standby_follow_restart: true });
    const back = await node3.run("standby", "follow", "--upstream-node-id=2");
    expect(back.exitCode, back.output).toBe(0);
    expect(back.stderr).toMatch(/^NOTICE: stopping server using ".*pg_ctl .*stop"$/m);
    expect(back.stderr).toMatch(/^NOTICE: starting server using ".*pg_ctl .*start"$/m);
    expect(back.stderr).toContain('NOTICE: replication slot "repmgr_slot_3" deleted on node 1');
    expect(await slotsOf(node1)).toEqual([]);
  });

  it("follows a new primary on its new timeline", async () => {
    await node1.server.stop();
    expect((await node2.run("standby", "promote")).exitCode).toBe(0);
    const result = await node4.run("standby", "follow", "--wait");
    expect(result.exitCode, result.output).toBe(0);
    expect(result.stderr).toContain("INFO: local node 4 can attach to follow target node 2");
    await node2.server.sql("CREATE TABLE public.after AS SELECT 1 AS i");
    await waitUntil(
      "the row arrives",
      async () =>
        (await node4.server.sql("SELECT to_regclass('public.after') IS NOT NULL AS there"))[0]?.["there"] ===
        true,
    );
    expect(await slotsOf(node2)).toEqual(["repmgr_slot_3", "repmgr_slot_4"]);
  });

  it("refuses a standby that holds what the new primary never had", async () => {
    await node3.server.stop();
    await node1.server.start();
    const conf = await writeRepmgrConf(node1.server, { node_id: 1, node_name: "node1" });
    await node1.server.sql("CREATE TABLE public.lost AS SELECT generate_series(1, 1000) AS i");
    await node1.server.stop();
    const { writeFile } = await import("node:fs/promises");
    await writeFile(join(node1.server.dataDirectory, "standby.signal"), "");
    await node1.server.start();
    const result = await runProgram(["-f", conf, "standby", "follow"]);
    expect(result.exitCode, result.output).toBe(23);
    expect(result.stderr).toContain("ERROR: this node cannot attach to follow target node 2");
    expect(result.stderr).toContain('HINT: stop this node and execute "node rejoin --force-rewind"');
  });
});

describe("standby follow of a standby that has received less", () => {
  let primary: Node;
  let middle: Node;
  let leaf: Node;
  const receivers: number[] = [];

  const signalReceiver = (name: NodeJS.Signals): void => {
    for (const pid of receivers) signalIfThere(pid, name);
  };

  beforeAll(async () => {
    primary = await makeNode(await createPrimary({ name: "node1" }), 1);
    await primary.run("primary", "register");
    middle = await makeNode(await createStandby(primary.server, "node2"), 2);
    leaf = await makeNode(await createStandby(primary.server, "node3"), 3, { standby_follow_timeout: 3 });
    for (const node of [middle, leaf]) {
      expect((await node.run("standby", "register", "--wait-sync=20")).exitCode).toBe(0);
    }
    const running = await middle.server.sql<{ pid: number }>("SELECT pid FROM pg_stat_wal_receiver");
    expect(running).toHaveLength(1);
    receivers.push(...running.map(({ pid }) => pid));
    signalReceiver("SIGSTOP");
    await primary.server.sql("CREATE TABLE public.more AS SELECT generate_series(1, 1000) AS i");
    const [written] = await primary.server.sql<{ lsn: string }>("SELECT pg_current_wal_lsn()::text AS lsn");
    await waitUntil("the leaf has received the rows", async () => {
      const [{ reached } = {}] = await leaf.server.sql<{ reached: boolean }>(
        "SELECT pg_last_wal_receive_lsn() >= $1::pg_lsn AS reached",
        [written?.lsn],
      );
      return reached === true;
    });
  });

  afterAll(() => {
    signalReceiver("SIGCONT");
  });

  it("waits standby_follow_timeout for it and then refuses", async () => {
    const result = await leaf.run("standby", "follow", "--upstream-node-id=2");
    expect(result.exitCode, result.output).toBe(23);
    expect(result.stderr).toContain('NOTICE: waiting for follow target node "node2" (ID: 2) to catch up');
    expect(result.stderr).toContain("ERROR: this node is ahead of the follow target");
    expect(await upstreamOf(primary, 3)).toBe(1);
  });

  it("follows it as soon as it has caught up", async () => {
    await makeNode(leaf.server, 3, { standby_follow_timeout: 60 });
    const started = startProgram(["-f", leaf.conf, "standby", "follow", "--upstream-node-id=2"], {
      onStderr: (text) => {
        if (text.includes("to catch up")) signalReceiver("SIGCONT");
      },
    });
    const result = await started.result;
    expect(result.exitCode, result.output).toBe(0);
    expect(result.stderr).toContain("NOTICE: STANDBY FOLLOW successful");
    expect(await upstreamOf(primary, 3)).toBe(2);
  });
});
