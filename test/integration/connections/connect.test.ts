import { once } from "node:events";
import { createServer, Socket, type AddressInfo } from "node:net";
import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { DatabaseError } from "../../../src/errors/database-error.js";
import { parseConninfo } from "../../../src/model/conninfo.js";
import { startSession } from "../../../src/postgres/start-session.js";
import {
  createPrimary,
  freePort,
  newDirectory,
  testPassword,
  type TestServer,
} from "../../harness/postgres-server.js";
import { askPsql } from "../../harness/psql.js";
import { waitUntil } from "../../harness/wait-until.js";
import { askOnce, connect, refusalOf } from "./attempts.js";

let server: TestServer;
let at: string;

beforeAll(async () => {
  server = await createPrimary({
    hba: ["local all all scram-sha-256", "host all repmgr 127.0.0.1/32 scram-sha-256"],
  });
  at = `host=127.0.0.1 port=${server.port}`;
});

describe("connect", () => {
  it("opens a session with an empty search path, local commits and the name repmgr", async () => {
    const database = await connect(server.conninfo);
    const [row] = await database.query<object>(
      `SELECT current_setting('search_path') AS path, current_setting('synchronous_commit') AS commit,
         current_setting('application_name') AS name, current_user::text AS "user"`,
    );
    expect(row).toEqual({ path: "", commit: "local", name: "repmgr", user: "repmgr" });
    expect(database.isSuperuser).toBe(true);
    expect(Math.floor(database.serverVersion / 10_000)).toBe(Number.parseInt(database.serverVersionText, 10));
    expect(database.conninfo.get("dbname")).toBe("repmgr");
    await database.close();
  });

  it("keeps that when the connection string and the environment want other options", async () => {
    const conninfo = `${server.conninfo} options=-csearch_path=public`;
    const value = await askOnce<string>(conninfo, "current_setting('search_path')");
    expect(value).toBe("");
  });

  it.each([
    ["a name of its own", "application_name=mine", {}, "mine"],
    ["PGAPPNAME", "", { PGAPPNAME: "from environment" }, "from environment"],
  ])("shows %s", async (_what, addition, variables, name) => {
    const environment = { variables: { ...variables, PGPASSWORD: testPassword } };
    expect(
      await askOnce(`${server.conninfo} ${addition}`, "current_setting('application_name')", environment),
    ).toBe(name);
  });

  it("takes everything from PG* variables and the operating system's user", async () => {
    const variables = {
      PGHOST: "127.0.0.1",
      PGPORT: String(server.port),
      PGPASSWORD: testPassword,
      PGDATABASE: "postgres",
    };
    const who = "concat_ws(' ', current_user, current_database())";
    expect(await askOnce("", who, { variables, osUser: "repmgr" })).toBe("repmgr postgres");
  });

  it("goes through a Unix socket", async () => {
    const conninfo = `host=${server.directory} port=${server.port} user=repmgr dbname=repmgr`;
    expect(await askOnce(conninfo, "inet_server_addr() IS NULL")).toBe(true);
  });

  it("accepts a URI with everything percent-encoded", async () => {
    const uri = `postgresql://repmgr:${encodeURIComponent(testPassword)}@127.0.0.1:${server.port}/repmgr`;
    expect(await askOnce(uri, "current_user::text", { variables: {} })).toBe("repmgr");
  });

  it("rejects with the reason of its signal at once", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const reason = new Error("Ctrl-C");
    const controller = new AbortController();
    silent.once("connection", () => controller.abort(reason));
    const started = performance.now();
    const attempt = connect(
      `host=127.0.0.1 port=${port} connect_timeout=30`,
      {},
      { signal: controller.signal },
    );
    await expect(attempt).rejects.toBe(reason);
    expect(performance.now() - started).toBeLessThan(2000);
    silent.close();
  });
});

