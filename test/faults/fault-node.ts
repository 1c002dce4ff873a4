import pg from "pg";
import type { Engine } from "../harness/containers-engine.js";
import type { ContainerNode } from "../harness/containers.js";
import { waitUntil } from "../harness/wait-until.js";

export type Program = "ours" | "reference";

export const dataDirectory = "/var/lib/postgresql/data/pgdata";
export const configFile = "/etc/repmgr.conf";
const serverLog = "/var/log/postgresql/server.log";
export const daemonLog = "/var/log/postgresql/daemon.log";
const pidFile = "/tmp/repmgrd.pid";

/** What a firewall does with packets. */
export type Cut = "DROP" | "REJECT";

/** One node of a cluster, and everything that may befall it. */
export interface FaultNode {
  readonly name: string;
  readonly id: number;
  readonly address: string;
  /** Runs a line as `postgres` with the program and PostgreSQL on its path; throws when it fails. */
  run(line: string): Promise<string>;
  /** The same; any exit code is a result. */
  attempt(line: string): Promise<{ readonly exitCode: number; readonly output: string }>;
  administer(line: string): Promise<string>;
  /** The first column of the first row, asked from outside of the container; null when nobody answers. */
  ask(statement: string, timeoutMs?: number): Promise<string | null>;
  /** null: nobody answers. */
  isPrimary(): Promise<boolean | null>;
  /** Writes repmgr.conf anew with these settings at its end; a running daemon reads it. */
  configure(settings?: Readonly<Record<string, string | number>>): Promise<void>;
  startServer(): Promise<void>;
  stopServer(): Promise<void>;
  /** SIGKILL for the postmaster; its children end as soon as they notice. */
  killServer(): Promise<void>;
  startDaemon(): Promise<void>;
  killDaemon(signal?: string): Promise<void>;
  killContainer(): Promise<void>;
  startContainer(): Promise<void>;
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Loses, or refuses, every packet that this node sends to the other one. */
  stopSendingTo(other: FaultNode, how?: Cut): Promise<void>;
  restoreLinks(): Promise<void>;
  /**
   * As libfaketime reads it: `+3600`, `-3600`, `+0 x1.02`. `isMonotonic`: programs that are started from now on take the
   * clock that nobody can set from there as well, as where the rate of the machine's clock is wrong.
   */
  setClock(spec: string, options?: { readonly isMonotonic?: boolean }): Promise<void>;
}

export interface NodeOptions {
  readonly id: number;
  readonly container: ContainerNode;
  readonly engine: Engine;
  readonly program: Program;
  readonly settings: Readonly<Record<string, string | number>>;
  readonly fakesClock: boolean;
}

const clockFile = "/tmp/clock";
const monotonicFile = "/tmp/clock-monotonic";
/** Each look at the clock reads the file; a date that is set leaves the monotonic clock alone. */
const fakeClock = `export LD_PRELOAD="$(ls /usr/lib/*/faketime/libfaketimeMT.so.1)" FAKETIME_TIMESTAMP_FILE=${clockFile} FAKETIME_NO_CACHE=1 FAKETIME_DISABLE_SHM=1
  test -e ${monotonicFile} || export DONT_FAKE_MONOTONIC=1 FAKETIME_DONT_FAKE_MONOTONIC=1;`;

const tunedSettings = (program: Program) => ({
  use_replication_slots: "yes",
  failover: "automatic",
  promote_command: `/opt/${program}/bin/repmgr standby promote -f ${configFile} --log-to-file`,
  follow_command: `/opt/${program}/bin/repmgr standby follow -f ${configFile} --log-to-file --upstream-node-id=%n`,
  reconnect_attempts: 3,
  reconnect_interval: 1,
  monitor_interval_secs: 1,
  log_file: daemonLog,
  repmgrd_pid_file: pidFile,
  pg_ctl_options: `-l ${serverLog}`,
  repmgr_bindir: `/opt/${program}/bin`,
});

