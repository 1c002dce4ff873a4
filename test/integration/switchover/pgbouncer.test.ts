import { readFile } from "node:fs/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  missingPgbouncer,
  startPgbouncer,
  stopAllPgbouncers,
  type TestPgbouncer,
} from "../../harness/pgbouncer.js";
import { testPassword } from "../../harness/postgres-server.js";
import { isInRecovery, makeCluster, type SwitchCluster, type SwitchNode } from "./make-cluster.js";

describe.skipIf(missingPgbouncer !== null)(
  `standby switchover with pgbouncer ${missingPgbouncer ?? ""}`,
  () => {
    let cluster: SwitchCluster;
    let node1: SwitchNode;
    let node2: SwitchNode;
    let pooler: TestPgbouncer;
    let client: pg.Client;

    const askPort = async (): Promise<number> => {
      const { rows } = await client.query<{ port: number }>(
        "SELECT current_setting('port')::int AS port, pg_is_in_recovery()",
      );
      return rows[0]?.port ?? 0;
    };

    beforeAll(async () => {
      cluster = await makeCluster(2);
      [node1, node2] = cluster.nodes as [SwitchNode, SwitchNode];
      pooler = await startPgbouncer(
        `[databases]\nshop = host=127.0.0.1 port=${node1.server.port} dbname=repmgr\n`,
      );
      await cluster.configure(2, {
        pgbouncer_hosts: `${pooler.host}:${pooler.port}`,
        pgbouncer_user: "boss",
        pgbouncer_databases: "shop",
        pgbouncer_database_file: pooler.databaseFile,
      });
      client = new pg.Client({ ...pooler, user: "repmgr", database: "shop", password: testPassword });
      await client.connect();
    });
    afterAll(async () => {
      await client.end();
      await stopAllPgbouncers();
    });

    it("says with --dry-run where the clients would go", async () => {
      const result = await node2.run("standby", "switchover", "--dry-run");
      expect(result.exitCode, result.output).toBe(0);
      expect(result.stderr).toContain(`would be led to 127.0.0.1:${node2.server.port}`);
      expect(await askPort()).toBe(node1.server.port);
    });

    it("lets clients go on where they were when it is refused in the middle", async () => {
      const result = await node2.run("standby", "switchover", "--superuser=nobody_of_this_name");
      expect(result.exitCode, result.output).not.toBe(0);
      expect(await isInRecovery(node1)).toBe(false);
      expect(await askPort()).toBe(node1.server.port);
    });

    it("holds clients back and leads them to the new primary on their connections", async () => {
      const running = node2.start("standby", "switchover");
      const ports: number[] = [];
      while (!ports.includes(node2.server.port)) ports.push(await askPort());
      const result = await running.result;
      expect(result.exitCode, result.output).toBe(0);
      expect([...new Set(ports)]).toEqual([node1.server.port, node2.server.port]);
      expect(await readFile(pooler.databaseFile, "utf8")).toContain(`port=${node2.server.port}`);
    });
  },
);
