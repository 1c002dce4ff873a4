import { stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findProcessesOf } from "../../../src/system/process-table.js";
import { adoptServer, newDirectory } from "../../harness/postgres-server.js";
import { runProgram, startProgram } from "../../harness/program.js";
import { waitUntil } from "../../harness/wait-until.js";
import {
  addStandby,
  awaitReplay,
  awaitStreaming,
  expectSuccess,
  makeNode,
  makePrimary,
  type Node,
} from "./make-nodes.js";

/** One story: each test goes on where the one before has left the node. */
describe.each(["pg_rewind", "both"] as const)("node rejoin killed while pg_rewind copies: %s", (killed) => {
  let primary: Node;
  let diverged: Node;
  /** A file that pg_rewind has to bring, below the data directory. */
  let copied: string;

  const words = (): string[] => ["node", "rejoin", "-d", primary.server.conninfo];
  let archive: string;
  const forced = (): string[] => [
    ...[...words(), "--force-rewind", "--config-files=postgresql.conf,pg_hba.conf"],
    `--config-archive-dir=${archive}`,
  ];

  beforeAll(async () => {
    archive = await newDirectory("archive");
    diverged = await makePrimary({ settings: { wal_keep_size: "1GB" } });
    primary = await addStandby(diverged, 2);
    await awaitReplay(diverged, primary);
    await primary.server.stop();
    await diverged.server.sql("CREATE TABLE public.lost AS SELECT 1 AS i");
    await diverged.server.stop();
    await primary.server.start();
    await expectSuccess(primary.run("standby", "promote"));
    await primary.server.sql("CREATE TABLE public.big (t text)");
    await primary.server.sql("ALTER TABLE public.big ALTER t SET STORAGE PLAIN");
    await primary.server.sql(
      "INSERT INTO public.big SELECT repeat('x', 7000) FROM generate_series(1, 50000)",
    );
    const [row] = await primary.server.sql<{ path: string }>(
      "SELECT pg_relation_filepath('public.big') AS path",
    );
    copied = join(diverged.server.dataDirectory, row?.path ?? "");
  }, 120_000);

  // After a clone the harness knows two servers of one directory, and would stop both at once.
  afterAll(() => diverged.server.stop("immediate"));

  /** Resolves to the process ID while the copy is under way. */
  const awaitCopy = (): Promise<number> =>
    waitUntil("pg_rewind copies", async () => {
      const [pid] = await findProcessesOf("pg_rewind", diverged.server.dataDirectory);
      const size = await stat(copied).then(
        (facts) => facts.size,
        () => 0,
      );
      return pid !== undefined && size > 0 && pid;
    });

  const expectHalfRewound = async (): Promise<void> => {
    const plain = await diverged.run(...words());
    expect(plain.exitCode, plain.output).toBe(24);
    expect(plain.stderr).toContain("ERROR: an earlier rewind did not finish");
    expect(plain.stderr).toContain("HINT: use --force-rewind to finish it");
    await expect(diverged.server.start()).rejects.toThrow(/has invalid permissions/);
    expect(await diverged.server.isRunning()).toBe(false);
  };

  it("leaves a directory on which no server starts, not even by hand, and says what to do", async () => {
    const program = startProgram(["-f", diverged.conf, ...forced()]);
    const pid = await awaitCopy();
    if (killed === "both") program.kill("SIGKILL");
    process.kill(pid, "SIGKILL");
    const result = await program.result;
    if (killed === "pg_rewind") {
      expect(result.exitCode, result.output).toBe(24);
      expect(result.stderr).toContain("pg_rewind was ended by SIGKILL");
      expect(result.stderr).toMatch(
        /HINT: repeat with --force-rewind to finish it; if that fails too, copy the target again: tsrepmgr -f '.*' standby clone --force -d 'host=/,
      );
    }
    await expectHalfRewound();
  });

  it("finishes with --force-rewind, or with the command that this prints", async () => {
    const result = await diverged.run(...forced());
    if (result.exitCode !== 0) {
      expect(result.exitCode, result.output).toBe(24);
      const [, conf = "", source = ""] =
        /^HINT: copy the target again: tsrepmgr -f '([^']*)' standby clone --force -d '([^']*)'$/m.exec(
          result.stderr,
        ) ?? [];
      await expectSuccess(runProgram(["-f", conf, "standby", "clone", "--force", "-d", source, "-c"]));
      const { dataDirectory, port } = diverged.server;
      diverged = await makeNode(await adoptServer({ name: "node1", dataDirectory, port }), 1);
      await diverged.server.start();
    }
    await awaitStreaming(primary, diverged);
    await awaitReplay(primary, diverged);
    const rows = await diverged.server.sql(
      "SELECT count(*)::int AS kept, to_regclass('public.lost') IS NULL AS gone FROM public.big",
    );
    expect(rows).toEqual([{ kept: 50_000, gone: true }]);
    expect((await stat(diverged.server.dataDirectory)).mode & 0o777).toBe(0o700);
    await diverged.server.stop();
    const again = await expectSuccess(diverged.run(...words()));
    expect(again.stderr).not.toContain("an earlier rewind did not finish");
  }, 120_000);
});
