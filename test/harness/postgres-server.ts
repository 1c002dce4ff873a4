import { readFileSync } from "node:fs";
import { appendFile, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { freePort } from "./free-port.js";
import { choosePostgres } from "./postgres-versions.js";
import { runCommand } from "./run-command.js";
import { newDirectory, testPassword } from "./test-run.js";
import { waitUntil } from "./wait-until.js";

export { freePort } from "./free-port.js";
export { newDirectory, testPassword } from "./test-run.js";

export interface TestServerOptions {
  readonly name?: string;
  /** Lines of postgresql.conf beyond the harness' own. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The whole of pg_hba.conf; the superuser's way in over the socket is kept. */
  readonly hba?: readonly string[];
  /** Default: what initdb does, which makes checksums from PostgreSQL 18 on. */
  readonly dataChecksums?: false;
  /** Major version; default TEST_PG_VERSION or the newest installed. */
  readonly version?: number;
}

export interface TestServer {
  readonly name: string;
  readonly port: number;
  readonly host: "127.0.0.1";
  /** The server's own folder, mode 0700; holds the log and the Unix socket. */
  readonly directory: string;
  readonly dataDirectory: string;
  readonly binDirectory: string;
  readonly logFile: string;
  /** Of user repmgr, without the password: that is in the harness' passfile. */
  readonly conninfo: string;
  start(): Promise<void>;
  stop(mode?: "fast" | "immediate" | "smart"): Promise<void>;
  isRunning(): Promise<boolean>;
  /** Sends a signal to the postmaster. */
  signal(name: NodeJS.Signals): void;
  /** Runs SQL as the superuser. */
  sql<Row extends object = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
  ): Promise<readonly Row[]>;
  log(): Promise<string>;
}

const DEFAULT_SETTINGS = {
  listen_addresses: "127.0.0.1",
  wal_level: "replica",
  max_wal_senders: "10",
  max_replication_slots: "10",
  // A standby without a slot may still be reading what a checkpoint would remove.
  wal_keep_size: "64MB",
  hot_standby: "on",
  wal_log_hints: "on",
  fsync: "off",
  max_connections: "50",
  shared_buffers: "16MB",
  log_statement: "all",
  log_connections: "on",
} as const;

const DEFAULT_HBA = [
  "local all all scram-sha-256",
  "local replication all scram-sha-256",
  "host all all 127.0.0.1/32 scram-sha-256",
  "host replication all 127.0.0.1/32 scram-sha-256",
] as const;

/** From this version on initdb makes checksums without being told, and can be told not to. */
const CHECKSUMS_SINCE = 18;

const SUPERUSER_HBA = "local all postgres scram-sha-256";

const knownServers = new Set<TestServer>();
let unnamedServers = 0;

/** A fresh, running cluster: scram-sha-256 everywhere, superuser `repmgr`, database `repmgr`, replication allowed. */
export async function createPrimary(options: TestServerOptions = {}): Promise<TestServer> {
  unnamedServers += 1;
  const name = options.name ?? `server${unnamedServers}`;
  const directory = await newDirectory(name);
  const { binDirectory, major } = choosePostgres(options.version);
  const dataDirectory = join(directory, "data");
  const passwordFile = join(directory, "initdb-password");
  await writeFile(passwordFile, `${testPassword}\n`, { mode: 0o600 });
  await runCommand(join(binDirectory, "initdb"), [
    ...["-D", dataDirectory, "-U", "postgres", "-A", "scram-sha-256", "--pwfile", passwordFile],
    ...["-N", "-E", "UTF8", "--locale=C"],
    ...(options.dataChecksums === false && major >= CHECKSUMS_SINCE ? ["--no-data-checksums"] : []),
  ]);
  const server = makeServer({ name, directory, dataDirectory, binDirectory, port: await freePort() });
  await configure(server, { ...DEFAULT_SETTINGS, ...options.settings });
  await writeFile(
    join(dataDirectory, "pg_hba.conf"),
    [SUPERUSER_HBA, ...(options.hba ?? DEFAULT_HBA), ""].join("\n"),
  );
  await server.start();
  const maintenance = { ...server, database: "postgres" };
  await runSql(maintenance, `CREATE ROLE repmgr SUPERUSER REPLICATION LOGIN PASSWORD '${testPassword}'`, []);
  await runSql(maintenance, "CREATE DATABASE repmgr OWNER repmgr", []);
  return server;
}

