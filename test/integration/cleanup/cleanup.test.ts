import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runProgram, type ProgramResult } from "../../harness/program.js";
import { createRegisteredPrimary, insertNode, type TestNode } from "../cluster/make-cluster.js";

describe("cluster cleanup", () => {
  let n1: TestNode;

  const cleanUp = (...options: string[]): Promise<ProgramResult> =>
    runProgram(["-f", n1.configFile, "cluster", "cleanup", ...options]);
  /** Rows of the standbys 2 and 3. */
  const counts = async (): Promise<readonly number[]> => {
    const [row] = await n1.server.sql<{ two: number; three: number }>(
      `SELECT count(*) FILTER (WHERE standby_node_id = 2)::int AS two,
              count(*) FILTER (WHERE standby_node_id = 3)::int AS three FROM repmgr.monitoring_history`,
    );
    return [row?.two ?? -1, row?.three ?? -1];
  };
  const lastEvent = async (): Promise<unknown> => {
    const [row] = await n1.server.sql(
      "SELECT node_id, event, details FROM repmgr.events ORDER BY event_timestamp DESC LIMIT 1",
    );
    return row;
  };

  beforeAll(async () => {
    n1 = await createRegisteredPrimary();
    for (const node_id of [2, 3]) await insertNode(n1, { node_id });
  });

  beforeEach(async () => {
    await n1.server.sql("TRUNCATE repmgr.monitoring_history");
    await n1.server.sql(
      `INSERT INTO repmgr.monitoring_history
       SELECT 1, standby, now() - make_interval(days => days), now(), '0/1', '0/1', 0, 0
         FROM generate_series(0, 9) days, generate_series(2, 3) standby`,
    );
  });

  it.each([
    [[], [0, 0], "all monitoring records deleted"],
    [["-k", "5"], [5, 5], "monitoring records deleted; records newer than 5 day(s) retained"],
    [["--node-id=3"], [10, 0], "all monitoring records deleted for node 3"],
    [
      ["--keep-history=5", "--node-id=2"],
      [5, 10],
      "monitoring records deleted for node 2; records newer than 5 day(s) retained",
    ],
  ])("with %j leaves %j", async (options, remaining, details) => {
    const result = await cleanUp(...options);
    expect(result).toMatchObject({
      exitCode: 0,
      stderr: `INFO: connecting to primary server\nINFO: vacuum of table "repmgr.monitoring_history" completed\nNOTICE: ${details}\n`,
    });
    expect(await counts()).toEqual(remaining);
    expect(await lastEvent()).toEqual({ node_id: 1, event: "cluster_cleanup", details });
  });

  it("only counts with --dry-run", async () => {
    const result = await cleanUp("--dry-run", "-k", "5");
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toContain(
      "INFO: would delete 10 monitoring record(s); records newer than 5 day(s) retained",
    );
    expect(await counts()).toEqual([10, 10]);
  });

  it("has nothing to do without old records, and raises no event", async () => {
    await n1.server.sql("DELETE FROM repmgr.events");
    const result = await cleanUp("-k", "50");
    expect(result).toMatchObject({
      exitCode: 0,
      stderr: "INFO: connecting to primary server\nINFO: no monitoring records to delete\n",
    });
    expect(await lastEvent()).toBeUndefined();
  });

  it("refuses an unknown node", async () => {
    const result = await cleanUp("--node-id=9");
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("node 9 (specified with --node-id) not found");
  });

  it("exits 7 and raises the event when it may not delete", async () => {
    await n1.server.sql(
      "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today'; END $$",
    );
    await n1.server.sql(
      "CREATE TRIGGER refuse BEFORE TRUNCATE ON repmgr.monitoring_history EXECUTE FUNCTION refuse()",
    );
    const result = await cleanUp();
    await n1.server.sql("DROP TRIGGER refuse ON repmgr.monitoring_history");
    expect(result.exitCode).toBe(7);
    expect(result.stderr).toContain("ERROR: unable to delete monitoring records\nDETAIL: not today");
    expect(await lastEvent()).toMatchObject({
      details: "unable to delete monitoring records: not today",
    });
  });

  it("exits 7 without a registered primary", async () => {
    await n1.server.sql("UPDATE repmgr.nodes SET active = false WHERE node_id = 1");
    const result = await cleanUp();
    await n1.server.sql("UPDATE repmgr.nodes SET active = true WHERE node_id = 1");
    expect(result.exitCode).toBe(7);
    expect(result.stderr).toContain("no active primary is registered");
  });
});
