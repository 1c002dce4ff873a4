import { appendFile, readFile, rename } from "node:fs/promises";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  missingPgbouncer,
  startPgbouncer,
  stopAllPgbouncers,
  type TestPgbouncer,
} from "../../harness/pgbouncer.js";
import { testPassword } from "../../harness/postgres-server.js";
import { runProgram } from "../../harness/program.js";
import { waitUntil } from "../../harness/wait-until.js";
import type { TestNode } from "../cluster/make-cluster.js";
import {
  createFailoverCluster,
  isPrimary,
  startDaemonOn,
  waitUntilArmed,
} from "../daemon/make-failover-cluster.js";
import { startDaemon } from "../daemon/start-daemon.js";

describe.skipIf(missingPgbouncer !== null)(
  `a pgbouncer that is down during the promotion ${missingPgbouncer ?? ""}`,
  () => {
    let primary: TestNode;
    let standby: TestNode;
    let pooler: TestPgbouncer;

    beforeEach(async () => {
      const nodes = await createFailoverCluster(2);
      [primary, standby] = nodes as [TestNode, TestNode];
      pooler = await startPgbouncer(
        `[databases]\npea = host=127.0.0.1 port=${primary.server.port} dbname=repmgr\n`,
      );
      for (const { configFile } of nodes)
        await appendFile(
          configFile,
          [
            `pgbouncer_hosts='${pooler.host}:${pooler.port}'`,
            "pgbouncer_user='boss'",
            "pgbouncer_databases='pea'",
            `pgbouncer_database_file='${pooler.databaseFile}'`,
            "pgbouncer_pause_timeout=2",
            "",
          ].join("\n"),
        );
      await pooler.stop();
      // As on a host that is down, its file is out of reach too.
      await rename(pooler.databaseFile, `${pooler.databaseFile}.away`);
    });
    afterEach(stopAllPgbouncers);

    const bringBack = async (): Promise<void> => {
      await rename(`${pooler.databaseFile}.away`, pooler.databaseFile);
      await pooler.start();
    };
    const askPort = async (): Promise<number | undefined> => {
      const client = new pg.Client({
        ...pooler,
        user: "repmgr",
        database: "pea",
        password: testPassword,
        connectionTimeoutMillis: 1000,
        query_timeout: 1000,
      });
      client.on("error", () => undefined);
      try {
        await client.connect();
        return (await client.query<{ port: number }>("SELECT inet_server_port() AS port")).rows[0]?.port;
      } catch {
        return undefined;
      } finally {
        await client.end().catch(() => undefined);
      }
    };
    const awaitLed = (): Promise<unknown> =>
      waitUntil(
        "pgbouncer leads to the new primary",
        async () => (await askPort()) === standby.server.port,
        40_000,
      );

    it("is led by the daemon of the new primary as soon as it is there", async () => {
      await startDaemonOn(primary);
      const daemon = await startDaemonOn(standby);
      await waitUntilArmed(standby);
      primary.server.signal("SIGKILL");
      await waitUntil("the standby is promoted", () => isPrimary(standby));
      await daemon.says(/could not be led to the new primary[^]*the daemon of this node tries again/);
      await daemon.says(/WARNING\] pgbouncer ".*" could not be led to this primary yet/);
      await bringBack();
      await awaitLed();
      await daemon.says(/NOTICE\] pgbouncer ".*" leads to 127\.0\.0\.1:\d+ now/);
      expect(daemon.log().match(/could not be led to this primary yet/g)).toHaveLength(1);
      expect(await readFile(pooler.databaseFile, "utf8")).toContain(`port=${standby.server.port}`);
    });

    it("is named with what to run where no daemon runs, and led by one that is started later", async () => {
      await primary.server.stop("immediate");
      const result = await runProgram(["-f", standby.configFile, "standby", "promote"]);
      expect(result.exitCode, result.output).toBe(0);
      expect(result.stderr).toContain(`-d pgbouncer -c RELOAD -c 'RESUME "pea"'`);
      expect(result.stderr).not.toContain("the daemon of this node");
      await bringBack();
      expect(await askPort()).toBeUndefined();
      startDaemon(standby.configFile);
      await awaitLed();
    });
  },
);
