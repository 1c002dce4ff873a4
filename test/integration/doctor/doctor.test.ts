import { appendFile, chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { freePort, newDirectory, testPassword } from "../../harness/postgres-server.js";
import { runProgram, writeRepmgrConf } from "../../harness/program.js";
import { waitUntil } from "../../harness/wait-until.js";
import {
  addStandby,
  createRegisteredPrimary,
  insertNode,
  removeNode,
  waitUntilAttached,
  waitUntilReplayed,
  type TestNode,
} from "../cluster/make-cluster.js";
import { diagnose, hintOf, isDiskShort } from "./diagnose.js";

describe.skipIf(isDiskShort())("doctor in a cluster, on a disk with room", () => {
  let n1: TestNode;
  let n2: TestNode;

  const configure = (
    node: TestNode,
    values: Record<string, string | number | boolean> = {},
  ): Promise<string> =>
    writeRepmgrConf(node.server, { node_id: node.id, node_name: `n${node.id}`, ...values });
  const setNode = async (id: number, change: string): Promise<void> => {
    await n1.server.sql(`UPDATE repmgr.nodes SET ${change} WHERE node_id = ${id}`);
    await waitUntilReplayed(n1, n2);
  };

  beforeAll(async () => {
    n1 = await createRegisteredPrimary();
    n2 = await addStandby(2, n1);
    for (const { server } of [n1, n2]) {
      await server.sql("ALTER SYSTEM SET wal_keep_size = '64MB'");
      await server.sql("SELECT pg_reload_conf()");
    }
    await waitUntil("wal_keep_size is in effect", async () => {
      const [row] = await n1.server.sql<{ size: string }>("SELECT current_setting('wal_keep_size') AS size");
      return row?.size === "64MB";
    });
  });

  it("finds nothing wrong with a healthy one, from any of its nodes", async () => {
    for (const { configFile } of [n1, n2]) {
      const { exitCode, problems, codes } = await diagnose(configFile);
      expect(problems).toEqual([]);
      expect(exitCode).toBe(0);
      expect(codes).toEqual(["1 archiving_off", "2 archiving_off"]);
    }
    const text = await runProgram(["-f", n1.configFile, "doctor"]);
    expect(text).toMatchObject({ exitCode: 0, stderr: "" });
    expect(text.stdout).toMatch(/^ Node \| Check +\| Status \| Detail$/m);
    expect(text.stdout).toMatch(/^ n2 +\| upstream +\| ok +\| streams from "n1"$/m);
  });

  /** What is broken, by what, how it is mended, what is found and by which repair. */
  const cases: readonly {
    readonly name: string;
    readonly breakIt: () => Promise<unknown>;
    readonly mendIt: () => Promise<unknown>;
    readonly finding: string;
    readonly hint?: string;
    readonly onlyNote?: true;
  }[] = [
    {
      name: "a change that waits for a restart",
      breakIt: () => setWorkers("SET max_worker_processes = 9", true),
      mendIt: () => setWorkers("SET max_worker_processes = 8", false),
      finding: "1 restart_pending",
      hint: "node service --action=restart",
    },
    {
      name: "a misspelt parameter",
      breakIt: () => appendFile(confOf(n1), "listen_address = '*'\n"),
      mendIt: () => removeLine(confOf(n1), "listen_address ="),
      finding: "1 server_configuration",
      hint: "postgresql.conf",
    },
    {
      name: "a line of pg_hba.conf that is none",
      breakIt: () => appendFile(hbaOf(n1), "host all\n"),
      mendIt: () => removeLine(hbaOf(n1), "host all\n"),
      finding: "1 access_line_invalid",
      hint: "pg_reload_conf()",
    },
    {
      name: "a missing slot",
      breakIt: () => setNode(2, "slot_name = 'repmgr_slot_2'"),
      mendIt: () => setNode(2, "slot_name = NULL"),
      finding: "1 slot_missing",
      hint: "SELECT pg_create_physical_replication_slot('repmgr_slot_2', true)",
    },
    {
      name: "a slot that is left over",
      breakIt: () => n1.server.sql("SELECT pg_create_physical_replication_slot('repmgr_slot_9', true)"),
      mendIt: () => n1.server.sql("SELECT pg_drop_replication_slot('repmgr_slot_9')"),
      finding: "1 slot_left_over",
      hint: "SELECT pg_drop_replication_slot('repmgr_slot_9')",
    },
    {
      name: "a slot that is not ours, and leaves it",
      breakIt: () => n1.server.sql("SELECT pg_create_physical_replication_slot('of_others', true)"),
      mendIt: () => n1.server.sql("SELECT pg_drop_replication_slot('of_others')"),
      finding: "1 slot_not_ours",
      onlyNote: true,
    },
    {
      name: "synchronous_commit that is set for a role",
      breakIt: () => n1.server.sql("ALTER ROLE postgres SET synchronous_commit = off"),
      mendIt: () => n1.server.sql("ALTER ROLE postgres RESET synchronous_commit"),
      finding: "1 synchronous_commit_override",
      onlyNote: true,
    },
    {
      name: "localhost in conninfo beside a node elsewhere",
      breakIt: async () =>
        insertNode(n1, {
          node_id: 3,
          conninfo: `host=0.0.0.0 port=${await freePort()} user=repmgr dbname=repmgr`,
        }),
      mendIt: () => removeNode(n1, 3),
      finding: "1 conninfo_local",
      hint: "address of this node",
    },
    {
      name: "a record that is not that of repmgr.conf",
      breakIt: () => setNode(1, "conninfo = conninfo || ' application_name=x'"),
      mendIt: () => setNode(1, "conninfo = replace(conninfo, ' application_name=x', '')"),
      finding: "1 record_differs",
      hint: "primary register --force",
    },
    {
      name: "a standby that streams from elsewhere than registered",
      breakIt: () => setNode(2, "node_name = 'n2-new'"),
      mendIt: () => setNode(2, "node_name = 'n2'"),
      finding: "2 not_attached",
      hint: "standby follow",
    },
    {
      name: "a password in conninfo",
      breakIt: () => configure(n1, { conninfo: `${n1.server.conninfo} password='${testPassword}'` }),
      mendIt: () => configure(n1),
      finding: "1 password_in_conninfo",
      hint: ".pgpass|passfile",
    },
    {
      name: "a data directory that is not the server's",
      breakIt: () => configure(n1, { data_directory: n2.server.dataDirectory }),
      mendIt: () => configure(n1),
      finding: "1 data_directory_differs",
      hint: "data_directory=",
    },
    {
      name: "a data directory that others may enter",
      breakIt: () => chmod(n1.server.dataDirectory, 0o755),
      mendIt: () => chmod(n1.server.dataDirectory, 0o700),
      finding: "1 data_directory_mode",
      hint: "chmod 0700",
    },
    {
      name: "pg_bindir without programs",
      breakIt: () => configure(n1, { pg_bindir: n1.server.directory }),
      mendIt: () => configure(n1),
      finding: "1 programs_missing",
      hint: "pg_bindir=",
    },
    {
      name: "a command that is not there",
      breakIt: () => configure(n1, { service_stop_command: "/usr/local/bin/no-such-program stop" }),
      mendIt: () => configure(n1),
      finding: "1 command_not_executable",
      hint: "service_stop_command",
    },
    {
      name: "automatic failover without commands",
      breakIt: () => configure(n1, { failover: "automatic" }),
      mendIt: () => configure(n1),
      finding: "1 command_missing",
      hint: "promote_command=",
    },
    {
      name: "a log file in a directory that is not there",
      breakIt: () => configure(n1, { log_file: "/no/such/directory/repmgr.log" }),
      mendIt: () => configure(n1),
      finding: "1 log_file_not_writable",
      hint: "chown",
    },
    {
      name: "a standby that is promoted by hand",
      breakIt: () => setNode(2, "type = 'primary', upstream_node_id = NULL"),
      mendIt: () => setNode(2, "type = 'standby', upstream_node_id = 1"),
      finding: "2 running_as_standby",
      hint: "standby register --force",
    },
  ];

  const confOf = ({ server }: TestNode): string => join(server.dataDirectory, "postgresql.conf");
  const hbaOf = ({ server }: TestNode): string => join(server.dataDirectory, "pg_hba.conf");
  const removeLine = async (path: string, start: string): Promise<void> => {
    const lines = (await readFile(path, "utf8")).split(/(?<=\n)/);
    await writeFile(path, lines.filter((line) => !line.startsWith(start)).join(""));
  };
  const setWorkers = async (change: string, isPending: boolean): Promise<void> => {
    await n1.server.sql(`ALTER SYSTEM ${change}`);
    await n1.server.sql("SELECT pg_reload_conf()");
    await waitUntil("the configuration is read", async () => {
      const [row] = await n1.server.sql<{ pending: boolean }>(
        "SELECT pending_restart AS pending FROM pg_settings WHERE name = 'max_worker_processes'",
      );
      return row?.pending === isPending;
    });
  };

  it.each(cases)("finds $name", async ({ breakIt, mendIt, finding, hint, onlyNote }) => {
    await breakIt();
    try {
      const found = await diagnose(n1.configFile);
      expect(found.codes).toContain(finding);
      expect(found.exitCode).toBe(onlyNote === true ? 0 : 25);
      if (hint !== undefined) expect(hintOf(found, finding.split(" ")[1] ?? "")).toMatch(asPattern(hint));
    } finally {
      await mendIt();
    }
  });

  it("asks sudo, and runs nothing", async () => {
    const directory = await newDirectory("sudo");
    const log = join(directory, "log");
    await writeFile(
      join(directory, "sudo"),
      `#!/bin/sh\nprintf "%s\\n" "$*" >> ${log}\ncase "$*" in *stop*) exit 0;; esac\nexit 1\n`,
      {
        mode: 0o755,
      },
    );
    const sudo = join(directory, "sudo");
    await configure(n1, {
      service_stop_command: `${sudo} -u postgres /bin/echo stop`,
      service_start_command: `${sudo} /bin/echo start`,
    });
    const found = await diagnose(n1.configFile);
    await configure(n1);
    expect(found.codes.filter((code) => code === "1 sudo_refused")).toHaveLength(1);
    expect(hintOf(found, "sudo_refused")).toContain("NOPASSWD: /bin/echo");
    expect((await readFile(log, "utf8")).split("\n").sort()).toEqual([
      "",
      "-n -l /bin/echo start",
      "-n -l /bin/echo stop",
    ]);
  });

  it("shows the hints below the table", async () => {
    await configure(n1, { failover: "automatic" });
    const { stdout, stderr, exitCode } = await runProgram(["-f", n1.configFile, "doctor"]);
    await configure(n1);
    expect(exitCode).toBe(25);
    expect(stdout).toMatch(/^ n1 +\| configuration +\| failed +\| "failover" is automatic/m);
    expect(stderr).toMatch(/^WARNING: 2 problems were found\nHINT: n1, configuration: add to /);
  });

  it("works with the rights of an ordinary role", async () => {
    await n1.server.sql(`CREATE ROLE ordinary LOGIN REPLICATION PASSWORD '${testPassword}'`);
    await n1.server.sql("GRANT USAGE ON SCHEMA repmgr TO ordinary");
    await n1.server.sql("GRANT SELECT ON ALL TABLES IN SCHEMA repmgr TO ordinary");
    const conninfo = n1.server.conninfo.replace("user=repmgr", "user=ordinary");
    await setNode(1, "conninfo = replace(conninfo, 'user=repmgr', 'user=ordinary')");
    await configure(n1, { conninfo });
    const found = await diagnose(n1.configFile);
    await configure(n1);
    await setNode(1, "conninfo = replace(conninfo, 'user=ordinary', 'user=repmgr')");
    expect(found.problems).toEqual([]);
    expect(found).toMatchObject({ exitCode: 0 });
    expect(found.codes).toContain("1 files_not_shown");
  });

  it("tells of a node that is down, and on that node how to start it", async () => {
    await n2.server.stop();
    const fromOther = await diagnose(n1.configFile);
    const there = await diagnose(n2.configFile);
    await n2.server.start();
    await waitUntilAttached(n1, "n2");
    expect(fromOther).toMatchObject({ exitCode: 25 });
    expect(fromOther.codes).toContain("2 connection_failed");
    expect(there).toMatchObject({ exitCode: 25 });
    expect(there.checks.map((check) => check.node_id)).toContain(1);
    expect(hintOf(there, "connection_failed")).toContain("node service --action=start");
  });

  it("says why a server that is down cannot start", async () => {
    await n2.server.stop();
    await appendFile(confOf(n2), "wal_keep_segments = 5\n");
    const found = await diagnose(n2.configFile);
    await removeLine(confOf(n2), "wal_keep_segments");
    await n2.server.start();
    await waitUntilAttached(n1, "n2");
    const row = found.checks.find(({ code }) => code === "server_configuration");
    expect(row?.message).toContain('unrecognized configuration parameter "wal_keep_segments"');
  });
});

const asPattern = (text: string): RegExp =>
  new RegExp(
    text
      .split("|")
      .map((part) => part.replaceAll(/[.*+?^${}()[\]\\]/g, "\\$&"))
      .join("|"),
  );
