import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { createPrimary, freePort, testPassword, type TestServer } from "../../harness/postgres-server.js";
import { runProgram, writeRepmgrConf } from "../../harness/program.js";
import { makePlace, makeSource, slotsOf, type Place } from "./make-source.js";

describe("standby clone refuses", () => {
  let primary: TestServer;
  let place: Place;

  beforeAll(async () => {
    primary = await makeSource({
      hba: [
        "host replication outsider 127.0.0.1/32 reject",
        "host all all 127.0.0.1/32 scram-sha-256",
        "host replication repmgr 127.0.0.1/32 scram-sha-256",
      ],
    });
    await primary.sql(`CREATE ROLE outsider LOGIN REPLICATION PASSWORD '${testPassword}'`);
    place = await makePlace(primary, { node_id: 2, use_replication_slots: true });
  });

  /** Whatever the reason: nothing is written, no slot is left. */
  afterEach(async () => {
    expect(await slotsOf(primary)).toEqual([]);
    await expect(readdir(place.dataDirectory)).rejects.toThrow("ENOENT");
  });

  const target = (changes: Record<string, string | number>): string =>
    Object.entries({ host: "127.0.0.1", port: primary.port, user: "repmgr", dbname: "repmgr", ...changes })
      .map(([key, value]) => `${key}='${value}'`)
      .join(" ");

  it.each([
    ["a host that does not exist", { host: "nowhere.invalid" }, /DETAIL: .*nowhere\.invalid/],
    [
      "a port where nobody listens",
      { port: 1 },
      /HINT: start the server, or check that it listens on port 1 /,
    ],
    ["a wrong password", { password: "wrong" }, /DETAIL: .*password authentication failed/],
    ["a database that does not exist", { dbname: "nodb" }, /DETAIL: .*database "nodb" does not exist/],
    ["a user that does not exist", { user: "nobody" }, /DETAIL: .*authentication failed/],
  ])("%s", async (_case, changes, expected) => {
    const result = await place.clone("-d", target(changes));
    expect(result.stderr).toContain("ERROR: connection to database failed\n");
    expect(result.stderr).toMatch(expected);
    expect(result.exitCode).toBe(6);
  });

  it("a database without metadata", async () => {
    const result = await place.clone("-d", target({ dbname: "postgres" }));
    expect(result.stderr).toContain('ERROR: repmgr metadata not found in database "postgres"\n');
    expect(result.exitCode).toBe(1);
  });

  it("a replication user whom pg_hba.conf keeps out, with the line that lets it in", async () => {
    const result = await place.clone("--replication-user=outsider");
    expect(result.stderr).toContain(
      "ERROR: unable to open the 2 replication connections that the backup requires\n",
    );
    expect(result.stderr).toContain(
      'HINT: add the line "host replication outsider 127.0.0.1/32 scram-sha-256" to pg_hba.conf',
    );
    expect(result.exitCode).toBe(1);
  });

  it("a node name that another node has", async () => {
    const namesake = await makePlace(primary, { node_id: 2, node_name: "node1" });
    const result = await namesake.clone();
    expect(result.stderr).toContain('ERROR: another node (ID: 1) already exists with node_name "node1"\n');
    expect(result.exitCode).toBe(1);
  });

  it("an upstream that is not registered", async () => {
    const result = await place.clone("--upstream-node-id=9");
    expect(result.stderr).toContain("ERROR: unable to find record for upstream node 9\n");
    expect(result.exitCode).toBe(1);
  });

  it("Barman for now, but --without-barman uses pg_basebackup", async () => {
    const barman = await makePlace(primary, { node_id: 2, barman_host: "barman", barman_server: "main" });
    const refused = await barman.clone("--dry-run");
    expect(refused.stderr).toContain("HINT: use --without-barman to clone with pg_basebackup\n");
    expect(refused.exitCode).toBe(1);
    expect((await barman.clone("--dry-run", "--without-barman")).exitCode).toBe(0);
  });

  it("shell operators in pg_basebackup_options", async () => {
    const unsafe = await makePlace(primary, { node_id: 2, pg_basebackup_options: "-v; touch /tmp/x" });
    const result = await unsafe.clone();
    expect(result.stderr).toContain('ERROR: parameter "pg_basebackup_options" cannot be used\n');
    expect(result.exitCode).toBe(1);
  });

  it("a directory that is not empty, and deletes it with -F", async () => {
    const taken = await makePlace(primary, { node_id: 3 });
    await mkdir(taken.dataDirectory);
    await writeFile(join(taken.dataDirectory, "precious"), "");
    const refused = await taken.clone();
    expect(refused.stderr).toContain(
      `ERROR: specified data directory "${taken.dataDirectory}" exists but is not empty\nHINT: use -F/--force`,
    );
    expect(refused.exitCode).toBe(1);
    expect(await readdir(taken.dataDirectory)).toEqual(["precious"]);
    const forced = await taken.clone("-F", "-c");
    expect(forced.exitCode).toBe(0);
    expect(forced.stderr).toContain(`NOTICE: deleting existing directory "${taken.dataDirectory}"\n`);
    const again = await taken.clone("-F", "-c");
    expect(again.stderr).toContain(
      `NOTICE: -F/--force provided - deleting existing data directory "${taken.dataDirectory}"\n`,
    );
    expect(await readdir(taken.dataDirectory)).not.toContain("precious");
  });

  it("the data directory of a running server, even with -F", async () => {
    const wrong = await makePlace(primary, { node_id: 3, data_directory: primary.dataDirectory });
    const result = await wrong.clone("-F");
    expect(result.stderr).toContain("appears to contain a running PostgreSQL instance");
    expect(result.exitCode).toBe(1);
    expect(await primary.sql("SELECT 1 AS alive")).toEqual([{ alive: 1 }]);
  });

  it("a directory that holds the data directories of other servers, even with -F", async () => {
    const above = await makePlace(primary, { node_id: 3, data_directory: primary.directory });
    const result = await above.clone("-F");
    expect(result.stderr).toContain(
      `ERROR: "${primary.directory}" holds more than one data directory would\n`,
    );
    expect(result.stderr).toContain(`"${primary.dataDirectory}"`);
    expect(result.exitCode).toBe(1);
    expect(await primary.sql("SELECT 1 AS alive")).toEqual([{ alive: 1 }]);
  });

  it("a symbolic link that leads nowhere", async () => {
    const linked = await makePlace(primary, { node_id: 3 });
    await symlink("/nowhere/at/all", linked.dataDirectory);
    expect((await linked.clone()).stderr).toContain("is a symbolic link that leads nowhere");
  });
});

