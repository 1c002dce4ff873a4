import { beforeEach, describe, expect, it } from "vitest";
import type { TestServer } from "../../harness/postgres-server.js";
import { runProgram, writeRepmgrConf, type ProgramResult } from "../../harness/program.js";
import { createPrimary } from "../../harness/postgres-server.js";
import { createStandby } from "../../harness/standby.js";

describe("standby promote", () => {
  let primary: TestServer;
  let standby: TestServer;
  let conf: string;

  const confOfStandby = (values: Readonly<Record<string, string | number>> = {}): Promise<string> =>
    writeRepmgrConf(standby, { node_id: 2, node_name: "node2", ...values });
  const promote = (...options: string[]): Promise<ProgramResult> =>
    runProgram(["-f", conf, "standby", "promote", ...options]);
  const isStandby = async (): Promise<unknown> =>
    (await standby.sql("SELECT pg_is_in_recovery() AS yes"))[0]?.["yes"];

  beforeEach(async () => {
    primary = await createPrimary({ name: "node1" });
    const primaryConf = await writeRepmgrConf(primary, { node_id: 1, node_name: "node1" });
    await runProgram(["-f", primaryConf, "primary", "register"]);
    standby = await createStandby(primary, "node2");
    conf = await confOfStandby();
    await runProgram(["-f", conf, "standby", "register", "--wait-sync=20"]);
  });

  it("refuses while a primary is alive, also with --force, and on a primary", async () => {
    const result = await promote("-F");
    expect(result.exitCode).toBe(8);
    expect(result.stderr).toContain(
      'ERROR: this replication cluster already has an active primary server\nDETAIL: current primary is "node1" (ID: 1)',
    );
    expect(await isStandby()).toBe(true);
    const primaryConf = await writeRepmgrConf(primary, { node_id: 1, node_name: "node1" });
    const onPrimary = await runProgram(["-f", primaryConf, "standby", "promote"]);
    expect(onPrimary.exitCode).toBe(8);
    expect(onPrimary.stderr).toContain("ERROR: STANDBY PROMOTE can only be executed on a standby node");
  });

  it("promotes when the primary is gone; --dry-run before changes nothing", async () => {
    await primary.stop("immediate");
    const dryRun = await promote("--dry-run");
    expect(dryRun.exitCode, dryRun.output).toBe(0);
    expect(dryRun.stderr).toContain('INFO: node will be promoted using the "pg_promote()" function');
    expect(await isStandby()).toBe(true);

    const result = await promote();
    expect(result.exitCode, result.output).toBe(0);
    expect(result.stderr).toContain(
      'NOTICE: STANDBY PROMOTE successful\nDETAIL: server "node2" (ID: 2) was successfully promoted to primary',
    );
    expect(await isStandby()).toBe(false);
    expect(
      await standby.sql("SELECT node_id, type, upstream_node_id, active FROM repmgr.nodes ORDER BY node_id"),
    ).toEqual([
      { node_id: 1, type: "primary", upstream_node_id: null, active: false },
      { node_id: 2, type: "primary", upstream_node_id: null, active: true },
    ]);
    expect(
      await standby.sql("SELECT successful, details FROM repmgr.events WHERE event = 'standby_promote'"),
    ).toEqual([{ successful: true, details: 'server "node2" (ID: 2) was successfully promoted to primary' }]);
  });

  it("records a promotion with a term and its fork, and leaves that to the daemon that runs it", async () => {
    await primary.stop("immediate");
    const asDaemon = (deadlineMs: number, until?: string): Promise<ProgramResult> =>
      runProgram(["-f", conf, "standby", "promote"], {
        env: {
          TSREPMGR_PROMOTE_DEADLINE: String(deadlineMs),
          TSREPMGR_PROMOTE_UNTIL: until,
          TSREPMGR_PROMOTE_TERM: "7",
        },
      });
    const promotions = (): Promise<readonly Record<string, unknown>[]> =>
      standby.sql("SELECT value FROM repmgr.settings WHERE name LIKE 'promotion%'");
    // The second is of a daemon that slept after it had counted what is left.
    for (const late of [await asDaemon(1), await asDaemon(30_000, "1")]) {
      expect(late.exitCode).toBe(8);
      expect(late.stderr).toContain("ERROR: too late to promote this server");
    }
    expect(await isStandby()).toBe(true);
    const inTime = await asDaemon(30_000);
    expect(inTime.exitCode, inTime.output).toBe(0);
    expect(await promotions()).toEqual([]);

    await standby.sql("UPDATE repmgr.nodes SET type = 'standby' WHERE node_id = 2");
    expect((await promote()).exitCode).toBe(0);
    const [record] = await promotions();
    expect(record?.["value"]).toMatch(/^term=2 node=2 timeline=2 fork=0\/[1-9A-F]/);
    expect(await standby.sql("SELECT term FROM repmgr.voting_term")).toEqual([{ term: 2 }]);
  });

  it("ends a pause of replay and loses nothing that was received", async () => {
    await standby.sql("SELECT pg_wal_replay_pause()");
    await primary.sql("CREATE TABLE public.late AS SELECT generate_series(1, 1000) AS i");
    await primary.stop();
    const result = await promote();
    expect(result.exitCode, result.output).toBe(0);
    expect(result.stderr).toContain("WARNING: WAL replay is paused on this node");
    expect(await standby.sql("SELECT count(*)::int AS rows FROM public.late")).toEqual([{ rows: 1000 }]);
  });

  it("uses service_promote_command, and says when that does not promote", async () => {
    await primary.stop("immediate");
    conf = await confOfStandby({ service_promote_command: "echo no luck today >&2; exit 4" });
    const failed = await promote();
    expect(failed.exitCode).toBe(8);
    expect(failed.stderr).toContain("DETAIL: no luck today");

    conf = await confOfStandby({ service_promote_command: "true", promote_check_timeout: 1 });
    const idle = await promote();
    expect(idle.exitCode).toBe(8);
    expect(idle.stderr).toContain("ERROR: STANDBY PROMOTE failed: the server is still in recovery");

    const control = `${standby.binDirectory}/pg_ctl -D ${standby.dataDirectory} promote`;
    conf = await confOfStandby({ service_promote_command: control });
    expect((await promote()).exitCode).toBe(0);
    expect(await isStandby()).toBe(false);
  });
});