describe("an open session", () => {
  it("ends a moment after the interruption, also in the middle of a statement", async () => {
    const interruption = new AbortController();
    const database = await connect(server.conninfo, {}, { interrupted: interruption.signal });
    const sleeping = database.query("SELECT pg_sleep(60)");
    interruption.abort();
    await expect(sleeping).rejects.toMatchObject({ meaning: "connection-lost" });
    await database.close();
  });

  it("tells a refused statement by its SQLSTATE", async () => {
    const database = await connect(server.conninfo);
    const refusal = await database
      .query("SELECT * FROM nowhere.nothing WHERE x = $1", [1])
      .catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(DatabaseError);
    expect(refusal).toMatchObject({ sqlState: "42P01", meaning: "undefined-object" });
    await database.close();
  });

  it("rolls a transaction back when its work throws", async () => {
    const database = await connect(server.conninfo);
    await database.query("CREATE TABLE public.witnessed (x int)");
    const work = database.transaction(async () => {
      await database.query("INSERT INTO public.witnessed VALUES ($1)", [1]);
      throw new Error("changed my mind");
    });
    await expect(work).rejects.toThrow("changed my mind");
    expect(await database.query("SELECT x FROM public.witnessed")).toEqual([]);
    await database.close();
  });

  it("survives its server process being ended while idle, and says so on the next query", async () => {
    const database = await connect(server.conninfo);
    const [row] = await database.query<{ pid: number }>("SELECT pg_catalog.pg_backend_pid() AS pid");
    await server.sql("SELECT pg_terminate_backend($1)", [row?.pid]);
    const error = await waitUntil("the session is broken", () =>
      database.query("SELECT 1").then(
        () => null,
        (refusal: unknown) => refusal,
      ),
    );
    expect(error).toBeInstanceOf(DatabaseError);
    expect(error).toMatchObject({ meaning: "connection-lost", sqlState: "57P01" });
    await database.close();
  });

  it("never shows a password that the server quotes", async () => {
    const database = await connect(server.conninfo);
    await database.query("CREATE TABLE public.strict (conninfo text CHECK (conninfo = 'x'))");
    const refusal = await database
      .query("INSERT INTO public.strict VALUES ($1)", ["host=n1 password='quite secret'"])
      .catch((error: unknown) => error);
    expect(refusal).toMatchObject({ meaning: "constraint-violation" });
    expect((refusal as DatabaseError).detail).toMatch(/password=\*{5}/);
    await database.close();
  });
});