/** Takes over a data directory that something else made, for example a clone; it gets a port and is not started. */
export async function adoptServer(options: {
  readonly name: string;
  readonly dataDirectory: string;
  readonly port: number;
}): Promise<TestServer> {
  const major = Number((await readFile(join(options.dataDirectory, "PG_VERSION"), "utf8")).trim());
  const directory = await newDirectory(options.name);
  const server = makeServer({ ...options, directory, binDirectory: choosePostgres(major).binDirectory });
  await configure(server, {});
  return server;
}

/** Ends every server of this test file that still runs; the logs stay for the search for the password. */
export async function stopAllServers(options: { readonly removeData: boolean }): Promise<void> {
  const servers = [...knownServers];
  knownServers.clear();
  await Promise.all(servers.map((server) => server.stop("immediate")));
  if (!options.removeData) return;
  await Promise.all(servers.map((server) => rm(server.dataDirectory, { recursive: true, force: true })));
}

async function configure(server: TestServer, settings: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries({
    ...settings,
    port: String(server.port),
    unix_socket_directories: server.directory,
  });
  const text = lines.map(([key, value]) => `${key} = '${value.replaceAll("'", "''")}'\n`).join("");
  await appendFile(join(server.dataDirectory, "postgresql.conf"), `\n# test harness\n${text}`);
}

type Parts = Pick<TestServer, "name" | "port" | "directory" | "dataDirectory" | "binDirectory">;

function makeServer(parts: Parts): TestServer {
  const { port, directory, dataDirectory, binDirectory } = parts;
  const host = "127.0.0.1";
  const logFile = join(directory, "server.log");
  const control = (...args: string[]): Promise<string> =>
    runCommand(join(binDirectory, "pg_ctl"), ["-D", dataDirectory, ...args]);
  const isRunning = async (): Promise<boolean> =>
    control("status").then(
      () => true,
      () => false,
    );
  let killedPid: number | null = null;
  /** Until somebody has reaped it, a killed postmaster counts as one that runs, for pg_ctl too. */
  const awaitKilled = async (): Promise<void> => {
    await waitUntil(`the killed server "${parts.name}" has gone`, async () => {
      const lockFile = await readFile(join(dataDirectory, "postmaster.pid"), "utf8").catch(() => "");
      return Number.parseInt(lockFile, 10) !== killedPid || !(await isRunning());
    });
    killedPid = null;
  };
  const server: TestServer = {
    ...parts,
    host,
    logFile,
    conninfo: `host=${host} port=${port} user=repmgr dbname=repmgr connect_timeout=2`,
    isRunning,
    start: async () => {
      if (killedPid !== null) await awaitKilled();
      if (await isRunning()) return;
      try {
        await control("-w", "-t", "60", "-l", logFile, "start");
      } catch {
        throw new Error(`server "${parts.name}" did not start; its log:\n${await server.log()}`);
      }
    },
    stop: async (mode = "fast") => {
      if (!(await isRunning())) return;
      await control("-w", "-t", "60", "-m", mode, "stop").catch(async (error: unknown) => {
        // It may have ended by itself meanwhile.
        if (await isRunning()) throw error;
      });
    },
    signal: (name) => {
      const pid = readPostmasterPid(dataDirectory);
      process.kill(pid, name);
      if (name === "SIGKILL") killedPid = pid;
    },
    sql: (text, values = []) => runSql(server, text, values),
    log: () => readFile(logFile, "utf8").catch(() => ""),
  };
  knownServers.add(server);
  return server;
}

function readPostmasterPid(dataDirectory: string): number {
  return Number.parseInt(readFileSync(join(dataDirectory, "postmaster.pid"), "utf8"), 10);
}

async function runSql<Row extends object>(
  server: TestServer & { readonly database?: string },
  text: string,
  values: readonly unknown[],
): Promise<readonly Row[]> {
  const client = new pg.Client({
    host: server.directory,
    port: server.port,
    user: "postgres",
    database: server.database ?? "repmgr",
    password: testPassword,
    // Statements of the harness name the password; those of the program under test are logged.
    options: "-c log_statement=none -c log_min_error_statement=panic",
  });
  // A server that is stopped under a statement says so beside the rejection, too.
  client.on("error", () => undefined);
  await client.connect();
  try {
    const result = await (values.length === 0
      ? client.query<Row>(text)
      : client.query<Row>(text, [...values]));
    return result.rows;
  } finally {
    await client.end();
  }
}
