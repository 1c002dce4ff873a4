import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "./free-port.js";
import { newDirectory, testPassword } from "./test-run.js";
import { waitUntil } from "./wait-until.js";

const PROGRAM = "/usr/sbin/pgbouncer";

/** Why tests with a real pgbouncer cannot run here; null when they can. */
export const missingPgbouncer = existsSync(PROGRAM) ? null : `there is no ${PROGRAM}: install pgbouncer`;

export interface TestPgbouncer {
  readonly host: string;
  readonly port: number;
  /** The file with its [databases] section, which its main file includes. */
  readonly databaseFile: string;
  log(): Promise<string>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const running = new Set<TestPgbouncer>();

/** A real pgbouncer, with the administrator `boss` and `joe`, who may only look; `databases` is the text of its database file. */
export async function startPgbouncer(
  databases: string,
  host = "127.0.0.1",
  /** Of the main file; the last one of a name counts. */
  settings: readonly string[] = [],
): Promise<TestPgbouncer> {
  const directory = await newDirectory("pgbouncer");
  const port = await freePort();
  const databaseFile = join(directory, "databases.ini");
  const mainFile = join(directory, "pgbouncer.ini");
  const logFile = join(directory, "pgbouncer.log");
  const users = join(directory, "users");
  await writeFile(databaseFile, databases, { mode: 0o640 });
  const names = ["boss", "joe", "eve", "repmgr"];
  await writeFile(users, names.map((name) => `"${name}" "${testPassword}"\n`).join(""), { mode: 0o600 });
  const lines = [
    `%include ${databaseFile}`,
    "[pgbouncer]",
    `listen_addr = ${host}`,
    `listen_port = ${port}`,
    "unix_socket_dir =",
    ...[
      "auth_type = scram-sha-256",
      `auth_file = ${users}`,
      "admin_users = boss",
      "stats_users = joe",
      "pool_mode = transaction",
    ],
    ...["server_login_retry = 1", `logfile = ${logFile}`, ...settings, ""],
  ];
  await writeFile(mainFile, lines.join("\n"));
  const log = (): Promise<string> => readFile(logFile, "utf8").catch(() => "");
  let child: ChildProcess | null = null;
  let starts = 1;
  const pgbouncer: TestPgbouncer = {
    host,
    port,
    databaseFile,
    log,
    start: async () => {
      const started = spawn(PROGRAM, ["-q", mainFile], { stdio: "ignore" });
      child = started;
      running.add(pgbouncer);
      await waitUntil("pgbouncer is up", async () => {
        if (started.exitCode !== null) throw new Error(`pgbouncer did not start:\n${await log()}`);
        return (await log()).split("process up").length > starts;
      });
      starts += 1;
    },
    stop: async () => {
      running.delete(pgbouncer);
      if (child === null || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    },
  };
  await pgbouncer.start();
  return pgbouncer;
}

/** Ends every pgbouncer of this test file. */
export async function stopAllPgbouncers(): Promise<void> {
  await Promise.all([...running].map((pgbouncer) => pgbouncer.stop()));
}