describe("a refused connection", () => {
  const cases: [what: string, conninfo: () => string, kind: string, sqlState: string | null, hint: RegExp][] =
    [
      [
        "a wrong password",
        () => `${at} user=repmgr dbname=repmgr password=wrong`,
        "rejected",
        "28P01",
        /password/,
      ],
      ["an unknown database", () => `${at} user=repmgr dbname=nowhere`, "rejected", "3D000", /createdb/],
      [
        "no line in pg_hba.conf",
        () => `${at} user=someone dbname=repmgr`,
        "rejected",
        "28000",
        /"host repmgr someone 127\.0\.0\.1\/32 scram-sha-256"/,
      ],
      [
        "a missing socket",
        () => `host=${server.directory} port=1 user=repmgr`,
        "no-such-socket",
        null,
        /unix_socket_directories/,
      ],
      [
        "a missing password",
        () => `${at} user=repmgr dbname=repmgr passfile=/nowhere`,
        "no-password",
        null,
        /add the line "127\.0\.0\.1:\d+:repmgr:repmgr:PASSWORD" to "\/nowhere"/,
      ],
      ["sslmode=require without SSL", () => `${at} user=repmgr sslmode=require`, "tls", null, /^$/],
      ["an unknown name", () => "host=nowhere.invalid user=repmgr", "unresolvable", null, /nowhere\.invalid/],
      ["hosts and ports that do not fit", () => `${at},5,6 user=repmgr`, "invalid-parameter", null, /^$/],
      ["a port that is none", () => "host=127.0.0.1 port=70000", "invalid-parameter", null, /^$/],
      ["an unknown sslmode", () => `${at} sslmode=always`, "invalid-parameter", null, /^$/],
      ["an unknown target", () => `${at} target_session_attrs=best`, "invalid-parameter", null, /^$/],
      ["an unknown service", () => "service=unknown", "invalid-parameter", null, /\[unknown\]/],
    ];

  it.each(cases)(
    "by %s reads as libpq's and names the next step",
    async (_what, conninfo, kind, sqlState, hint) => {
      const refusal = await refusalOf(conninfo());
      expect(refusal.message).toBe(await askPsql(conninfo()));
      expect(refusal).toMatchObject({ kind, sqlState });
      expect(refusal.hint ?? "").toMatch(hint);
    },
  );

  it("by a closed port reads as libpq's", async () => {
    const conninfo = `host=127.0.0.1 port=${await freePort()} user=repmgr`;
    const refusal = await refusalOf(conninfo);
    expect(refusal.message).toBe(await askPsql(conninfo));
    expect(refusal.kind).toBe("refused");
  });

  it("says for a replication session which line pg_hba.conf needs", async () => {
    const refusal = await refusalOf(server.conninfo, {}, { replication: true });
    expect(refusal.message).toContain(
      'no pg_hba.conf entry for replication connection from host "127.0.0.1"',
    );
    expect(refusal.hint).toContain('"host replication repmgr 127.0.0.1/32 scram-sha-256"');
  });

  it("by a peer that stays silent ends at connect_timeout", async () => {
    const silent = createServer(() => {}).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const started = performance.now();
    const refusal = await refusalOf(`host=127.0.0.1 port=${port} connect_timeout=1 user=repmgr`);
    const elapsed = performance.now() - started;
    expect(refusal).toMatchObject({
      kind: "timeout",
      message: `connection to server at "127.0.0.1", port ${port} failed: timeout expired`,
    });
    expect(elapsed).toBeGreaterThan(900);
    expect(elapsed).toBeLessThan(1900);
    silent.close();
  });

  it.each([
    ["hangs up", (): string => "", /server closed the connection unexpectedly/],
    [
      "speaks HTTP",
      (): string => "HTTP/1.1 400 Bad Request\r\n\r\n",
      /invalid response to SSL negotiation: H/,
    ],
  ])("by a peer that %s is one clear error", async (_what, answer, message) => {
    const stranger = createServer((socket) => socket.end(answer())).listen(0, "127.0.0.1");
    await once(stranger, "listening");
    const { port } = stranger.address() as AddressInfo;
    const refusal = await refusalOf(`host=127.0.0.1 port=${port} user=repmgr`);
    expect(refusal.kind).toBe("protocol");
    expect(refusal.message).toMatch(message);
    stranger.close();
  });

  it.each([
    ["N", "server closed the connection unexpectedly"],
    ["S", "SSL SYSCALL error: "],
  ])("by a peer that hangs up after its %s to the question for TLS says so", async (answer, words) => {
    const peer = createServer((socket) => {
      socket.on("error", () => {}).once("data", () => socket.end(answer));
    }).listen(0, "127.0.0.1");
    await once(peer, "listening");
    const { port } = peer.address() as AddressInfo;
    const refusal = await refusalOf(`host=127.0.0.1 port=${port} user=repmgr dbname=repmgr`);
    expect(refusal.message).toContain(words);
    peer.close();
  });

  it("by a peer that hung up before the login began is no endless wait", async () => {
    const socket = new Socket();
    socket.destroy();
    await once(socket, "close");
    const request = {
      conninfo: parseConninfo("user=repmgr dbname=repmgr"),
      replication: false,
      console: false,
      password: null,
    };
    await expect(startSession({ socket, encrypted: false }, request)).resolves.toMatchObject({
      kind: "failed",
      failure: { kind: "protocol" },
    });
  });

  it("by too many sessions says what to raise", async () => {
    const small = await createPrimary({
      settings: { max_connections: "5", superuser_reserved_connections: "0", max_wal_senders: "2" },
    });
    const sessions = await Promise.all(Array.from({ length: 5 }, () => connect(small.conninfo)));
    const refusal = await refusalOf(small.conninfo);
    expect(refusal).toMatchObject({ kind: "rejected", sqlState: "53300" });
    expect(refusal.hint).toContain("max_connections");
    await Promise.all(sessions.map((session) => session.close()));
  });
});

