import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect as connectTcp, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import {
  createPrimary,
  freePort,
  newDirectory,
  testPassword,
  type TestServer,
} from "../../harness/postgres-server.js";
import { askPsql } from "../../harness/psql.js";
import { runCommand } from "../../harness/run-command.js";
import { createStandby } from "../../harness/standby.js";
import { testDatabases } from "../../harness/test-databases.js";
import { waitUntil } from "../../harness/wait-until.js";
import { askOnce, connect, refusalOf } from "./attempts.js";
import { portOf } from "./man-in-the-middle.js";
import { parseConninfo } from "../../../src/model/conninfo.js";
import { DatabaseError } from "../../../src/errors/database-error.js";
import {
  createPhysicalSlot,
  dropSlot,
  identifySystem,
  timelineHistory,
} from "../../../src/postgres/replication-protocol.js";

let primary: TestServer;
let standby: TestServer;
/** Runs, but answers "not accepting connections". */
let closed: TestServer;
let deadPort: number;

beforeAll(async () => {
  primary = await createPrimary({ name: "primary" });
  standby = await createStandby(primary, "standby");
  closed = await createStandby(primary, "closed");
  await closed.stop();
  await writeFile(join(closed.dataDirectory, "postgresql.auto.conf"), "hot_standby = off\n", { flag: "a" });
  await closed.start();
  deadPort = await freePort();
});

const hosts = (...servers: { readonly port: number }[]): string =>
  `host=${servers.map(() => "127.0.0.1").join(",")} port=${servers.map(({ port }) => port).join(",")} user=repmgr dbname=repmgr`;

const askPort = (conninfo: string): Promise<number> => askOnce<number>(conninfo, "inet_server_port()");

describe("several hosts", () => {
  it("are tried in turn when one is dead or not ready", async () => {
    expect(await askPort(hosts({ port: deadPort }, closed, primary))).toBe(primary.port);
  });

  it("are not tried after a wrong password", async () => {
    const conninfo = `${hosts(primary, standby)} password=wrong`;
    const refusal = await refusalOf(conninfo);
    expect(refusal.attempts).toHaveLength(1);
    expect(refusal.message).toBe(await askPsql(conninfo));
  });

  it("tell of every attempt when none works", async () => {
    const conninfo = hosts({ port: deadPort }, closed);
    const refusal = await refusalOf(conninfo);
    expect(refusal.message).toBe(await askPsql(conninfo));
    expect(refusal).toMatchObject({ kind: "starting-up", sqlState: "57P03" });
  });

  it("share one port and take hostaddr for the address", async () => {
    const conninfo = `host=one,two hostaddr=127.0.0.1,127.0.0.1 port=${primary.port} user=repmgr dbname=repmgr`;
    expect(await askPort(conninfo)).toBe(primary.port);
  });

  it("are tried in random order with load_balance_hosts=random", async () => {
    const conninfo = `${hosts(primary, standby)} load_balance_hosts=random`;
    const seen = new Set<number>();
    await waitUntil("both servers were chosen", async () => seen.add(await askPort(conninfo)).size === 2);
    expect(seen).toEqual(new Set([primary.port, standby.port]));
  });
});

describe("target_session_attrs", () => {
  it.each([
    ["any", () => standby.port],
    ["primary", () => primary.port],
    ["read-write", () => primary.port],
    ["standby", () => standby.port],
    ["read-only", () => standby.port],
    ["prefer-standby", () => standby.port],
  ])("%s is found whatever the order", async (wish, expected) => {
    expect(await askPort(`${hosts(standby, primary)} target_session_attrs=${wish}`)).toBe(expected());
    if (wish !== "any") {
      expect(await askPort(`${hosts(primary, standby)} target_session_attrs=${wish}`)).toBe(expected());
    }
  });

  it("prefer-standby takes a primary when there is no standby", async () => {
    expect(await askPort(`${hosts(primary)} target_session_attrs=prefer-standby`)).toBe(primary.port);
  });

  it.each([
    ["primary", () => hosts(standby)],
    ["read-write", () => hosts(standby)],
    ["standby", () => hosts(primary)],
    ["read-only", () => hosts(primary)],
  ])("%s that is not there is refused in libpq's words", async (wish, conninfo) => {
    const wanted = `${conninfo()} target_session_attrs=${wish}`;
    const refusal = await refusalOf(wanted);
    expect(refusal.message).toBe(await askPsql(wanted));
    expect(refusal.kind).toBe("wrong-session");
  });
});

describe("a server that wants an authentication that we do not have", () => {
  it("is refused in libpq's words, with a way out, and is there", async () => {
    const kerberised = await createPrimary({ hba: ["local all all trust", "host all all 127.0.0.1/32 gss"] });
    const refusal = await refusalOf(kerberised.conninfo);
    expect(refusal.kind).toBe("unknown-method");
    expect(refusal.message).toMatch(/: GSSAPI authentication not supported$/);
    expect(refusal.hint).toMatch(/scram-sha-256, in pg_hba\.conf/);
    expect(await testDatabases().ping(parseConninfo(kerberised.conninfo))).toBe("accepting");
  });
});

