import { beforeAll, describe, expect, it } from "vitest";
import { runProgram, type ProgramResult } from "../../harness/program.js";
import {
  addStandby,
  createRegisteredPrimary,
  waitUntilAttached,
  type TestNode,
} from "../cluster/make-cluster.js";

describe("node control", () => {
  let n1: TestNode;
  let n2: TestNode;

  const control = (node: TestNode, ...options: string[]): Promise<ProgramResult> =>
    runProgram(["-f", node.configFile, "node", "control", ...options]);
  const receivers = (): Promise<readonly unknown[]> =>
    n2.server.sql("SELECT FROM pg_stat_wal_receiver WHERE pid IS NOT NULL");

  beforeAll(async () => {
    n1 = await createRegisteredPrimary();
    n2 = await addStandby(2, n1);
  });

  it("needs one of its options, and a standby", async () => {
    const nothing = await control(n2);
    expect(nothing.exitCode).toBe(1);
    expect(nothing.stderr).toContain("--disable-wal-receiver or --enable-wal-receiver is required");
    expect((await control(n2, "--disable-wal-receiver", "--enable-wal-receiver")).exitCode).toBe(1);
    const primary = await control(n1, "--disable-wal-receiver");
    expect(primary.exitCode).toBe(1);
    expect(primary.stderr).toContain(
      "ERROR: node is not in recovery\nDETAIL: wal receiver can only run on standby nodes\n",
    );
  });

  it("--dry-run changes nothing", async () => {
    const result = await control(n2, "--disable-wal-receiver", "--dry-run");
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toContain('INFO: would set "wal_retrieve_retry_interval" to 86405000 milliseconds');
    expect(await receivers()).toHaveLength(1);
  });

  it("ends the WAL receiver for good, and brings it back", async () => {
    const disabled = await control(n2, "--disable-wal-receiver");
    expect(disabled.exitCode).toBe(0);
    expect(disabled.stderr).toContain(
      'NOTICE: setting "wal_retrieve_retry_interval" to 86405000 milliseconds',
    );
    expect(disabled.stderr).toMatch(/NOTICE: killing WAL receiver with PID \d+/);
    expect(await receivers()).toHaveLength(0);

    const again = await control(n2, "--disable-wal-receiver");
    expect(again.exitCode).toBe(1);
    expect(again.stderr).toContain("ERROR: wal receiver not running");

    const enabled = await control(n2, "--enable-wal-receiver");
    expect(enabled.exitCode).toBe(0);
    expect(enabled.stderr).toContain('NOTICE: setting "wal_retrieve_retry_interval" to 5000 milliseconds');
    expect(enabled.stderr).toMatch(/INFO: WAL receiver started up with PID \d+/);
    await waitUntilAttached(n1, "n2");

    const unchanged = await control(n2, "--enable-wal-receiver");
    expect(unchanged.exitCode).toBe(0);
    expect(unchanged.stderr).toContain('INFO: "wal_retrieve_retry_interval" is 5000, not changing');
  });
});
