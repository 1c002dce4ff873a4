import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { testPassword, type TestServer } from "../../harness/postgres-server.js";
import { runProgram, writeRepmgrConf, type ProgramResult } from "../../harness/program.js";
import { runCommand } from "../../harness/run-command.js";
import { waitUntil } from "../../harness/wait-until.js";
import {
  addStandby,
  createRegisteredPrimary,
  insertNode,
  removeNode,
  waitUntilAttached,
  waitUntilReplayed,
  type TestNode,
} from "./make-cluster.js";

interface ShownNode {
  readonly id: number;
  readonly status: string;
  readonly timeline: number | null;
  readonly upstream: { readonly attached: boolean | null; readonly replication_state: string | null } | null;
  readonly replay_lag_bytes: number | null;
}

interface ShownCluster {
  readonly nodes: readonly ShownNode[];
  readonly problems: readonly {
    readonly code: string;
    readonly node_id: number | null;
    readonly detail: string | null;
  }[];
  readonly exit_code: number;
}

let n1: TestNode;
let n2: TestNode;
let n3: TestNode;
let silentSocket: Server;

beforeAll(async () => {
  n1 = await createRegisteredPrimary();
  n2 = await addStandby(2, n1);
  n3 = await addStandby(3, n1);
  // Accepts connections and never says a word, like a server whose processes are stopped.
  silentSocket = createServer().listen(0, "127.0.0.1");
  await once(silentSocket, "listening");
});

afterAll(() => {
  silentSocket.close();
});

const silentConninfo = (timeoutSeconds: number): string =>
  `host=127.0.0.1 port=${(silentSocket.address() as AddressInfo).port} user=repmgr dbname=repmgr connect_timeout=${timeoutSeconds}`;

const show = (node: TestNode, ...options: readonly string[]): Promise<ProgramResult> =>
  runProgram(["-f", node.configFile, "cluster", "show", ...options]);

async function showJson(node: TestNode): Promise<ShownCluster> {
  const { stdout } = await show(node, "--format=json");
  return JSON.parse(stdout) as ShownCluster;
}

const codesOf = ({ problems }: ShownCluster): readonly string[] =>
  problems.map(({ code, node_id }) => `${node_id ?? "cluster"} ${code}`);

/** A row of the table, its cells without padding. */
function rowOf(result: ProgramResult, id: number): readonly string[] {
  const row = result.stdout.split("\n").find((line) => line.startsWith(` ${id} `)) ?? "";
  return row.split("|").map((cell) => cell.trim());
}

/** An ErrorResponse of the frontend/backend protocol. */
const CANNOT_CONNECT_NOW = ((): Buffer => {
  const fields = Buffer.from("SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0");
  const head = Buffer.from("E\0\0\0\0");
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
})();

const isTlsRequest = (request: Buffer): boolean => request.length === 8;

async function inDatabase(conninfo: string, statements: readonly string[]): Promise<void> {
  for (const statement of statements) {
    await runCommand(join(n1.server.binDirectory, "psql"), ["-X", "-q", "-d", conninfo, "-c", statement]);
  }
}