describe("passwords", () => {
  const writePassfile = async (text: string, mode: number): Promise<string> => {
    const path = join(await newDirectory("passfile"), "pgpass");
    await writeFile(path, text, { mode });
    return path;
  };

  it("come from the first matching line, colons and backslashes escaped", async () => {
    await server.sql(String.raw`CREATE ROLE "odd:user" LOGIN PASSWORD 'a:b\c'`);
    await appendFile(
      join(server.dataDirectory, "pg_hba.conf"),
      'host all "odd:user" 127.0.0.1/32 scram-sha-256\n',
    );
    await server.sql("SELECT pg_reload_conf()");
    const path = await writePassfile(
      String.raw`# comment
otherhost:*:*:*:wrong
127.0.0.1:*:repmgr:odd\:user:a\:b\\c
*:*:*:*:wrong too
`,
      0o600,
    );
    const conninfo = `${at} user='odd:user' dbname=repmgr passfile=${path}`;
    expect(
      await waitUntil("pg_hba.conf is reloaded", () =>
        askOnce<string>(conninfo, "current_user::text").catch(() => null),
      ),
    ).toBe("odd:user");
  });

  it("are not read from a file that others may read, and the refusal says so", async () => {
    const path = await writePassfile(`*:*:*:*:${testPassword}\n`, 0o640);
    const conninfo = `${at} user=repmgr dbname=repmgr passfile=${path}`;
    const refusal = await refusalOf(conninfo);
    expect(refusal.kind).toBe("no-password");
    expect(refusal.hint).toContain(
      `password file "${path}" has group or world access; permissions should be u=rw (0600) or less`,
    );
    expect(await askPsql(conninfo)).toBe(
      `WARNING: password file "${path}" has group or world access; permissions should be u=rw (0600) or less\n${refusal.message}`,
    );
  });

  it("that are wrong in the file name the file, as libpq does", async () => {
    const path = await writePassfile("*:*:*:*:wrong\n", 0o600);
    const conninfo = `${at} user=repmgr dbname=repmgr passfile=${path}`;
    const refusal = await refusalOf(conninfo);
    expect(refusal.message).toBe(await askPsql(conninfo));
    expect(refusal.hint).toContain(path);
  });

  it("come from ~/.pgpass by default", async () => {
    const home = await newDirectory("home");
    await writeFile(join(home, ".pgpass"), `127.0.0.1:${server.port}:repmgr:repmgr:${testPassword}\n`, {
      mode: 0o600,
    });
    const environment = { variables: {}, homeDirectory: home };
    expect(await askOnce(server.conninfo, "current_user::text", environment)).toBe("repmgr");
  });

  it("of a socket in libpq's default directory or a hostaddr are looked up by that name", async () => {
    const path = await writePassfile(`127.0.0.1:${server.port}:repmgr:repmgr:${testPassword}\n`, 0o600);
    const conninfo = `hostaddr=127.0.0.1 port=${server.port} user=repmgr dbname=repmgr passfile=${path}`;
    expect(await askOnce(conninfo, "current_user::text")).toBe("repmgr");
  });
});

describe("service files", () => {
  it("fill in what the string leaves out, before PG* variables", async () => {
    const home = await newDirectory("home");
    await writeFile(
      join(home, ".pg_service.conf"),
      `# mine\n[other]\nhost=nowhere\n\n[main]\nhost=127.0.0.1\nport=${server.port}\ndbname=postgres\nuser=repmgr\n[last]\nport=1\n`,
    );
    const environment = {
      variables: { PGPASSWORD: testPassword, PGSERVICE: "main", PGDATABASE: "nowhere" },
      homeDirectory: home,
    };
    expect(await askOnce("", "current_database()::text", environment)).toBe("postgres");
    expect(await askOnce("service=main dbname=repmgr", "current_database()::text", environment)).toBe(
      "repmgr",
    );
  });

  it.each([
    ["a missing section", "[a]\nhost=x\n"],
    ["an unknown keyword", "[main]\nhots=x\n"],
    ["a line without =", "[main]\nhost\n"],
    ["a service within a service", "[main]\nservice=other\n"],
  ])("with %s are refused in libpq's words", async (_what, text) => {
    const path = join(await newDirectory("service"), "pg_service.conf");
    await writeFile(path, text);
    const variables = { PGSERVICEFILE: path, PGSYSCONFDIR: "/nowhere" };
    const refusal = await refusalOf("service=main", { variables });
    expect(refusal.message).toBe(await askPsql("service=main", variables));
    expect(refusal.kind).toBe("invalid-parameter");
  });
});
