import { mkdir, readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { adoptServer, freePort, newDirectory, type TestServer } from "../../harness/postgres-server.js";
import { runProgram } from "../../harness/program.js";
import { makePlace, makeSource, slotsOf, type Place } from "./make-source.js";

describe("standby clone in detail", () => {
  let primary: TestServer;
  let tablespace: string;

  beforeAll(async () => {
    primary = await makeSource();
    tablespace = await newDirectory("tablespace");
    await primary.sql(`CREATE TABLESPACE elsewhere LOCATION '${tablespace}'`);
    await primary.sql("CREATE TABLE public.t TABLESPACE elsewhere AS SELECT 42 AS answer");
  });

  const mapped = async (
    values: Record<string, string | boolean> = {},
  ): Promise<Place & { moved: string }> => {
    const moved = join(await newDirectory("moved"), "tablespace");
    const place = await makePlace(primary, {
      node_id: 2,
      tablespace_mapping: `${tablespace}=${moved}`,
      ...values,
    });
    return { ...place, moved };
  };

  it("refuses to fill a tablespace directory that is in use", async () => {
    const place = await makePlace(primary, { node_id: 2 });
    const result = await place.clone();
    expect(result.stderr).toContain(
      "ERROR: directories outside the data directory that the clone needs are not empty",
    );
    expect(result.stderr).toContain(`DETAIL: "${tablespace}" (1 entries)`);
    expect(result.exitCode).toBe(1);
  });

  it("refuses a mapping of a directory that is no tablespace", async () => {
    const place = await mapped({ tablespace_mapping: `/nowhere=${tablespace}x` });
    const result = await place.clone();
    expect(result.stderr).toContain('DETAIL: not found: "/nowhere"; tablespaces of the source: ');
    expect(result.exitCode).toBe(1);
  });

  it("moves tablespaces, puts WAL elsewhere and verifies the copy", async () => {
    const wal = join(await newDirectory("wal"), "wal");
    const place = await mapped({ pg_basebackup_options: `--waldir=${wal}` });
    const result = await place.clone("-c", "--verify-backup", "--recovery-min-apply-delay=5min");
    expect(result.stderr).toContain("INFO: backup successfully verified\n");
    expect(result.exitCode).toBe(0);
    expect(await readdir(place.moved)).toHaveLength(1);
    expect(await readlink(join(place.dataDirectory, "pg_wal"))).toBe(wal);
    expect(await readFile(join(place.dataDirectory, "postgresql.auto.conf"), "utf8")).toMatch(
      /\nrecovery_min_apply_delay = '5min'\n$/,
    );
  });

  it("asks the upstream as the user of its record, whatever user --upstream-conninfo names", async () => {
    const place = await mapped({ use_replication_slots: true });
    const upstream = `host=127.0.0.1 port=${primary.port} user=nobody`;
    const result = await place.clone("--dry-run", `--upstream-conninfo=${upstream}`);
    expect(result.stderr).not.toContain("WARNING");
    expect(result.stderr).toMatch(/primary_conninfo = '.*\buser=repmgr\b/);
    expect(result.exitCode).toBe(0);
  });

  it("takes the host as the third word", async () => {
    const place = await mapped();
    const result = await runProgram([
      ...["-f", place.conf, "-U", "repmgr", "-d", "repmgr", "-p", String(primary.port)],
      ...["standby", "clone", "127.0.0.1", "--dry-run"],
    ]);
    expect(result.exitCode).toBe(0);
  });

  it("keeps the password of a connection string out of command line and output, but hands it on", async () => {
    await primary.sql("CREATE ROLE cloner SUPERUSER LOGIN PASSWORD 'hidden'");
    const place = await mapped({ replication_user: "cloner" });
    const conninfo = `host=127.0.0.1 port=${primary.port} user=cloner dbname=repmgr password=hidden`;
    const result = await place.clone("-c", "-d", conninfo, "--replication-user=cloner");
    expect(result.stderr).toContain(
      `pg_basebackup -l "repmgr base backup" -D ${place.dataDirectory} -d "host=127.0.0.1 `,
    );
    expect(result.output).not.toContain("hidden");
    expect(result.exitCode).toBe(0);
  });

  it("uses the data directory as it is when it is a mount point or otherwise there already", async () => {
    const place = await mapped();
    await mkdir(place.dataDirectory, { mode: 0o755 });
    const result = await place.clone("-c", "-q");
    expect(result).toMatchObject({ exitCode: 0, output: "" });
  });

  it("says which program of PostgreSQL it does not find", async () => {
    const place = await mapped({ pg_bindir: "/nonexistent" });
    const result = await place.clone();
    expect(result.stderr).toContain(
      'ERROR: unable to execute "pg_basebackup"\nDETAIL: it was looked for in "/nonexistent"',
    );
    expect(result.exitCode).toBe(1);
  });

  it("clones from a standby and leaves the slot on the primary only", async () => {
    const first = await mapped({ use_replication_slots: true });
    expect((await first.clone("-c")).exitCode).toBe(0);
    const standby = await adoptServer({
      name: "node2",
      dataDirectory: first.dataDirectory,
      port: await freePort(),
    });
    await standby.start();

    const place = await mapped({ use_replication_slots: true });
    const second = await makePlace(standby, {
      node_id: 3,
      use_replication_slots: true,
      tablespace_mapping: `${first.moved}=${place.moved}`,
    });
    const result = await second.clone("-c");
    expect(result.stderr).toContain('NOTICE: creating replication slot "repmgr_slot_3" on upstream node 1');
    expect(result.exitCode).toBe(0);
    expect(await slotsOf(standby)).toEqual([]);
    expect(await slotsOf(primary)).toEqual(["repmgr_slot_2", "repmgr_slot_3"]);
    const conf = await readFile(join(second.dataDirectory, "postgresql.auto.conf"), "utf8");
    expect(conf.match(/primary_slot_name/g)).toHaveLength(1);
    expect(conf).toContain(`port=${primary.port}`);
    await standby.stop();
  });
});

describe("standby clone --replication-conf-only", () => {
  it("writes the settings of a registered standby that is down, and makes its slot", async () => {
    const primary = await makeSource();
    const place = await makePlace(primary, { node_id: 2, use_replication_slots: true });
    expect((await place.clone("-c")).exitCode).toBe(0);
    const register = [
      "-f",
      place.conf,
      "-h",
      primary.host,
      "-p",
      String(primary.port),
      "-U",
      "repmgr",
      "-d",
      "repmgr",
    ];
    const unregistered = await place.clone("--replication-conf-only");
    expect(unregistered.stderr).toContain("ERROR: unable to find record for this node (ID: 2)");
    expect((await runProgram([...register, "standby", "register", "-F"])).exitCode).toBe(0);
    await primary.sql("SELECT pg_drop_replication_slot('repmgr_slot_2')");
    await primary.sql("UPDATE repmgr.nodes SET slot_name = NULL WHERE node_id = 2");
    await writeFile(join(place.dataDirectory, "postgresql.auto.conf"), "# mine\nwork_mem = '5MB'");

    const dry = await place.clone("--replication-conf-only", "--dry-run");
    expect(dry.stderr).toContain("  primary_slot_name = 'repmgr_slot_2'");
    expect(await slotsOf(primary)).toEqual([]);
    const result = await place.clone("--replication-conf-only");
    expect(result.stderr).toContain("NOTICE: replication configuration written");
    expect(result.exitCode).toBe(0);
    expect(await slotsOf(primary)).toEqual(["repmgr_slot_2"]);
    expect(await primary.sql("SELECT slot_name FROM repmgr.nodes WHERE node_id = 2")).toEqual([
      { slot_name: "repmgr_slot_2" },
    ]);
    expect(await readFile(join(place.dataDirectory, "postgresql.auto.conf"), "utf8")).toBe(
      "# mine\nwork_mem = '5MB'\n" +
        `primary_conninfo = 'host=127.0.0.1 port=${primary.port} user=repmgr connect_timeout=2 application_name=node2'\n` +
        "primary_slot_name = 'repmgr_slot_2'\n",
    );
  });
});