describe("cluster show", () => {
  it("shows a healthy cluster from every node", async () => {
    for (const node of [n1, n2, n3]) {
      const result = await show(node);
      const width = n1.server.conninfo.length;
      expect(result).toMatchObject({ exitCode: 0, stderr: "" });
      expect(result.stdout).toBe(
        [
          ` ID | Name | Role    | Status    | Upstream | Location | Priority | Timeline | ${"Connection string".padEnd(width)}`,
          `----+------+---------+-----------+----------+----------+----------+----------+-${"-".repeat(width)}-`,
          ` 1  | n1   | primary | * running |          | default  | 100      | 1        | ${n1.server.conninfo.padEnd(width)}`,
          ` 2  | n2   | standby |   running | n1       | default  | 100      | 1        | ${n2.server.conninfo.padEnd(width)}`,
          ` 3  | n3   | standby |   running | n1       | default  | 100      | 1        | ${n3.server.conninfo.padEnd(width)}`,
          "",
        ].join("\n"),
      );
    }
  });

  it("prints CSV and a compact table", async () => {
    expect((await show(n2, "--csv")).stdout).toBe("1,0,0\n2,0,1\n3,0,1\n");
    expect((await show(n2, "--format=csv")).stdout).toBe("1,0,0\n2,0,1\n3,0,1\n");
    expect((await show(n2, "--compact")).stdout).toContain("| Prio. | TLI\n");
  });

  it("prints JSON with what each server says of itself", async () => {
    const cluster = await showJson(n2);
    expect(cluster).toMatchObject({ schema_version: 1, problems: [], exit_code: 0 });
    expect(cluster.nodes[1]).toMatchObject({
      id: 2,
      name: "n2",
      role: "standby",
      status: "running",
      in_recovery: true,
      timeline: 1,
      upstream: { id: 1, name: "n1", reported_id: 1, attached: true, replication_state: "streaming" },
      replay_paused: false,
      conninfo: n2.server.conninfo,
    });
    expect(typeof cluster.nodes[1]?.replay_lag_bytes).toBe("number");
  });

  it("works with connection options instead of a configuration", async () => {
    const options = ["-h", "127.0.0.1", "-p", String(n2.server.port), "-U", "repmgr", "-d", "repmgr"];
    const result = await runProgram([...options, "cluster", "show", "--csv"]);
    expect(result).toMatchObject({ exitCode: 0, stdout: "1,0,0\n2,0,1\n3,0,1\n" });
  });

  it("masks a password in a registered connection string", async () => {
    await insertNode(n1, { node_id: 3, conninfo: `${n3.server.conninfo} password='${testPassword}'` });
    try {
      const result = await show(n1);
      expect(result.exitCode).toBe(0);
      expect(rowOf(result, 3)[8]).toMatch(/ password=\S+$/);
      expect((await show(n1, "--format=json")).exitCode).toBe(0);
    } finally {
      await insertNode(n1, { node_id: 3, conninfo: n3.server.conninfo });
    }
  });

  describe("with a standby that is down", () => {
    beforeAll(() => n3.server.stop());
    afterAll(async () => {
      await n3.server.start();
      await waitUntilAttached(n1, "n3");
    });

    it("names it below the table and exits with 25", async () => {
      const result = await show(n1);
      expect(result.exitCode).toBe(25);
      expect(rowOf(result, 3).slice(2, 8)).toEqual([
        "standby",
        "? unreachable",
        "? n1",
        "default",
        "100",
        "",
      ]);
      expect(result.stdout.endsWith("\n\n")).toBe(true);
      expect(result.stderr).toBe(
        [
          "WARNING: following issues were detected",
          '  - unable to connect to node "n3" (ID: 3)',
          '  - node "n3" (ID: 3) is registered as an active standby but is unreachable',
          "",
          "HINT: execute with --verbose option to see connection error messages",
          "",
        ].join("\n"),
      );
    });

    it("gives the reason with -v, nothing with -t, and the same exit code", async () => {
      const verbose = await show(n1, "-v");
      expect(verbose.stderr).toMatch(
        /"n3" \(ID: 3\):\n {4}connection to server at "127.0.0.1".* failed: .*refused/,
      );
      expect(verbose.stderr).not.toContain("HINT: execute with --verbose");
      const terse = await show(n1, "-t");
      expect(terse).toMatchObject({ exitCode: 25, stderr: "" });
      expect(terse.stdout.endsWith("\n\n")).toBe(false);
      expect(verbose.exitCode).toBe(25);
    });

    it("marks it in CSV and JSON", async () => {
      expect(await show(n1, "--csv")).toMatchObject({
        exitCode: 25,
        stdout: "1,0,0\n2,0,1\n3,-1,-1\n",
        stderr: "",
      });
      const cluster = await showJson(n1);
      expect(cluster.exit_code).toBe(25);
      expect(codesOf(cluster)).toEqual(["3 connection_failed", "3 unreachable"]);
    });

    it("ends with exit code 6 when asked on the node that is down", async () => {
      const result = await show(n3);
      expect(result.exitCode).toBe(6);
      expect(result.stderr).toContain("ERROR: connection to database failed\nDETAIL: ");
      expect(result.stdout).toBe("");
    });
  });

  describe("with nodes that do not answer", () => {
    afterEach(async () => {
      await removeNode(n1, 8);
      await removeNode(n1, 9);
    });

    it("gives up a query after connect_timeout", async () => {
      await n1.server.sql("CREATE DATABASE slow OWNER repmgr");
      const conninfo = n1.server.conninfo.replace("dbname=repmgr", "dbname=slow");
      await insertNode(n1, { node_id: 9, conninfo });
      await inDatabase(conninfo, [
        "CREATE SCHEMA repmgr",
        `CREATE VIEW repmgr.nodes AS
           SELECT 9 AS node_id, 1 AS upstream_node_id, 'n9'::text AS node_name FROM pg_sleep(30)`,
      ]);
      const startedAt = performance.now();
      const result = await show(n1, "-v");
      expect(performance.now() - startedAt).toBeLessThan(3800);
      expect(rowOf(result, 9)[3]).toBe("? unreachable");
      expect(result.stderr).toContain("no answer to a query within 2000 ms");
    });

    it("takes a server that is starting up for one that is not there", async () => {
      const startingUp = createServer((socket) => {
        socket.on("error", () => undefined);
        socket.on("data", (request) => socket.write(isTlsRequest(request) ? "N" : CANNOT_CONNECT_NOW));
      }).listen(0, "127.0.0.1");
      await once(startingUp, "listening");
      const { port } = startingUp.address() as AddressInfo;
      await insertNode(n1, { node_id: 9, conninfo: `host=127.0.0.1 port=${port} user=repmgr dbname=repmgr` });
      const result = await show(n1, "-v");
      startingUp.close();
      expect(result.stderr).toContain("the database system is starting up");
      expect(rowOf(result, 9)[3]).toBe("? unreachable");
    });

    it("waits for one connect_timeout, however many they are", async () => {
      await insertNode(n1, { node_id: 8, conninfo: silentConninfo(2) });
      await insertNode(n1, { node_id: 9, conninfo: silentConninfo(2) });
      const startedAt = performance.now();
      const result = await show(n1);
      const elapsedMs = performance.now() - startedAt;
      expect([rowOf(result, 8)[3], rowOf(result, 9)[3]]).toEqual(["? unreachable", "? unreachable"]);
      expect(rowOf(result, 2)[3]).toBe("running");
      expect(elapsedMs).toBeGreaterThan(1900);
      expect(elapsedMs).toBeLessThan(3800);
    });
  });

  it("tells a server that turns us away from one that is down", async () => {
    const conninfo = `host=127.0.0.1 port=${n3.server.port} user=nobody dbname=repmgr connect_timeout=2`;
    await insertNode(n1, { node_id: 3, conninfo });
    try {
      const result = await show(n1);
      expect(rowOf(result, 3)[3]).toBe("? running");
      expect(result.stderr).toContain('unable to connect to node "n3" (ID: 3)');
      expect(result.exitCode).toBe(25);
    } finally {
      await insertNode(n1, { node_id: 3, conninfo: n3.server.conninfo });
    }
  });

  it("says what an unreadable conninfo in a record is about", async () => {
    await insertNode(n1, { node_id: 3, conninfo: "host=127.0.0.1 prot=5432" });
    try {
      expect((await show(n1, "-v")).stderr).toContain('invalid connection option "prot"');
    } finally {
      await insertNode(n1, { node_id: 3, conninfo: n3.server.conninfo });
    }
  });

  it("finds two records that lead to one server", async () => {
    await insertNode(n1, { node_id: 9, conninfo: n2.server.conninfo });
    try {
      expect(codesOf(await showJson(n1))).toContain("cluster same_server");
    } finally {
      await removeNode(n1, 9);
    }
  });

  it("warns of a record that a node does not have a table for", async () => {
    await insertNode(n1, {
      node_id: 3,
      conninfo: n3.server.conninfo.replace("dbname=repmgr", "dbname=postgres"),
    });
    try {
      const cluster = await showJson(n1);
      expect(codesOf(cluster)).toEqual(["3 own_record_unreadable"]);
      expect(cluster.nodes[2]).toMatchObject({ status: "running", timeline: 1 });
    } finally {
      await insertNode(n1, { node_id: 3, conninfo: n3.server.conninfo });
    }
  });

  it("shows what a role without pg_monitor may see", async () => {
    await n1.server.sql(`CREATE ROLE looker LOGIN PASSWORD '${testPassword}'`);
    await n1.server.sql("GRANT USAGE ON SCHEMA repmgr TO looker");
    await n1.server.sql("GRANT SELECT ON ALL TABLES IN SCHEMA repmgr TO looker");
    for (const { id, server } of [n1, n2, n3]) {
      const conninfo = server.conninfo.replace("user=repmgr", "user=looker");
      await n1.server.sql("UPDATE repmgr.nodes SET conninfo = $1 WHERE node_id = $2", [conninfo, id]);
    }
    try {
      await waitUntilReplayed(n1, n2);
      await waitUntilReplayed(n1, n3);
      const cluster = await showJson(n1);
      expect(cluster.problems).toEqual([]);
      expect(cluster.nodes.map(({ timeline }) => timeline)).toEqual([1, 1, 1]);
      expect(cluster.nodes[1]?.upstream).toMatchObject({ attached: true, replication_state: null });
    } finally {
      for (const { id, server } of [n1, n2, n3]) {
        await n1.server.sql("UPDATE repmgr.nodes SET conninfo = $1 WHERE node_id = $2", [
          server.conninfo,
          id,
        ]);
      }
    }
  });

  it("warns of paused replay with WAL pending", async () => {
    await n2.server.sql("SELECT pg_wal_replay_pause()");
    await n1.server.sql("CREATE TABLE public.pending ()");
    try {
      await waitUntil("WAL waits on n2", async () => {
        const [row] = await n2.server.sql<{ waits: boolean }>(
          "SELECT pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn() AS waits",
        );
        return row?.waits === true;
      });
      const cluster = await showJson(n1);
      expect(codesOf(cluster)).toEqual(["2 replay_paused"]);
      expect(cluster.nodes[1]?.replay_lag_bytes).toBeGreaterThan(0);
    } finally {
      await n2.server.sql("SELECT pg_wal_replay_resume()");
      await waitUntilReplayed(n1, n2);
    }
  });

  describe("with a standby that lost its upstream", () => {
    const follow = (server: TestServer, sql: string): Promise<unknown> =>
      server.sql(sql).then(() => server.sql("SELECT pg_reload_conf()"));

    it("says that it is not attached", async () => {
      const [setting] = await n3.server.sql<{ value: string }>(
        "SELECT setting AS value FROM pg_settings WHERE name = 'primary_conninfo'",
      );
      await follow(n3.server, "ALTER SYSTEM SET primary_conninfo = ''");
      try {
        await waitUntil("n3 is gone from n1", async () => {
          const rows = await n1.server.sql("SELECT FROM pg_stat_replication WHERE application_name = 'n3'");
          return rows.length === 0;
        });
        const result = await show(n1);
        expect(result.exitCode).toBe(25);
        expect(rowOf(result, 3).slice(3, 5)).toEqual(["running", "! n1"]);
        expect(result.stderr).toBe(
          "WARNING: following issues were detected\n" +
            '  - node "n3" (ID: 3) is not attached to its upstream node "n1" (ID: 1)\n\n',
        );
      } finally {
        const value = (setting?.value ?? "").replaceAll("'", "''");
        await follow(n3.server, `ALTER SYSTEM SET primary_conninfo = '${value}'`);
        await waitUntilAttached(n1, "n3");
      }
    });
  });

  it("ends with exit code 1 and a hint where no schema is", async () => {
    const conninfo = n1.server.conninfo.replace("dbname=repmgr", "dbname=postgres");
    const configFile = await writeRepmgrConf(n1.server, { node_id: 1, node_name: "n1", conninfo });
    try {
      const result = await runProgram(["-f", configFile, "cluster", "show"]);
      expect(result.exitCode).toBe(1);
      expect(result.stderr).toContain('primary register"');
    } finally {
      await writeRepmgrConf(n1.server, { node_id: 1, node_name: "n1" });
    }
  });

  // Last: it leaves n3 on a timeline of its own.
  describe("with a standby that somebody promoted by hand", () => {
    it("warns of two primaries and shows the new timeline at once", async () => {
      await n3.server.sql("SELECT pg_promote()");
      const result = await show(n1);
      expect(result.exitCode).toBe(25);
      expect(rowOf(result, 3)[3]).toBe("! running as primary");
      expect(rowOf(result, 3)[7]).toBe("2");
      expect(result.stderr).toContain('more than one node is running as primary: "n1" (ID: 1), "n3" (ID: 3)');
      expect(result.stderr).toContain('node "n3" (ID: 3) is registered as standby but running as primary');
    });
  });
});
