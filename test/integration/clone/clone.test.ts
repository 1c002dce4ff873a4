import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { adoptServer, freePort, type TestServer } from "../../harness/postgres-server.js";
import { waitUntil } from "../../harness/wait-until.js";
import { makePlace, makeSource, slotsOf } from "./make-source.js";

describe("standby clone", () => {
  let primary: TestServer;

  beforeAll(async () => {
    primary = await makeSource();
    await primary.sql(`ALTER SYSTEM SET archive_command = 'test ! -f ''/x/%f'' && cp "%p" ''/x/%f'''`);
    await primary.sql("CREATE TABLE public.t AS SELECT 42 AS answer");
  });

  it("shows with --dry-run what it would do and changes nothing", async () => {
    const place = await makePlace(primary, { node_id: 2, use_replication_slots: true });
    const result = await place.clone("--dry-run");
    expect(result.stderr).toMatch(/INFO: all prerequisites for "standby clone" are met\n$/);
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toContain(
      `INFO: would execute:\n  ${primary.binDirectory}/pg_basebackup -l "repmgr base backup" -D ${place.dataDirectory} ` +
        `-h 127.0.0.1 -p ${primary.port} -U repmgr -X stream -S repmgr_slot_2 -w -P\n`,
    );
    expect(result.stderr).toContain("  primary_slot_name = 'repmgr_slot_2'");
    expect(await slotsOf(primary)).toEqual([]);
    await expect(stat(place.dataDirectory)).rejects.toThrow("ENOENT");
  });

  it("makes a standby that streams from the primary through its slot", async () => {
    const place = await makePlace(primary, { node_id: 2, use_replication_slots: true });
    const result = await place.clone("-c");
    expect(result.stderr).toContain(`NOTICE: destination directory "${place.dataDirectory}" provided\n`);
    expect(result.stderr).toContain(
      "NOTICE: standby clone (using pg_basebackup) complete\n" +
        "NOTICE: you can now start your PostgreSQL server\n" +
        `HINT: for example: pg_ctl -D ${place.dataDirectory} start\n` +
        'HINT: after starting the server, you need to register this standby with "tsrepmgr standby register"\n',
    );
    expect(result.exitCode).toBe(0);
    expect(await readFile(join(place.dataDirectory, "postgresql.auto.conf"), "utf8")).toBe(
      (await readFile(join(primary.dataDirectory, "postgresql.auto.conf"), "utf8")) +
        `primary_conninfo = 'host=127.0.0.1 port=${primary.port} user=repmgr application_name=node2 connect_timeout=2'\n` +
        "primary_slot_name = 'repmgr_slot_2'\n",
    );
    const standby = await adoptServer({
      name: "node2",
      dataDirectory: place.dataDirectory,
      port: await freePort(),
    });
    await standby.start();
    await waitUntil(
      "the slot is used",
      async () => (await primary.sql("SELECT FROM pg_replication_slots WHERE active")).length === 1,
    );
    expect(await standby.sql("SELECT answer, pg_is_in_recovery() AS standby FROM public.t")).toEqual([
      { answer: 42, standby: true },
    ]);
    expect(
      await primary.sql(
        "SELECT node_id, event, successful, details FROM repmgr.events WHERE event LIKE 'standby%'",
      ),
    ).toEqual([
      {
        node_id: 2,
        event: "standby_clone",
        successful: true,
        details: `cloned from host "127.0.0.1", port ${primary.port}; backup method: pg_basebackup; --force: N`,
      },
    ]);

    const again = await place.clone("-F");
    expect(again.exitCode).toBe(1);
    expect(again.stderr).toContain(
      `ERROR: specified data directory "${place.dataDirectory}" appears to contain a running PostgreSQL instance`,
    );
  });
});
