import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { freePort } from "../../harness/free-port.js";
import { testPassword } from "../../harness/postgres-server.js";
import { runProgram, writeRepmgrConf, type ProgramResult } from "../../harness/program.js";
import { waitUntil } from "../../harness/wait-until.js";
import {
  addStandby,
  createRegisteredPrimary,
  insertNode,
  waitUntilReplayed,
  type TestNode,
} from "../cluster/make-cluster.js";

const n1Row = { node_id: 1, type: "primary", upstream_node_id: null } as const;

describe("unregistering", () => {
  let n1: TestNode;
  let n2: TestNode;
  let deadConninfo: string;

  const run = (node: TestNode, ...words: string[]): Promise<ProgramResult> =>
    runProgram(["-f", node.configFile, ...words]);
  const registered = async (): Promise<readonly number[]> => {
    const rows = await n1.server.sql<{ node_id: number }>("SELECT node_id FROM repmgr.nodes ORDER BY 1");
    return rows.map(({ node_id }) => node_id);
  };
  const lastEvent = async (): Promise<unknown> => {
    const [row] = await n1.server.sql(
      "SELECT node_id, event, successful, details FROM repmgr.events ORDER BY event_timestamp DESC LIMIT 1",
    );
    return row;
  };

  beforeAll(async () => {
    n1 = await createRegisteredPrimary();
    n2 = await addStandby(2, n1);
    deadConninfo = `host=127.0.0.1 port=${await freePort()} user=repmgr dbname=repmgr`;
  });

  beforeEach(async () => {
    await n1.server.sql("DELETE FROM repmgr.nodes WHERE node_id > 2");
    await insertNode(n1, { ...n1Row, conninfo: n1.server.conninfo, active: true });
    await insertNode(n1, { node_id: 2, conninfo: n2.server.conninfo });
    await waitUntilReplayed(n1, n2);
  });

  describe("primary unregister", () => {
    const formerPrimary = (row: object = {}): Promise<void> =>
      insertNode(n1, {
        ...n1Row,
        node_id: 5,
        node_name: "n5",
        conninfo: deadConninfo,
        active: false,
        ...row,
      });

    it("removes a primary that is gone, and says that two nodes have no majority", async () => {
      await formerPrimary();
      const result = await run(n1, "primary", "unregister", "--node-id=5");
      expect(result.exitCode).toBe(0);
      expect(result.stderr).toContain("WARNING: this leaves a cluster of two nodes");
      expect(result.stderr).toContain('INFO: node "n5" (ID: 5) was successfully unregistered');
      expect(await registered()).toEqual([1, 2]);
    });

    it("names the executing node in the event", async () => {
      await formerPrimary();
      expect(await run(n2, "primary", "unregister", "--node-id=5")).toMatchObject({ exitCode: 0 });
      expect(await lastEvent()).toEqual({
        node_id: 2,
        event: "primary_unregister",
        successful: true,
        details: 'node "n5" (ID: 5) unregistered from node "n2" (ID: 2)',
      });
    });

    it("changes nothing with --dry-run", async () => {
      await formerPrimary();
      const result = await run(n1, "primary", "unregister", "--node-id=5", "--dry-run");
      expect(result.exitCode).toBe(0);
      expect(result.stderr).toContain('NOTICE: node "n5" (ID: 5) would now be unregistered');
      expect(await registered()).toEqual([1, 2, 5]);
    });

    it("needs --force for a record that is marked active", async () => {
      await formerPrimary({ active: true });
      const refused = await run(n1, "primary", "unregister", "--node-id=5");
      expect(refused.exitCode).toBe(1);
      expect(refused.stderr).toContain("is marked as active, unable to unregister");
      expect(await run(n1, "primary", "unregister", "--node-id=5", "-F")).toMatchObject({ exitCode: 0 });
      expect(await registered()).toEqual([1, 2]);
    });

    it("refuses the primary that others replicate from, even with --force", async () => {
      const result = await run(n2, "primary", "unregister", "-F");
      expect(result.exitCode).toBe(1);
      expect(result.stderr).toContain("1 other node still has this node as its upstream node");
      expect(result.stderr).toContain('"n2" (ID: 2)');
      expect(await registered()).toEqual([1, 2]);
    });

    it.each([
      ["an unknown id", "9", "node 9 (specified with --node-id) not found"],
      ["a running standby", "2", 'node "n2" (ID: 2) is a standby, unable to unregister'],
    ])("refuses %s", async (_case, id, message) => {
      const result = await run(n1, "primary", "unregister", `--node-id=${id}`, "-F");
      expect(result.exitCode).toBe(1);
      expect(result.stderr).toContain(message);
    });

    it("does not take a local server for that of a record without conninfo", async () => {
      await insertNode(n1, { node_id: 7, conninfo: "", active: false });
      const env = {
        PGHOST: "127.0.0.1",
        PGPORT: String(n1.server.port),
        PGUSER: "repmgr",
        PGDATABASE: "repmgr",
      };
      const result = await runProgram(["-f", n1.configFile, "primary", "unregister", "--node-id=7"], { env });
      expect(result.stderr).toContain('node "n7" (ID: 7) is not a primary, unable to unregister');
    });

    it("goes to the primary that answers when two records say that they are one", async () => {
      await formerPrimary();
      await insertNode(n1, { ...n1Row, node_id: 0, conninfo: deadConninfo, active: true });
      try {
        await waitUntilReplayed(n1, n2);
        const result = await run(n2, "primary", "unregister", "--node-id=5");
        expect(result.stderr).toContain('INFO: node "n5" (ID: 5) was successfully unregistered');
        expect(result.exitCode).toBe(0);
      } finally {
        await n1.server.sql("DELETE FROM repmgr.nodes WHERE node_id = 0");
      }
    });

    it("exits 6 when the registered primary is away", async () => {
      await n1.server.sql("UPDATE repmgr.nodes SET conninfo = $1 WHERE node_id = 1", [deadConninfo]);
      await waitUntilReplayed(n1, n2);
      const result = await run(n2, "primary", "unregister", "--node-id=1");
      expect(result.exitCode).toBe(6);
      expect(result.stderr).toContain('unable to connect to primary server "n1" (ID: 1)');
    });

    it("removes the only node with --force", async () => {
      await n1.server.sql("DELETE FROM repmgr.nodes WHERE node_id <> 1");
      const refused = await run(n1, "primary", "unregister");
      expect(refused.exitCode).toBe(1);
      expect(refused.stderr).toContain('node "n1" (ID: 1) is the current primary node');
      const result = await run(n1, "primary", "unregister", "-F");
      expect(result.exitCode).toBe(0);
      expect(result.stderr).toContain("WARNING: no primary is registered in this cluster any more");
      expect(await registered()).toEqual([]);
    });
  });

  describe("standby unregister", () => {
    it("removes the local standby and says that it still runs", async () => {
      const result = await run(n2, "standby", "unregister");
      expect(result.exitCode).toBe(0);
      expect(result.stderr).toContain('WARNING: node "n2" (ID: 2) is still attached to the primary');
      expect(result.stderr).toMatch(/NOTICE: unregistering node 2\nINFO: standby unregistration complete\n$/);
      expect(await registered()).toEqual([1]);
      expect(await lastEvent()).toEqual({
        node_id: 2,
        event: "standby_unregister",
        successful: true,
        details: null,
      });
    });

    it("changes nothing with --dry-run", async () => {
      const result = await run(n2, "standby", "unregister", "--dry-run");
      expect(result.exitCode).toBe(0);
      expect(result.stderr).toContain('NOTICE: node "n2" (ID: 2) would now be unregistered');
      expect(await registered()).toEqual([1, 2]);
    });

    it("acts on the node of --node-name and on no other", async () => {
      await insertNode(n1, { node_id: 3, conninfo: deadConninfo });
      expect(await run(n2, "standby", "unregister", "--node-name=n3")).toMatchObject({ exitCode: 0 });
      expect(await registered()).toEqual([1, 2]);
      const result = await run(n2, "standby", "unregister", "--node-name=n3");
      expect(result.exitCode).toBe(1);
      expect(result.stderr).toContain('node "n3" (specified with --node-name) not found');
      expect(await registered()).toEqual([1, 2]);
    });

    it("names the slot that a standby leaves on the primary", async () => {
      await insertNode(n1, { node_id: 3, conninfo: deadConninfo, slot_name: "repmgr_slot_3" });
      await n1.server.sql("SELECT pg_create_physical_replication_slot('repmgr_slot_3')");
      const result = await run(n1, "standby", "unregister", "--node-id=3");
      await n1.server.sql("SELECT pg_drop_replication_slot('repmgr_slot_3')");
      expect(result.exitCode).toBe(0);
      expect(result.stderr).toContain('WARNING: replication slot "repmgr_slot_3" remains on the primary');
    });

    it.each([
      ["the primary", [], "node 1 is not a standby server"],
      ["an unknown id", ["--node-id=9"], "node 9 (specified with --node-id) not found"],
    ])("refuses %s", async (_case, options, message) => {
      const result = await run(n1, "standby", "unregister", ...options);
      expect(result.exitCode).toBe(1);
      expect(result.stderr).toContain(message);
      expect(await registered()).toEqual([1, 2]);
    });

    it("refuses a standby that others replicate from", async () => {
      await insertNode(n1, { node_id: 3, upstream_node_id: 2, conninfo: deadConninfo });
      const result = await run(n1, "standby", "unregister", "--node-id=2");
      expect(result.exitCode).toBe(1);
      expect(result.stderr).toContain('the affected node(s) are:\n  "n3" (ID: 3)');
      expect(await registered()).toEqual([1, 2, 3]);
    });

    it("exits 1 when no primary answers", async () => {
      await n1.server.sql("UPDATE repmgr.nodes SET conninfo = $1 WHERE node_id = 1", [deadConninfo]);
      await waitUntilReplayed(n1, n2);
      const result = await run(n2, "standby", "unregister");
      expect(result.exitCode).toBe(1);
      expect(result.stderr).toContain("ERROR: unable to connect to primary server");
    });

    it("says on which node a standby that is down is unregistered", async () => {
      await n2.server.stop();
      const here = await run(n2, "standby", "unregister");
      expect(here.exitCode).toBe(6);
      expect(here.stderr).toContain('on another node: "standby unregister --node-id=2"');
      await waitUntil("the primary has seen it go", async () => {
        const rows = await n1.server.sql("SELECT FROM pg_stat_replication");
        return rows.length === 0;
      });
      const there = await run(n1, "standby", "unregister", "--node-id=2");
      await n2.server.start();
      expect(there.exitCode).toBe(0);
      expect(there.stderr).not.toContain("still attached");
    });
  });

  it("says what to do where there is no schema", async () => {
    await n1.server.sql("CREATE DATABASE bare");
    const conninfo = n1.server.conninfo.replace("dbname=repmgr", "dbname=bare");
    const configFile = await writeRepmgrConf({ ...n1.server, conninfo }, { node_id: 1, node_name: "n1" });
    const result = await runProgram(["-f", configFile, "primary", "unregister"]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("ERROR: unable to retrieve node records");
    expect(result.stderr).toContain('primary register"');
  });

  it.each(["primary unregister", "cluster show", "cluster event"])(
    "names the missing rights and not the registration with %s",
    async (words) => {
      await n1.server.sql("DROP ROLE IF EXISTS stranger");
      await n1.server.sql(`CREATE ROLE stranger LOGIN PASSWORD '${testPassword}'`);
      const conninfo = n1.server.conninfo.replace("user=repmgr", "user=stranger");
      const configFile = await writeRepmgrConf({ ...n1.server, conninfo }, { node_id: 1, node_name: "n1" });
      const result = await runProgram(["-f", configFile, ...words.split(" ")]);
      expect(result.stderr).toMatch(/^ERROR: unable to retrieve (?:node|event) records$/m);
      expect(result.stderr).toContain("GRANT USAGE ON SCHEMA repmgr TO");
      expect(result.stderr).not.toContain("primary register");
    },
  );
});
