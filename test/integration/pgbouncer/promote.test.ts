import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  missingPgbouncer,
  startPgbouncer,
  stopAllPgbouncers,
  type TestPgbouncer,
} from "../../harness/pgbouncer.js";
import { freePort, newDirectory, testPassword } from "../../harness/postgres-server.js";
import { type ProgramResult, runProgram, startProgram, writeRepmgrConf } from "../../harness/program.js";
import { createKey, startSshd, writeSshConfig } from "../../harness/sshd.js";
import { waitUntil } from "../../harness/wait-until.js";
import { addStandby, createRegisteredPrimary, type TestNode } from "../cluster/make-cluster.js";

describe.skipIf(missingPgbouncer !== null)(`standby promote with pgbouncer ${missingPgbouncer ?? ""}`, () => {
  let primary: TestNode;
  let standby: TestNode;
  let pooler: TestPgbouncer;
  let clients: pg.Client[] = [];

  const fileFor = (port: number): string =>
    [
      "; the shop; it must not be lost",
      "[databases]",
      `pea = host=127.0.0.1 port=${port} dbname=repmgr pool_size=5`,
      "# kept as it is",
      `other = host=127.0.0.1 port=${primary.server.port} dbname=repmgr connect_query='select 1; select 2'`,
      "",
    ].join("\n");

  const configure = (values: Readonly<Record<string, string | number>> = {}): Promise<string> =>
    writeRepmgrConf(standby.server, {
      node_id: 2,
      node_name: "n2",
      pgbouncer_hosts: `${pooler.host}:${pooler.port}`,
      pgbouncer_user: "boss",
      pgbouncer_databases: "pea",
      pgbouncer_database_file: pooler.databaseFile,
      pgbouncer_pause_timeout: 2,
      ...values,
    });
  const promote = (...options: string[]): Promise<ProgramResult> =>
    runProgram(["-f", standby.configFile, "standby", "promote", ...options]);
  const connect = async (database: string, user = "repmgr"): Promise<pg.Client> => {
    const client = new pg.Client({ ...pooler, user, database, password: testPassword });
    client.on("error", () => undefined);
    await client.connect();
    clients.push(client);
    return client;
  };
  const listDatabases = async (): Promise<readonly { name: string; port: string; paused: string }[]> => {
    const console = await connect("pgbouncer", "boss");
    return (await console.query<{ name: string; port: string; paused: string }>("SHOW DATABASES")).rows;
  };
  const shown = async (name: string) => {
    const row = (await listDatabases()).find((database) => database.name === name);
    return { port: Number(row?.port), paused: Number(row?.paused) === 1 };
  };

  beforeEach(async () => {
    primary = await createRegisteredPrimary();
    standby = await addStandby(2, primary);
    pooler = await startPgbouncer(fileFor(primary.server.port));
    await configure();
  });

  afterEach(async () => {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
    clients = [];
    await stopAllPgbouncers();
  });

  it("lets clients wait until they reach the new primary, and keeps the rest of the file", async () => {
    const client = await connect("pea");
    await client.query("SELECT 1");
    const slow = `sleep 1; ${standby.server.binDirectory}/pg_ctl -D ${standby.server.dataDirectory} promote`;
    await configure({ service_promote_command: slow });
    await primary.server.stop("fast");
    const { ino } = await stat(pooler.databaseFile);
    const promotion = promote();
    await waitUntil("the database is paused", async () => (await shown("pea")).paused);
    const answer = client.query<{ port: number }>("SELECT inet_server_port() AS port");
    const result = await promotion;
    expect(result.exitCode, result.output).toBe(0);
    expect(result.stderr).toContain(`leads to 127.0.0.1:${standby.server.port} now`);
    expect((await answer).rows).toEqual([{ port: standby.server.port }]);
    expect(await readFile(pooler.databaseFile, "utf8")).toBe(fileFor(standby.server.port));
    const written = await stat(pooler.databaseFile);
    expect(written.mode & 0o777).toBe(0o640);
    expect(written.ino, "a new file took its place in one step").not.toBe(ino);
    expect(await shown("pea")).toEqual({ port: standby.server.port, paused: false });
    expect(await shown("other")).toEqual({ port: primary.server.port, paused: false });
  });

  it("shows with --dry-run what would be done, and changes nothing", async () => {
    await primary.server.stop("immediate");
    const result = await promote("--dry-run");
    expect(result.exitCode, result.output).toBe(0);
    const name = `pgbouncer "127.0.0.1:${pooler.port}"`;
    expect(result.stderr).toContain(`INFO: database "pea" on ${name} would be paused`);
    expect(result.stderr).toContain(
      `INFO: ${name} would be led to 127.0.0.1:${standby.server.port}, reloaded and resumed\n` +
        `DETAIL: entries in "${pooler.databaseFile}" and where they led before: "pea" (127.0.0.1:${primary.server.port})`,
    );
    expect(await readFile(pooler.databaseFile, "utf8")).toBe(fileFor(primary.server.port));
    expect(await pooler.log()).not.toContain("PAUSE");

    await configure({ pgbouncer_user: "joe" });
    expect((await promote("--dry-run")).stderr).toContain(
      'DETAIL: user "joe" must be one of its "admin_users"',
    );
  });

  it("promotes without a pgbouncer that is down, leads the others, and tells what is left", async () => {
    const dead = await freePort();
    await configure({ pgbouncer_hosts: `127.0.0.1:${dead},${pooler.host}:${pooler.port}` });
    await primary.server.stop("immediate");
    const result = await promote();
    expect(result.exitCode, result.output).toBe(0);
    expect(result.stderr).toContain(
      `WARNING: unable to pause database "pea" on pgbouncer "127.0.0.1:${dead}"`,
    );
    expect(result.stderr).toContain(
      `WARNING: pgbouncer "127.0.0.1:${dead}" could not be led to the new primary`,
    );
    expect(result.stderr).toContain(
      `psql -h 127.0.0.1 -p ${dead} -U boss -d pgbouncer -c RELOAD -c 'RESUME "pea"'`,
    );
    expect(await shown("pea")).toEqual({ port: standby.server.port, paused: false });
  });

  it.each([
    ["joe", "admin access needed"],
    ["eve", "not allowed"],
  ])("promotes with the user %s, whom pgbouncer does not take for an administrator", async (user, reason) => {
    await configure({ pgbouncer_user: user });
    await primary.server.stop("immediate");
    const result = await promote();
    expect(result.exitCode, result.output).toBe(0);
    expect(result.stderr).toContain(reason);
    expect(result.stderr).toContain(`user "${user}" must be one of its "admin_users"`);
    expect(await shown("pea")).toEqual({ port: primary.server.port, paused: false });
  });

  it("does not wait for a long transaction beyond the timeout", async () => {
    const client = await connect("pea");
    await client.query("BEGIN");
    await client.query("SELECT 1");
    primary.server.signal("SIGSTOP");
    try {
      const result = await promote();
      expect(result.exitCode, result.output).toBe(0);
      expect(result.stderr).toContain('WARNING: transactions still run in database "pea"');
      expect(await shown("pea")).toEqual({ port: standby.server.port, paused: false });
    } finally {
      primary.server.signal("SIGCONT");
    }
  });

  it("resumes without changing the file when the promotion fails, and on Ctrl-C", async () => {
    await primary.server.stop("immediate");
    await configure({ service_promote_command: "exit 4" });
    const failed = await promote();
    expect(failed.exitCode).toBe(8);
    expect(failed.stderr).toContain('NOTICE: resumed database "pea"');
    expect(await shown("pea")).toEqual({ port: primary.server.port, paused: false });

    await configure({ service_promote_command: "true" });
    const program = startProgram(["-f", standby.configFile, "standby", "promote"]);
    await waitUntil("the database is paused", async () => (await shown("pea")).paused);
    program.kill("SIGINT");
    expect((await program.result).exitCode).toBe(130);
    expect(await shown("pea")).toEqual({ port: primary.server.port, paused: false });
    expect(await readFile(pooler.databaseFile, "utf8")).toBe(fileFor(primary.server.port));
  });

  it("leaves the clients waiting where the file cannot be rewritten: the old primary must get no writes", async () => {
    await writeFile(
      pooler.databaseFile,
      `[databases]\npea = host=127.0.0.1 port=${primary.server.port} dbname\n`,
    );
    await primary.server.stop("immediate");
    const result = await promote();
    expect(result.exitCode, result.output).toBe(0);
    expect(result.stderr).toContain("line 2 is no connection string of pgbouncer");
    expect(result.stderr).toContain('"pea" stays paused');
    expect((await shown("pea")).paused).toBe(true);
  });

  it("says so when pgbouncer reads another file than the one that is named", async () => {
    const file = `${await newDirectory("elsewhere")}/databases.ini`;
    await writeFile(file, fileFor(primary.server.port));
    await configure({ pgbouncer_database_file: file });
    await primary.server.stop("immediate");
    const result = await promote();
    expect(result.stderr).toContain(
      `after RELOAD its "pea" does not lead to 127.0.0.1:${standby.server.port}: it reads another file`,
    );
  });

  it("writes the file of another host over SSH, also in a directory that may not be written to", async () => {
    await stopAllPgbouncers();
    pooler = await startPgbouncer(fileFor(primary.server.port), "127.0.0.2");
    const directory = dirname(pooler.databaseFile);
    await chmod(directory, 0o500);
    const key = await createKey(await newDirectory("keys"), "id_test");
    const sshd = await startSshd({ allowedKeys: [key] });
    const { sshOptions } = await writeSshConfig({
      hosts: { "127.0.0.2": sshd },
      knownHosts: [sshd],
      keys: [key],
    });
    await configure({ ssh_options: sshOptions });
    await primary.server.stop("immediate");
    const result = await promote();
    await chmod(directory, 0o700);
    expect(result.exitCode, result.output).toBe(0);
    expect(await sshd.countLogins()).toBe(1);
    expect(await readFile(pooler.databaseFile, "utf8")).toBe(fileFor(standby.server.port));
    expect(await shown("pea")).toEqual({ port: standby.server.port, paused: false });
  });
});