describe("a session in which something else answers", () => {
  it("is lost, and the process goes on", async () => {
    const sockets: Socket[] = [];
    const relay = createServer((client) => {
      const target = connectTcp(primary.port, "127.0.0.1");
      sockets.push(client, target);
      for (const socket of [client, target]) socket.on("error", () => {});
      client.pipe(target).pipe(client);
    }).listen(0, "127.0.0.1");
    await once(relay, "listening");
    try {
      const database = await connect(`${primary.conninfo} port=${portOf(relay)}`);
      expect(await database.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
      const isLost = once(database.lost, "abort");
      sockets[0]?.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 99]));
      await isLost;
      await expect(database.query("SELECT 1")).rejects.toMatchObject({ meaning: "connection-lost" });
      await database.close();
    } finally {
      relay.close();
      for (const socket of sockets) socket.destroy();
    }
  });
});

describe("ping", () => {
  it.each([
    ["accepting", "a running server", () => primary.conninfo],
    ["accepting", "a server that refuses the password", () => `${primary.conninfo} password=wrong`],
    ["accepting", "a server for which there is no password", () => `${primary.conninfo} passfile=/nowhere`],
    ["accepting", "an unknown database", () => `${primary.conninfo} dbname=nowhere`],
    ["accepting", "a server of another kind", () => `${primary.conninfo} target_session_attrs=standby`],
    ["accepting", "a wished server", () => `${primary.conninfo} target_session_attrs=primary`],
    ["rejecting", "a server that does not take sessions yet", () => closed.conninfo],
    ["no-response", "a closed port", () => hosts({ port: deadPort })],
    ["no-attempt", "impossible parameters", () => "host=127.0.0.1 port=0"],
    ["no-attempt", "an unknown authentication method", () => `${primary.conninfo} require_auth=magic`],
  ])("answers %s for %s", async (answer, _what, conninfo) => {
    expect(await testDatabases().ping(parseConninfo(conninfo()))).toBe(answer);
  });

  it("leaves no complaint in the log and no session behind", async () => {
    const trusting = await createPrimary({ hba: ["host all all 127.0.0.1/32 trust"] });
    for (const server of [primary, trusting]) {
      const before = await server.log();
      for (let turn = 0; turn < 5; turn += 1)
        expect(await testDatabases().ping(parseConninfo(server.conninfo))).toBe("accepting");
      await waitUntil("the sessions are gone", async () => {
        const [row] = await server.sql<{ sessions: number }>(
          "SELECT count(*)::int AS sessions FROM pg_stat_activity WHERE backend_type = 'client backend'",
        );
        return row?.sessions === 1;
      });
      const lines = (await server.log()).slice(before.length).trim().split("\n");
      expect(lines.filter((line) => !line.includes("LOG:  connection "))).toEqual([]);
    }
  });

  it("sees a server stop and start", async () => {
    const server = await createPrimary();
    const ping = (): Promise<string> => testDatabases().ping(parseConninfo(server.conninfo));
    await server.stop("immediate");
    expect(await ping()).toBe("no-response");
    await server.start();
    expect(await ping()).toBe("accepting");
  });
});

describe("a replication session", () => {
  it("identifies the system, and its slots come and go", async () => {
    const session = await connect(primary.conninfo, {}, { replication: true });
    const [expected] = await primary.sql<{ systemid: string }>(
      "SELECT system_identifier::text AS systemid FROM pg_control_system()",
    );
    const identity = await identifySystem(session);
    expect(identity).toMatchObject({ systemIdentifier: expected?.systemid, timeline: 1 });
    expect(identity.position).toBeGreaterThan(0n);
    const askSlots = "SELECT slot_name, restart_lsn IS NOT NULL AS reserved FROM pg_replication_slots";
    await createPhysicalSlot(session, "repmgr_slot_2");
    expect(await primary.sql(askSlots)).toEqual([{ slot_name: "repmgr_slot_2", reserved: true }]);
    await expect(createPhysicalSlot(session, "Odd name; x")).rejects.toMatchObject({
      name: "DatabaseError",
      message: expect.stringContaining("Odd name; x") as string,
    });
    await dropSlot(session, "repmgr_slot_2");
    expect(await primary.sql(askSlots)).toEqual([]);
    await session.close();
  });

  it("reads the history of a timeline after a promotion", async () => {
    const server = await createStandby(primary, "promoted");
    await runCommand(join(server.binDirectory, "pg_ctl"), ["-D", server.dataDirectory, "-w", "promote"]);
    const session = await connect(server.conninfo, {}, { replication: true });
    expect((await identifySystem(session)).timeline).toBe(2);
    expect(await timelineHistory(session, 2)).toMatch(
      /^1\t[0-9A-F]+\/[0-9A-F]+\tno recovery target specified/,
    );
    await expect(timelineHistory(session, 3)).rejects.toBeInstanceOf(DatabaseError);
    await session.close();
  });

  it("looks its password up under the database replication", async () => {
    const path = join(await newDirectory("passfile"), "pgpass");
    await writeFile(path, `*:*:repmgr:*:wrong\n*:*:replication:*:${testPassword}\n`, { mode: 0o600 });
    const session = await connect(`${primary.conninfo} passfile=${path}`, {}, { replication: true });
    expect(session.conninfo.get("dbname")).toBe("replication");
    await session.close();
  });
});
