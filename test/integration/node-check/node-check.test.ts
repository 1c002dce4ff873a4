import { chmod, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { runProgram, writeRepmgrConf, type ProgramResult } from "../../harness/program.js";
import { waitUntil } from "../../harness/wait-until.js";
import {
  addStandby,
  createRegisteredPrimary,
  insertNode,
  waitUntilAttached,
  waitUntilReplayed,
  type TestNode,
} from "../cluster/make-cluster.js";

describe("node check", () => {
  let n1: TestNode;
  let n2: TestNode;

  const check = (node: TestNode, ...options: string[]): Promise<ProgramResult> =>
    runProgram(["-f", node.configFile, "node", "check", ...options]);
  const configure = (node: TestNode, values: Record<string, string | number> = {}): Promise<string> =>
    writeRepmgrConf(node.server, { node_id: node.id, node_name: `n${node.id}`, ...values });
  const setNode = async (id: number, change: string): Promise<void> => {
    await n1.server.sql(`UPDATE repmgr.nodes SET ${change} WHERE node_id = ${id}`);
    await waitUntilReplayed(n1, n2);
  };
  const said = (exitCode: number, stdout: string): object => ({ exitCode, stdout: `${stdout}\n` });

  beforeAll(async () => {
    n1 = await createRegisteredPrimary();
    n2 = await addStandby(2, n1);
  });

  afterEach(async () => {
    await Promise.all([configure(n1), configure(n2)]);
  });

  it("finds a healthy primary and a healthy standby healthy", async () => {
    expect(await check(n1)).toMatchObject({ exitCode: 0, stderr: "" });
    const standby = await check(n2);
    expect(standby).toMatchObject({ exitCode: 0, stderr: "" });
    expect(standby.stdout).toBe(
      [
        'Node "n2":',
        "\tServer role: OK (node is standby)",
        "\tReplication lag: OK (0 seconds)",
        "\tWAL archiving: OK (0 pending archive ready files)",
        '\tUpstream connection: OK (node "n2" (ID: 2) is attached to expected upstream node "n1" (ID: 1))',
        "\tDownstream servers: OK (this node has no downstream nodes)",
        "\tReplication slots: OK (node has no physical replication slots)",
        "\tMissing physical replication slots: OK (node has no missing physical replication slots)",
        `\tConfigured data directory: OK (configured "data_directory" is "${n2.server.dataDirectory}")`,
        "",
      ].join("\n"),
    );
    const { stdout } = await check(n2, "--format=json");
    expect(JSON.parse(stdout)).toMatchObject({ node: { id: 2, name: "n2" }, exit_code: 0 });
  });

  it("refuses the formats that a check has not got", async () => {
    const overview = await check(n1, "--nagios");
    expect(overview).toMatchObject({ exitCode: 1, stdout: "" });
    expect(overview.stderr).toContain("ERROR: --nagios can only be used with a specific check");
    const single = await check(n1, "--role", "--csv");
    expect(single).toMatchObject({ exitCode: 1, stdout: "" });
    expect(single.stderr).toContain("ERROR: --csv output not provided with --role option");
  });

  it("runs one check of several, in the reference's order", async () => {
    expect(await check(n1, "--slots", "--role")).toMatchObject(said(0, "OK (node is primary)"));
  });

  describe("--role", () => {
    it.each([
      ["--role", 0, "OK (node is standby)\n"],
      ["--role=standby", 0, "OK (node is standby)\n"],
      ["--role=primary", 2, "CRITICAL (node is standby, expected primary)\n"],
      ["--role=witness", 2, "CRITICAL (node is standby, expected witness)\n"],
    ])("%s on a standby exits %i", async (option, exitCode, stdout) => {
      expect(await check(n2, option)).toMatchObject({ exitCode, stdout, stderr: "" });
    });

    it("serves cron: with -q an expected role has only an exit code", async () => {
      expect(await check(n1, "-q", "--role=primary")).toMatchObject({ exitCode: 0, output: "" });
      expect(await check(n2, "-q", "--role=primary")).toMatchObject({ exitCode: 2, output: "" });
      expect(await check(n2, "-q", "--role")).toMatchObject({
        exitCode: 0,
        stdout: "OK (node is standby)\n",
      });
    });

    it("exits 6 when the server is down, 1 for a node that is not registered or an unknown role", async () => {
      const down = await configure(n1, { conninfo: "host=127.0.0.1 port=1" });
      expect(await runProgram(["-q", "-f", down, "node", "check", "--role=primary"])).toMatchObject({
        exitCode: 6,
        stdout: "",
      });
      const stranger = await configure(n1, { node_id: 9 });
      expect((await runProgram(["-f", stranger, "node", "check", "--role"])).exitCode).toBe(1);
      expect((await check(n2, "--role=master")).exitCode).toBe(1);
    });

    it("is critical when the server is not what its record says, whatever is expected", async () => {
      await setNode(2, "type = 'primary'");
      const results = await Promise.all([check(n2, "--role"), check(n2, "--role=primary")]);
      await setNode(2, "type = 'standby'");
      const mismatch = "CRITICAL (node is registered as primary but running as standby)";
      expect(results).toMatchObject([said(2, mismatch), said(2, mismatch)]);
    });
  });

  it("--archive-ready compares the backlog with its limits", async () => {
    const status = join(n2.server.dataDirectory, "pg_wal", "archive_status");
    const files = ["a", "b", "c"].map((name) => join(status, `${name}.ready`));
    await Promise.all(files.map((file) => writeFile(file, "")));
    await configure(n2, { archive_ready_warning: 2, archive_ready_critical: 10 });
    expect(await check(n2, "--archive-ready")).toMatchObject(
      said(1, "WARNING (3 pending archive ready files (threshold: 2))"),
    );
    expect((await check(n2)).exitCode).toBe(25);
    await configure(n2, { archive_ready_warning: 1, archive_ready_critical: 2 });
    expect(await check(n2, "--archive-ready", "--nagios")).toMatchObject(
      said(2, "REPMGR_ARCHIVE_READY CRITICAL: 3 pending archive ready files | files=3;1;2"),
    );
    expect(await check(n2, "--archive-ready", "--optformat")).toMatchObject(
      said(2, "--status=CRITICAL --files=3 --threshold=2"),
    );
    await Promise.all(files.map((file) => rm(file)));
    expect((await check(n2, "--archive-ready")).exitCode).toBe(0);
  });

  it("--replication-lag measures how far a paused replay is behind", async () => {
    await n2.server.sql("SELECT pg_wal_replay_pause()");
    await n1.server.sql("CREATE TABLE behind ()");
    await waitUntil("the lag is more than a second", async () => {
      const [row] = await n2.server.sql<{ behind: boolean }>(
        `SELECT pg_last_wal_receive_lsn() <> pg_last_wal_replay_lsn()
                AND clock_timestamp() - pg_last_xact_replay_timestamp() > '2.5 s' AS behind`,
      );
      return row?.behind === true;
    });
    await configure(n2, { replication_lag_warning: 1, replication_lag_critical: 600 });
    const warned = await check(n2, "--replication-lag");
    await configure(n2, { replication_lag_warning: 1, replication_lag_critical: 2 });
    const critical = await check(n2, "--replication-lag", "--optformat");
    await n2.server.sql("SELECT pg_wal_replay_resume()");
    expect(warned.exitCode).toBe(1);
    expect(warned.stdout).toMatch(/^WARNING \(\d+ seconds, warning threshold: 1\)\)\n$/);
    expect(critical.exitCode).toBe(2);
    expect(critical.stdout).toMatch(/^--status=CRITICAL --lag=\d+ --threshold=2\n$/);
    await waitUntilReplayed(n1, n2);
    expect(await check(n2, "--replication-lag")).toMatchObject(said(0, "OK (0 seconds)"));
  });

  it("--slots and --missing-slots look at the physical slots", async () => {
    await n1.server.sql("SELECT pg_create_physical_replication_slot('left_over')");
    await insertNode(n1, { node_id: 3, slot_name: "repmgr_slot_3" });
    const results = await Promise.all([
      check(n1, "--slots", "--nagios"),
      check(n1, "--missing-slots"),
      check(n1, "--slots", "--optformat"),
      check(n1),
    ]);
    await n1.server.sql("SELECT pg_drop_replication_slot('left_over')");
    await n1.server.sql("DELETE FROM repmgr.nodes WHERE node_id = 3");
    expect(results).toMatchObject([
      said(2, "REPMGR_INACTIVE_SLOTS CRITICAL: 1 of 1 physical replication slots are inactive | slots=1;1"),
      said(2, "CRITICAL (1 physical replication slots are missing: repmgr_slot_3)"),
      { exitCode: 2, stdout: "" },
      { exitCode: 25 },
    ]);
  });

  it("--upstream and --downstream see a standby that lost its upstream", async () => {
    const [row] = await n2.server.sql<{ setting: string }>(
      "SELECT setting FROM pg_settings WHERE name = 'primary_conninfo'",
    );
    await n2.server.sql("ALTER SYSTEM SET primary_conninfo = ''");
    await n2.server.sql("SELECT pg_reload_conf()");
    await waitUntil("n2 is gone", async () => {
      const rows = await n1.server.sql("SELECT FROM pg_stat_replication");
      return rows.length === 0;
    });
    const [up, down] = await Promise.all([check(n2, "--upstream"), check(n1, "--downstream", "--nagios")]);
    await n2.server.sql(
      `ALTER SYSTEM SET primary_conninfo = '${(row?.setting ?? "").replaceAll("'", "''")}'`,
    );
    await n2.server.sql("SELECT pg_reload_conf()");
    await waitUntilAttached(n1, "n2");
    expect(up).toMatchObject(
      said(2, 'CRITICAL (node "n2" (ID: 2) is not attached to expected upstream node "n1" (ID: 1))'),
    );
    expect(up.stderr).toContain('WARNING: node "n2" not found in "pg_stat_replication"');
    expect(down).toMatchObject(
      said(
        2,
        "REPMGR_DOWNSTREAM_SERVERS CRITICAL: 1 of 1 downstream nodes not attached (missing: n2 (ID: 2)) | attached=0, missing=1",
      ),
    );
  });

  it("exits 6 when the upstream is down, for the overview too", async () => {
    await setNode(1, "conninfo = 'host=127.0.0.1 port=1'");
    const [single, overview, other] = await Promise.all([
      check(n2, "--upstream"),
      check(n2),
      check(n2, "--role"),
    ]);
    await setNode(1, `conninfo = '${n1.server.conninfo}'`);
    expect(single.exitCode).toBe(6);
    expect(single.stderr).toContain('ERROR: connection to upstream node "n1" (ID: 1) failed');
    expect(overview).toMatchObject({ exitCode: 6, stdout: "" });
    expect(other.exitCode).toBe(0);
  });

  describe("--data-directory-config", () => {
    it("compares directories, not spellings", async () => {
      const link = join(n1.server.directory, "link-to-data");
      await symlink(n1.server.dataDirectory, link);
      await configure(n1, { data_directory: link });
      expect((await check(n1, "--data-directory-config")).exitCode).toBe(0);
      await configure(n1, { data_directory: "/tmp" });
      expect(await check(n1, "--data-directory-config")).toMatchObject(
        said(
          2,
          `CRITICAL (configured "data_directory" is "/tmp"; actual data directory is "${n1.server.dataDirectory}")`,
        ),
      );
      expect(await check(n1, "--data-directory-config", "--optformat")).toMatchObject(
        said(2, "--configured-data-directory=CRITICAL"),
      );
    });

    it("looks for itself where the server does not tell this user", async () => {
      await n1.server.sql("ALTER ROLE repmgr NOSUPERUSER");
      await n1.server.sql("GRANT USAGE ON SCHEMA repmgr TO repmgr");
      const right = await check(n1, "--data-directory-config");
      await configure(n1, { data_directory: "/tmp" });
      const wrong = await check(n1, "--data-directory-config");
      await n1.server.sql("ALTER ROLE repmgr SUPERUSER");
      expect([right.exitCode, wrong.exitCode]).toEqual([0, 2]);
      expect(wrong.stdout).toContain("no PostgreSQL data directory is there");
    });
  });

  it("--repmgrd asks the functions of the schema", async () => {
    expect(await check(n1, "--repmgrd")).toMatchObject(said(2, "CRITICAL (repmgrd not running)"));
    expect(await check(n1, "--repmgrd", "--optformat")).toMatchObject(said(2, "--repmgrd=CRITICAL"));
    await n1.server.sql("ALTER FUNCTION repmgr.repmgrd_is_running() RENAME TO hidden");
    const broken = await check(n1, "--repmgrd");
    await n1.server.sql("ALTER FUNCTION repmgr.hidden() RENAME TO repmgrd_is_running");
    expect(broken).toMatchObject(said(2, "CRITICAL (repmgrd not running)"));
    expect(broken.stderr).toContain("ERROR: unable to determine whether repmgrd is running");
  });

  it("--has-passfile needs nothing", async () => {
    const silent = { exitCode: 0, output: "" };
    expect(await runProgram(["node", "check", "--has-passfile"])).toMatchObject(silent);
    const withoutPassfile = { env: { PGPASSFILE: "/nonexistent" } };
    expect(await runProgram(["node", "check", "--has-passfile"], withoutPassfile)).toMatchObject(silent);
    expect((await runProgram(["node", "check"])).exitCode).toBe(1);
  });

  it("--replication-config-owner looks at the file that a follow rewrites", async () => {
    const refused = await check(n2, "--replication-config-owner");
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("option can only be used with --optformat");
    expect(await check(n2, "--replication-config-owner", "--optformat")).toMatchObject(
      said(0, "--replication-config-owner=OK"),
    );
    const elsewhere = join(n2.server.directory, "without-configuration");
    await mkdir(elsewhere);
    await chmod(elsewhere, 0o700);
    await configure(n2, { data_directory: elsewhere });
    expect(await check(n2, "--replication-config-owner", "--optformat")).toMatchObject(
      said(2, "--replication-config-owner=CRITICAL"),
    );
  });

  it("--db-connection reports instead of failing", async () => {
    expect(await check(n2, "--db-connection")).toMatchObject(said(0, "OK ()"));
    const nobody = await check(n2, "--db-connection", "--optformat", "-S", "nobody");
    expect(nobody).toMatchObject(said(2, "--db-connection=CRITICAL"));
    await configure(n2, { conninfo: "host=127.0.0.1 port=1 user=repmgr password=hush" });
    const down = await check(n2, "--db-connection");
    expect(down.exitCode).toBe(2);
    expect(down.stdout).toMatch(
      /^CRITICAL \(connection parameters used: host=127\.0\.0\.1 port=1 user=repmgr /,
    );
    expect(down.output).not.toContain("hush");
    expect(await check(n2, "--archive-ready", "--optformat")).toMatchObject(said(6, "--error=DB_CONNECTION"));
  });

  it("--replication-connection tries one to the remote node, with exit code 0 always", async () => {
    const connection = (...options: string[]): Promise<ProgramResult> =>
      check(n2, "--replication-connection", ...options);
    expect(await connection("--remote-node-id=1")).toMatchObject(said(0, "--connection=OK"));
    expect(await connection("--remote-node-id=9")).toMatchObject(said(0, "--connection=UNKNOWN"));
    expect(await connection()).toMatchObject(said(0, "--connection=UNKNOWN"));
    await setNode(1, "conninfo = 'host=127.0.0.1 port=1'");
    const bad = await connection("--remote-node-id=1");
    await setNode(1, `conninfo = '${n1.server.conninfo}'`);
    expect(bad).toMatchObject(said(0, "--connection=BAD"));
    await configure(n2, { conninfo: "host=127.0.0.1 port=1" });
    expect(await connection("--remote-node-id=1")).toMatchObject(said(0, "--connection=CONNECTION_ERROR"));
  });
});
