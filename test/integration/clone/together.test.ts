import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { newDirectory, type TestServer } from "../../harness/postgres-server.js";
import { runCommand } from "../../harness/run-command.js";
import { waitUntil } from "../../harness/wait-until.js";
import { makePlace, makeSource } from "./make-source.js";

describe("standby clone -F", () => {
  let primary: TestServer;
  let tablespace: string;

  beforeAll(async () => {
    primary = await makeSource();
    tablespace = await newDirectory("tablespace");
    await primary.sql(`CREATE TABLESPACE elsewhere LOCATION '${tablespace}'`);
    await primary.sql("CREATE TABLE public.big AS SELECT repeat('x', 1000) FROM generate_series(1, 30000)");
  });

  it("lets one of two that start together have the directory, and the copy is whole", async () => {
    const moved = join(await newDirectory("moved"), "tablespace");
    const place = await makePlace(primary, { node_id: 2, tablespace_mapping: `${tablespace}=${moved}` });
    await mkdir(place.dataDirectory);
    for (let file = 0; file < 2000; file += 1) await writeFile(join(place.dataDirectory, `old${file}`), "");
    const results = await Promise.all([place.start("-c", "-F").result, place.start("-c", "-F").result]);
    const output = results.map((result) => result.output).join("\n=====\n");
    expect(results.map(({ exitCode }) => exitCode).sort(), output).toEqual([0, 1]);
    const loser = results.find(({ exitCode }) => exitCode === 1);
    expect(loser?.stderr).toContain(
      `ERROR: another "standby clone" is writing to data directory "${place.dataDirectory}"`,
    );
    await runCommand(join(primary.binDirectory, "pg_verifybackup"), [
      ...["-i", "postgresql.auto.conf", "-i", "standby.signal", place.dataDirectory],
    ]);
  });

  it("empties a directory that an old mark names only if it still is what the mark says", async () => {
    const moved = join(await newDirectory("moved"), "tablespace");
    const values = { node_id: 3, tablespace_mapping: `${tablespace}=${moved}` };
    const place = await makePlace(primary, { ...values, pg_basebackup_options: "--max-rate=12M" });
    const program = place.start("-c");
    await waitUntil("the copy is marked", async () =>
      (await readdir(place.dataDirectory).catch((): string[] => [])).includes("tsrepmgr_clone.json"),
    );
    program.kill("SIGKILL");
    await program.result;

    await rm(moved, { recursive: true });
    await mkdir(moved);
    await writeFile(join(moved, "family-photo.jpg"), "");
    const refused = await place.clone("-c", "-F");
    expect(refused.exitCode, refused.output).toBe(1);
    expect(refused.stderr).toContain(`DETAIL: "${moved}" (1 entries)`);
    expect(await readdir(moved)).toEqual(["family-photo.jpg"]);
  });

  it("refuses a directory whose postmaster.pid is empty", async () => {
    const place = await makePlace(primary, { node_id: 4 });
    await mkdir(place.dataDirectory);
    await writeFile(join(place.dataDirectory, "PG_VERSION"), "15\n");
    await writeFile(join(place.dataDirectory, "postmaster.pid"), "");
    const refused = await place.clone("-c", "-F");
    expect(refused.exitCode, refused.output).toBe(1);
    expect(refused.stderr).toContain("DETAIL: its postmaster.pid is empty or cannot be read");
    expect(await readdir(place.dataDirectory)).toEqual(["PG_VERSION", "postmaster.pid"]);
  });

  it("says what to do when pg_basebackup fails and leaves nothing", async () => {
    const moved = join(await newDirectory("moved"), "tablespace");
    const values = { node_id: 5, tablespace_mapping: `${tablespace}=${moved}` };
    // An option of its own that our reading of the options cannot judge.
    const place = await makePlace(primary, { ...values, pg_basebackup_options: "--compress=99:99" });
    const result = await place.clone("-c");
    expect(result.exitCode, result.output).toBe(14);
    expect(result.stderr).toMatch(/DETAIL: [^]*nothing is left in data directory/);
    expect(result.stderr).toContain(
      "HINT: mend the cause that pg_basebackup names and run the same command again",
    );
  });
});
