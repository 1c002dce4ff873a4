import { readdir, stat } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import type { TestServer } from "../../harness/postgres-server.js";
import { waitUntil } from "../../harness/wait-until.js";
import { makePlace, makeSource, slotsOf, type Place } from "./make-source.js";

const SLOW = { use_replication_slots: true, pg_basebackup_options: "--max-rate=12M" } as const;

describe("standby clone that is ended half-way", () => {
  let primary: TestServer;

  beforeAll(async () => {
    primary = await makeSource();
    await primary.sql("CREATE TABLE public.big AS SELECT repeat('x', 1000) FROM generate_series(1, 30000)");
  });

  const awaitHalfWay = (place: Place): Promise<unknown> =>
    waitUntil("the copy has begun and is marked", async () => {
      const entries = await readdir(place.dataDirectory).catch((): string[] => []);
      return entries.includes("base") && entries.includes("tsrepmgr_clone.json");
    });

  const awaitNoWalSender = (): Promise<unknown> =>
    waitUntil(
      "pg_basebackup has ended",
      async () => (await primary.sql("SELECT FROM pg_stat_replication")).length === 0,
    );

  it.each(["SIGINT", "SIGTERM"] as const)("drops its slot and says what is left after %s", async (signal) => {
    const place = await makePlace(primary, { node_id: 2, ...SLOW });
    const program = place.start("-c");
    await awaitHalfWay(place);
    expect(await slotsOf(primary)).toEqual(["repmgr_slot_2"]);
    program.kill(signal);
    const result = await program.result;
    expect(result.stderr).toContain("ERROR: standby clone was interrupted");
    expect(result.stderr).toContain(`DETAIL: an unfinished copy is left in "${place.dataDirectory}"`);
    expect(result.stderr).toContain('INFO: replication slot "repmgr_slot_2" dropped');
    expect(result.exitCode).toBe(signal === "SIGINT" ? 130 : 143);
    expect(await slotsOf(primary)).toEqual([]);
    await awaitNoWalSender();
  });

  it("leaves a mark when it is killed; -F clones over it with one slot", async () => {
    const place = await makePlace(primary, { node_id: 3, ...SLOW });
    const program = place.start("-c");
    await awaitHalfWay(place);
    program.kill("SIGKILL");
    await program.result;
    await awaitNoWalSender();

    const refused = await place.clone();
    expect(refused.stderr).toContain(
      `ERROR: an unfinished clone lies in data directory "${place.dataDirectory}"`,
    );
    expect(refused.exitCode).toBe(1);
    const repeated = await place.clone("-c", "-F");
    expect(repeated.stderr).toContain("NOTICE: standby clone (using pg_basebackup) complete");
    expect(repeated.exitCode).toBe(0);
    expect(await slotsOf(primary)).toEqual(["repmgr_slot_3"]);
    expect(await readdir(place.dataDirectory)).not.toContain("tsrepmgr_clone.json");
    await stat(`${place.dataDirectory}/standby.signal`);
    await primary.sql("SELECT pg_drop_replication_slot('repmgr_slot_3')");
  }, 90_000);

  it("refuses even with -F while another clone fills the directory", async () => {
    const place = await makePlace(primary, { node_id: 4, ...SLOW });
    const program = place.start("-c");
    await awaitHalfWay(place);
    const second = await place.clone("-F");
    expect(second.stderr).toContain(
      `ERROR: another "standby clone" is writing to data directory "${place.dataDirectory}"\nDETAIL: its process ID is ${program.pid}`,
    );
    expect(second.exitCode).toBe(1);
    program.kill("SIGINT");
    await program.result;
  });
});