export function createFaultNode(options: NodeOptions): FaultNode {
  const { id, container, engine, program, settings, fakesClock } = options;
  const clock = fakesClock ? fakeClock : "";
  const { name, address } = container;
  const path = `export PATH=/opt/${program}/bin:/usr/lib/postgresql/15/bin:$PATH`;
  const attempt: FaultNode["attempt"] = (line) => container.execute(`${path}; ${line}`, { directory: "/" });
  const run = async (line: string): Promise<string> =>
    (await container.expectSuccess(`${path}; ${line}`, { directory: "/" })).output;
  const administer = async (line: string): Promise<string> =>
    (await container.expectSuccess(line, { user: "root", directory: "/" })).output;
  const ask: FaultNode["ask"] = (statement, timeoutMs = ASK_WITHIN_MS) =>
    askOnce(address, statement, timeoutMs);
  const handle = engine.getContainer(container.id);
  const state = async () => (await handle.inspect()).State;
  return {
    name,
    id,
    address,
    run,
    attempt,
    administer,
    ask,
    isPrimary: async () => {
      const answer = await ask("SELECT NOT pg_is_in_recovery()");
      return answer === null ? null : answer === "t";
    },
    configure: async (changes = {}) => {
      const values = {
        node_id: id,
        node_name: name,
        conninfo: `host=${name} user=repmgr dbname=repmgr connect_timeout=2`,
        data_directory: dataDirectory,
        pg_bindir: "/usr/lib/postgresql/15/bin",
        ...tunedSettings(program),
        ...settings,
        ...changes,
      };
      const lines = Object.entries(values).map(([key, value]) => `${key}='${String(value)}'`);
      await administer(
        `cat > ${configFile} <<'END OF FILE'\n${lines.join("\n")}\nEND OF FILE
        test ! -s ${pidFile} || kill -HUP "$(cat ${pidFile})" 2>/dev/null || true`,
      );
    },
    startServer: async () => {
      // Its daemon may stop, rewind or start it at the same moment; what comes of it is judged in the end.
      await run(
        `${clock} pg_ctl -D ${dataDirectory} status >/dev/null || pg_ctl -D ${dataDirectory} -l ${serverLog} -w -t 60 start >/dev/null 2>&1 || true`,
      );
    },
    stopServer: async () => {
      await run(`pg_ctl -D ${dataDirectory} -m fast -w stop >/dev/null`);
    },
    killServer: async () => {
      await run(`kill -KILL "$(head -n 1 ${dataDirectory}/postmaster.pid)"`);
    },
    startDaemon: async () => {
      await run(
        // After a restart of the container the number may be that of a server process.
        `${clock} test -s ${pidFile} && grep -qa ^repmgrd "/proc/$(cat ${pidFile})/cmdline" 2>/dev/null || repmgrd -f ${configFile} --daemonize`,
      );
    },
    killDaemon: async (signal = "KILL") => {
      await run(`kill -${signal} "$(cat ${pidFile})"`);
    },
    killContainer: () => handle.kill(),
    startContainer: async () => {
      if (!(await state()).Running) await handle.start();
    },
    freeze: () => handle.pause(),
    thaw: async () => {
      if ((await state()).Paused) await handle.unpause();
    },
    stopSendingTo: async (other, how = "DROP") => {
      await administer(`iptables -I OUTPUT -d ${other.address} -j ${how}`);
    },
    setClock: async (spec, { isMonotonic = false } = {}) => {
      await run(
        `echo '${spec}' > ${clockFile}.new && mv ${clockFile}.new ${clockFile}; ${isMonotonic ? "touch" : "rm -f"} ${monotonicFile}`,
      );
    },
    restoreLinks: async () => {
      await administer("iptables -F");
    },
  };
}

const ASK_WITHIN_MS = 2000;
const asText = { getTypeParser: () => (value: unknown) => value };

async function askOnce(host: string, statement: string, timeoutMs: number): Promise<string | null> {
  const client = connectTo(host, timeoutMs);
  try {
    await client.connect();
    const { rows } = await client.query<[string | null]>({
      text: statement,
      rowMode: "array",
      types: asText,
    });
    return rows[0]?.[0] ?? null;
  } catch {
    return null;
  } finally {
    abandon(client);
  }
}

/** A client of the user and database `repmgr`; it is not connected yet. */
export function connectTo(host: string, timeoutMs: number): pg.Client {
  const client = new pg.Client({
    host,
    user: "repmgr",
    database: "repmgr",
    connectionTimeoutMillis: Math.min(timeoutMs, 1000),
    query_timeout: timeoutMs,
    // The refusals of standbys are no news.
    options: "-c log_min_messages=panic",
  });
  // An error outside of a query; the next query tells.
  client.on("error", () => {});
  return client;
}

/** Closes without a word to a server that may hang. */
export function abandon(client: pg.Client): void {
  void client.end().catch(() => {});
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}

export async function waitForPrimary(nodes: readonly FaultNode[], timeoutMs = 30_000): Promise<FaultNode> {
  return waitUntil(
    `one of ${nodes.map(({ name }) => name).join(", ")} is a primary`,
    async () => {
      const answers = await Promise.all(nodes.map((node) => node.isPrimary()));
      return nodes.find((_, index) => answers[index] === true);
    },
    timeoutMs,
  );
}