describe("standby clone of a source that is not ready", () => {
  const settingsRefused = async (
    settings: Record<string, string>,
    values: Record<string, string | boolean> = {},
  ): Promise<{ stderr: string; exitCode: number | null }> => {
    const primary = await makeSource({ settings });
    const place = await makePlace(primary, { node_id: 2, ...values });
    const result = await place.clone();
    await expect(readdir(place.dataDirectory)).rejects.toThrow("ENOENT");
    await primary.stop();
    return result;
  };

  it("names every setting that is wrong", async () => {
    const result = await settingsRefused({ wal_level: "minimal", max_wal_senders: "0", archive_mode: "off" });
    expect(result.stderr).toContain(
      'ERROR: parameter "wal_level" must be set to "replica" or "logical"\nDETAIL: current setting of "wal_level" is "minimal"',
    );
    expect(result.stderr).toContain('ERROR: parameter "max_wal_senders" must be set to at least 1');
    expect(result.exitCode).toBe(1);
  });

  it("says that no walsender is free", async () => {
    const result = await settingsRefused({ max_wal_senders: "1" });
    expect(result.stderr).toContain(
      "ERROR: insufficient free walsenders on the source node\nDETAIL: 2 required, 1 of 1 free",
    );
    expect(result.exitCode).toBe(1);
  });

  it("says that no slot is free", async () => {
    const primary = await makeSource({ settings: { max_replication_slots: "1" } });
    await primary.sql("SELECT pg_create_physical_replication_slot('taken')");
    const place = await makePlace(primary, { node_id: 2, use_replication_slots: true });
    const result = await place.clone();
    expect(result.stderr).toContain("ERROR: no free replication slot on the source node");
    expect(result.exitCode).toBe(7);
    expect(await primary.sql("SELECT successful FROM repmgr.events WHERE event = 'standby_clone'")).toEqual([
      { successful: false },
    ]);
  });

  it("refuses a source of another cluster than its metadata names", async () => {
    const [primary, stranger] = await Promise.all([makeSource(), createPrimary({ name: "stranger" })]);
    const dump = await primary.sql<{ conninfo: string }>("SELECT conninfo FROM repmgr.nodes");
    const conf = await writeRepmgrConf(stranger, { node_id: 1, node_name: "node1" });
    const place = await makePlace(stranger, { node_id: 2 });
    await registerAs(stranger, conf, String(dump[0]?.conninfo));
    const result = await place.clone();
    expect(result.stderr).toContain(
      "ERROR: the source node belongs to another cluster than the nodes registered there",
    );
    expect(result.exitCode).toBe(1);
  });

  it("says that the port of a stopped server refuses", async () => {
    const primary = await makeSource();
    const place = await makePlace(primary, { node_id: 2 });
    const result = await place.clone("-h", primary.host, "-p", String(await freePort()), "-U", "repmgr");
    expect(result.exitCode).toBe(6);
  });
});

async function registerAs(server: TestServer, conf: string, conninfo: string): Promise<void> {
  await runProgram(["-f", conf, "primary", "register"]);
  await server.sql("UPDATE repmgr.nodes SET conninfo = $1", [conninfo]);
}
