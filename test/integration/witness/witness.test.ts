import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPrimary, type TestServer } from "../../harness/postgres-server.js";
import { runProgram, writeRepmgrConf, type ProgramResult } from "../../harness/program.js";
import {
  addStandby,
  createRegisteredPrimary,
  insertNode,
  removeNode,
  type TestNode,
} from "../cluster/make-cluster.js";

const NODES = `SELECT node_id, upstream_node_id, active, node_name, type, location, priority, conninfo, repluser,
                      slot_name, config_file FROM repmgr.nodes ORDER BY node_id`;

describe("witness", () => {
  let n1: TestNode;
  let n2: TestNode;
  let server: TestServer;
  let conf: string;

  const run = (configFile: string, ...words: string[]): Promise<ProgramResult> =>
    runProgram(["-f", configFile, "witness", ...words]);
  const toPrimary = (): string[] => ["-h", "127.0.0.1", "-p", String(n1.server.port)];
  const register = (...options: string[]): Promise<ProgramResult> =>
    run(conf, "register", ...toPrimary(), ...options);
  const onPrimary = async (): Promise<unknown> => {
    const [row] = await n1.server.sql(
      "SELECT node_name, type, priority, upstream_node_id FROM repmgr.nodes WHERE node_id = 4",
    );
    return row;
  };
  const expectCopy = async (): Promise<void> => {
    expect(await server.sql(NODES)).toEqual(await n1.server.sql(NODES));
  };

  beforeAll(async () => {
    n1 = await createRegisteredPrimary();
    n2 = await addStandby(2, n1);
    // An id below its upstream's: the copy must not depend on the order of the rows.
    await insertNode(n1, { node_id: 3, upstream_node_id: 2 });
    await n1.server.sql("UPDATE repmgr.nodes SET upstream_node_id = 3 WHERE node_id = 2");
    await n1.server.sql("UPDATE repmgr.nodes SET upstream_node_id = 1 WHERE node_id = 3");
    server = await createPrimary({ name: "n4" });
    conf = await writeRepmgrConf(server, { node_id: 4, node_name: "n4" });
  });

  describe("register", () => {
    it("needs a host", async () => {
      const result = await run(conf, "register");
      expect(result.exitCode).toBe(1);
      expect(result.stderr).toContain(
        "host name for the source node must be provided with -h/--host when executing WITNESS REGISTER",
      );
    });

    it("changes nothing with --dry-run", async () => {
      const result = await register("--dry-run");
      expect(result.exitCode).toBe(0);
      expect(result.stderr).toContain('INFO: would create schema "repmgr" on the witness');
      expect(result.stderr).toContain("INFO: prerequisites for registering the witness node are met");
      expect(await server.sql("SELECT FROM pg_namespace WHERE nspname = 'repmgr'")).toEqual([]);
      expect(await onPrimary()).toBeUndefined();
    });

    it("refuses a standby as witness, a standby as primary, and a server of the cluster", async () => {
      const standby = await writeRepmgrConf(n2.server, { node_id: 9, node_name: "n9" });
      const asWitness = await run(standby, "register", ...toPrimary());
      expect(asWitness.exitCode).toBe(1);
      expect(asWitness.stderr).toContain("ERROR: provided node is a standby");
      const viaStandby = await run(conf, "register", "-h", "127.0.0.1", "-p", String(n2.server.port));
      expect(viaStandby.exitCode).toBe(1);
      expect(viaStandby.stderr).toContain("ERROR: provided primary node is a standby");
      const primaryItself = await run(n1.configFile, "register", ...toPrimary(), "-F");
      expect(primaryItself.exitCode).toBe(1);
      expect(primaryItself.stderr).toContain("cannot be in the same cluster as the primary node");
    });

    it("makes the schema, registers on the primary and copies all records", async () => {
      const result = await register();
      expect(result.exitCode).toBe(0);
      expect(result.stderr).toContain('NOTICE: schema "repmgr" successfully created');
      expect(result.stderr).toContain("WARNING: the witness is on the host of the primary");
      expect(result.stderr).toMatch(
        /INFO: witness registration complete\nNOTICE: witness node "n4" \(ID: 4\) successfully registered\n$/,
      );
      expect(await onPrimary()).toEqual({
        node_name: "n4",
        type: "witness",
        priority: 0,
        upstream_node_id: 1,
      });
      await expectCopy();
      expect(
        await n1.server.sql("SELECT node_id, details FROM repmgr.events WHERE event = 'witness_register'"),
      ).toEqual([{ node_id: 4, details: "witness registration succeeded; upstream node ID is 1" }]);
      expect(await server.sql("SELECT node_id, event FROM repmgr.events")).toEqual([
        { node_id: 4, event: "cluster_created" },
      ]);
    });

    it("registers again with --force only, also under another name", async () => {
      const refused = await register();
      expect(refused.exitCode).toBe(1);
      expect(refused.stderr).toContain("ERROR: witness node is already registered");
      const renamed = await writeRepmgrConf(server, { node_id: 4, node_name: "arbiter" });
      expect(await run(renamed, "register", ...toPrimary(), "-F")).toMatchObject({ exitCode: 0 });
      expect(await onPrimary()).toMatchObject({ node_name: "arbiter" });
      await expectCopy();
      await writeRepmgrConf(server, { node_id: 4, node_name: "n4" });
      expect(await register("-F")).toMatchObject({ exitCode: 0 });
    });

    it("leaves the primary as it was when the copy fails", async () => {
      await removeNode(n1, 4);
      await n1.server.sql("UPDATE repmgr.nodes SET location = 'dc2' WHERE node_id = 3");
      await server.sql("ALTER TABLE repmgr.nodes ADD CONSTRAINT no_third CHECK (node_id <> 3) NOT VALID");
      const result = await register("-F");
      await server.sql("ALTER TABLE repmgr.nodes DROP CONSTRAINT no_third");
      expect(result.exitCode).toBe(1);
      expect(result.stderr).toContain("ERROR: unable to register the witness");
      expect(await onPrimary()).toBeUndefined();
      expect(await server.sql("SELECT FROM repmgr.nodes WHERE node_id = 4")).toHaveLength(1);
    });

    it("needs --force where an old copy is left", async () => {
      const result = await register();
      expect(result.exitCode).toBe(1);
      expect(result.stderr).toContain("witness node is already initialised and contains node records");
      expect(await register("-F")).toMatchObject({ exitCode: 0 });
    });

    it("never overwrites the records of another cluster's primary", async () => {
      const other = await createPrimary({ name: "other" });
      const otherConf = await writeRepmgrConf(other, { node_id: 1, node_name: "other" });
      await runProgram(["-f", otherConf, "primary", "register"]);
      const wrong = await writeRepmgrConf(other, { node_id: 8, node_name: "n8" });
      const result = await run(wrong, "register", ...toPrimary(), "-F");
      expect(result.exitCode).toBe(1);
      expect(result.stderr).toContain('is the registered primary "other" (ID: 1) of another cluster');
      expect(await other.sql("SELECT node_name FROM repmgr.nodes")).toEqual([{ node_name: "other" }]);
    });

    it("exits 1 when the witness or the primary is down", async () => {
      const noPrimary = await run(conf, "register", "-h", "127.0.0.1", "-p", "1");
      expect(noPrimary.exitCode).toBe(1);
      expect(noPrimary.stderr).toContain("ERROR: unable to connect to the primary node");
      const down = await writeRepmgrConf(server, {
        node_id: 4,
        node_name: "n4",
        conninfo: "host=127.0.0.1 port=1 user=repmgr dbname=repmgr",
      });
      const noWitness = await run(down, "register", ...toPrimary());
      expect(noWitness.exitCode).toBe(1);
      expect(noWitness.stderr).toContain('ERROR: unable to connect to witness node "n4" (ID: 4)');
      await writeRepmgrConf(server, { node_id: 4, node_name: "n4" });
    });
  });

  describe("unregister", () => {
    afterAll(async () => {
      await server.start();
    });

    it("changes nothing with --dry-run", async () => {
      const result = await run(conf, "unregister", "--dry-run");
      expect(result.exitCode).toBe(0);
      expect(result.stderr).toContain("INFO: prerequisites for unregistering the witness node are met");
      expect(await onPrimary()).toBeDefined();
    });

    it("refuses a node that is no witness, by its own id", async () => {
      const result = await run(n1.configFile, "unregister", "--node-id=2");
      expect(result.exitCode).toBe(1);
      expect(result.stderr).toContain(
        'ERROR: node 2 is not a witness node\nDETAIL: node "n2" (ID: 2) is a standby',
      );
    });

    it("removes the record on the primary", async () => {
      const result = await run(conf, "unregister");
      expect(result.exitCode).toBe(0);
      expect(result.stderr).toContain("INFO: witness unregistration complete");
      expect(await onPrimary()).toBeUndefined();
      const again = await run(conf, "unregister");
      expect(again.exitCode).toBe(1);
      expect(again.stderr).toContain("ERROR: no record found for node 4");
    });

    it("removes a witness that is down by way of the primary", async () => {
      expect(await register("-F")).toMatchObject({ exitCode: 0 });
      await server.stop();
      const refused = await run(conf, "unregister", ...toPrimary());
      expect(refused.exitCode).toBe(1);
      expect(refused.stderr).toContain("HINT: for a witness that is down");
      const nowhere = await run(conf, "unregister", "-F");
      expect(nowhere.exitCode).toBe(1);
      expect(nowhere.stderr).toContain("HINT: provide connection details for the primary server");
      const viaStandby = await run(conf, "unregister", "-F", "-h", "127.0.0.1", "-p", String(n2.server.port));
      expect(viaStandby.exitCode).toBe(1);
      expect(viaStandby.stderr).toContain("the connection parameters lead to a standby");
      for (const options of [[], ["-F"]]) {
        const named = await run(conf, "unregister", "--node-id=4", ...options);
        expect(named.exitCode).toBe(6);
        expect(named.stderr).toContain("HINT: for a witness that is down");
        expect(named.stderr).not.toContain("removing node record");
      }
      expect(await onPrimary()).toBeDefined();
      expect(await run(conf, "unregister", "-F", ...toPrimary())).toMatchObject({ exitCode: 0 });
      expect(await onPrimary()).toBeUndefined();
    });
  });
});
