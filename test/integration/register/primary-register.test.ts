import { beforeAll, describe, expect, it } from "vitest";
import { installSchema, SCHEMA_VERSION } from "../../../src/metadata/install-schema.js";
import { parseConninfo } from "../../../src/model/conninfo.js";
import { createPrimary, testPassword, type TestServer } from "../../harness/postgres-server.js";
import { runProgram, writeRepmgrConf } from "../../harness/program.js";
import { createStandby } from "../../harness/standby.js";
import { testDatabases } from "../../harness/test-databases.js";

describe("primary register", () => {
  let server: TestServer;
  let conf: string;

  const register = (...options: string[]): ReturnType<typeof runProgram> =>
    runProgram(["-f", conf, "primary", "register", ...options]);

  beforeAll(async () => {
    server = await createPrimary({ name: "node1" });
    conf = await writeRepmgrConf(server, { node_id: 1, node_name: "node1", use_replication_slots: true });
  });

  it("changes nothing with --dry-run", async () => {
    const result = await register("--dry-run");
    expect(result).toMatchObject({ exitCode: 0, stdout: "" });
    expect(result.stderr).toContain('INFO: would create schema "repmgr"');
    expect(result.stderr).toContain('INFO: all prerequisites for "primary register" are met');
    expect(await server.sql("SELECT FROM pg_namespace WHERE nspname = 'repmgr'")).toEqual([]);
  });

  it("creates the schema and the record", async () => {
    const result = await register();
    expect(result).toMatchObject({
      exitCode: 0,
      stderr: [
        "INFO: connecting to primary database...",
        'NOTICE: attempting to create schema "repmgr"',
        'NOTICE: schema "repmgr" successfully created',
        "NOTICE: primary node record (ID: 1) registered",
        "",
      ].join("\n"),
    });
    expect(await server.sql("SELECT * FROM repmgr.nodes")).toEqual([
      {
        node_id: 1,
        upstream_node_id: null,
        active: true,
        node_name: "node1",
        type: "primary",
        location: "default",
        priority: 100,
        conninfo: server.conninfo,
        repluser: "repmgr",
        slot_name: "repmgr_slot_1",
        config_file: conf,
      },
    ]);
    expect(
      await server.sql("SELECT event, successful, details FROM repmgr.events ORDER BY event_timestamp"),
    ).toEqual([
      { event: "cluster_created", successful: true, details: null },
      { event: "primary_register", successful: true, details: null },
    ]);
    expect(await server.sql("SELECT term FROM repmgr.voting_term")).toEqual([{ term: 1 }]);
  });

  it("makes the schema once when two programs want it at the same moment", async () => {
    const other = await createPrimary({ name: "twice" });
    const otherConf = await writeRepmgrConf(other, { node_id: 1, node_name: "node1" });
    const runs = [0, 1, 2, 3].map(() => runProgram(["-f", otherConf, "primary", "register"]));
    const results = await Promise.all(runs);
    const output = results.map((result) => result.output).join("\n=====\n");
    expect(results.map(({ exitCode }) => exitCode).sort(), output).toEqual([0, 1, 1, 1]);
    expect(output).not.toContain("unable to register");
    await other.stop();
  });

  it("refuses a second registration without --force", async () => {
    const result = await register();
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("ERROR: this node is already registered\nHINT: use -F/--force");
  });

  it("updates the record with --force and never sets the voting term back", async () => {
    await server.sql("UPDATE repmgr.voting_term SET term = 7");
    const changed = await writeRepmgrConf(server, {
      node_id: 1,
      node_name: "node1",
      priority: 55,
      location: "dc2",
    });
    const result = await runProgram(["-f", changed, "primary", "register", "-F"]);
    expect(result.stderr).toContain("NOTICE: primary node record (ID: 1) updated");
    expect(await server.sql("SELECT priority, location, slot_name FROM repmgr.nodes")).toEqual([
      { priority: 55, location: "dc2", slot_name: "repmgr_slot_1" },
    ]);
    expect(await server.sql("SELECT term FROM repmgr.voting_term")).toEqual([{ term: 7 }]);
  });

  it("refuses a second live primary even with --force", async () => {
    const other = await createStandby(server, "node2");
    await other.sql("SELECT pg_promote()");
    const otherConf = await writeRepmgrConf(other, { node_id: 2, node_name: "node2" });
    const result = await runProgram(["-f", otherConf, "primary", "register", "-F"]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(
      "ERROR: there is already an active registered primary (ID: 1) in this cluster",
    );
    expect(await other.sql("SELECT node_id FROM repmgr.nodes")).toEqual([{ node_id: 1 }]);
  });

  it("says whose record becomes inactive when the registered primary is gone", async () => {
    const other = await createStandby(server, "node4");
    await other.sql("SELECT pg_promote()");
    await other.sql("UPDATE repmgr.nodes SET conninfo = 'host=127.0.0.1 port=1' WHERE node_id = 1");
    const otherConf = await writeRepmgrConf(other, { node_id: 4, node_name: "node4" });
    const result = await runProgram(["-f", otherConf, "primary", "register"]);
    expect(result.stderr).toContain(
      "NOTICE: setting node 1's node record to inactive\nNOTICE: primary node record (ID: 4) registered\n",
    );
    expect(await other.sql("SELECT node_id, active FROM repmgr.nodes ORDER BY node_id")).toEqual([
      { node_id: 1, active: false },
      { node_id: 4, active: true },
    ]);
  });

  it("refuses a standby", async () => {
    const standby = await createStandby(server, "node3");
    const standbyConf = await writeRepmgrConf(standby, { node_id: 3, node_name: "node3" });
    const result = await runProgram(["-f", standbyConf, "primary", "register"]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("ERROR: server is in standby mode and cannot be registered as a primary");
  });
});

describe("primary register with an older schema of ours", () => {
  it("is read as it is, and upgraded in one transaction", async () => {
    const server = await createPrimary();
    const database = await testDatabases().connect(parseConninfo(server.conninfo));
    await installSchema(database, 0, { toVersion: 1 });
    await database.close();
    await server.sql(
      `INSERT INTO repmgr.nodes (node_id, node_name, type, conninfo, repluser, config_file)
       VALUES (1, 'node1', 'primary', $1, 'repmgr', '/old.conf')`,
      [server.conninfo],
    );
    const conf = await writeRepmgrConf(server, { node_id: 1, node_name: "node1" });
    expect(await runProgram(["-f", conf, "cluster", "show"])).toMatchObject({ exitCode: 0 });
    const result = await runProgram(["-f", conf, "primary", "register", "-F"]);
    expect(result.stderr).toContain(`NOTICE: schema "repmgr" upgraded from version 1 to ${SCHEMA_VERSION}`);
    expect(await server.sql("SELECT repmgr.repmgrd_is_running() AS running")).toEqual([{ running: false }]);
  });

  it("refuses a schema of a newer release and says so", async () => {
    const server = await createPrimary();
    const conf = await writeRepmgrConf(server, { node_id: 1, node_name: "node1" });
    await runProgram(["-f", conf, "primary", "register"]);
    await server.sql("UPDATE repmgr.settings SET value = '99' WHERE name = 'schema_version'");
    const result = await runProgram(["-f", conf, "primary", "register", "-F"]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("was made by a newer release");
  });
});

describe("primary register without a superuser", () => {
  let server: TestServer;
  let conf: string;

  beforeAll(async () => {
    server = await createPrimary();
    await server.sql(`CREATE ROLE manager LOGIN REPLICATION PASSWORD '${testPassword}'`);
    const conninfo = server.conninfo.replace("user=repmgr", "user=manager");
    conf = await writeRepmgrConf({ ...server, conninfo }, { node_id: 1, node_name: "node1" });
  });

  it("says which right is missing", async () => {
    const result = await runProgram(["-f", conf, "primary", "register"]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain('ERROR: no permission to create schema "repmgr"');
    expect(result.stderr).toContain("HINT: provide a superuser with -S/--superuser");
  });

  it("lets a superuser create the schema and uses it as the ordinary role", async () => {
    const result = await runProgram(["-f", conf, "primary", "register", "-S", "repmgr"]);
    expect(result).toMatchObject({ exitCode: 0 });
    expect(
      await server.sql(
        "SELECT pg_get_userbyid(nspowner) AS owner FROM pg_namespace WHERE nspname = 'repmgr'",
      ),
    ).toEqual([{ owner: "repmgr" }]);
    expect(await runProgram(["-f", conf, "cluster", "show"])).toMatchObject({ exitCode: 0 });
  });

  it("refuses a role for -S that is no superuser", async () => {
    const result = await runProgram(["-f", conf, "primary", "register", "-F", "-S", "manager"]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain('ERROR: "manager" is not a superuser');
  });
});
