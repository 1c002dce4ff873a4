import { appendFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findFreePort } from "./free-port.js";
import { runProgram, type Program } from "./run-program.js";

/** Where everything of this run is, and where PostgreSQL's programs are. */
export interface Place {
  readonly folder: string;
  readonly binDirectory: string;
  /** For `ssh_options` of repmgr.conf; empty without an sshd. */
  readonly sshOptions: string;
}

/** A server and its repmgr.conf. */
export interface Server {
  readonly id: number;
  readonly name: string;
  readonly port: number;
  readonly conf: string;
  readonly dataDirectory: string;
}

const SETTINGS = `
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
shared_buffers = '1MB'
max_connections = 40
max_wal_senders = 30
max_worker_processes = 2
wal_log_hints = on
fsync = off
autovacuum = off
`;

/** Makes the folder and repmgr.conf of a server that is not there yet. */
export async function placeServer(place: Place, name: string, id: number): Promise<Server> {
  const directory = join(place.folder, name);
  const dataDirectory = join(directory, "data");
  const conf = join(directory, "repmgr.conf");
  const port = await findFreePort();
  mkdirSync(directory);
  writeFileSync(
    conf,
    `node_id=${id}
node_name='${name}'
conninfo='${conninfoOf({ port })}'
data_directory='${dataDirectory}'
pg_bindir='${place.binDirectory}'
ssh_options='${place.sshOptions}'
`,
  );
  return { id, name, port, conf, dataDirectory };
}

const conninfoOf = ({ port }: Pick<Server, "port">): string =>
  `host=127.0.0.1 port=${port} user=repmgr dbname=repmgr connect_timeout=2`;

/**
 * A new cluster with the role and the database `repmgr`, running. Logins are by SCRAM, as the packages of PostgreSQL
 * set them up. By plain password they would be no cheaper: the server then hashes the password thousands of times.
 */
export async function createPrimary(place: Place, server: Server, settings = ""): Promise<void> {
  await postgres(place, "initdb", [
    ...["-D", server.dataDirectory, "-U", "repmgr", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "-N"],
    `--pwfile=${join(place.folder, "password")}`,
  ]);
  appendFileSync(
    join(server.dataDirectory, "postgresql.conf"),
    `${SETTINGS}${settings}port = ${server.port}\n`,
  );
  await startServer(place, server);
  await postgres(place, "createdb", [...connectionArguments(server), "repmgr"]);
}

/** Makes standbys by copying the data directory of a primary, which is stopped for the while. */
export async function copyStandbys(
  place: Place,
  primary: Server,
  standbys: readonly Server[],
): Promise<void> {
  await stopServer(place, primary);
  for (const { name, port, dataDirectory } of standbys) {
    await runProgram({ path: "cp", args: ["-a", "--reflink=auto", primary.dataDirectory, dataDirectory] });
    writeFileSync(join(dataDirectory, "standby.signal"), "");
    const source = `${conninfoOf(primary)} application_name=${name}`;
    appendFileSync(
      join(dataDirectory, "postgresql.conf"),
      `port = ${port}\nprimary_conninfo = '${source}'\n`,
    );
  }
  await startServer(place, primary);
}

export async function startServer(place: Place, { dataDirectory }: Server): Promise<void> {
  await postgres(place, "pg_ctl", ["-D", dataDirectory, "-l", `${dataDirectory}.log`, "-s", "-w", "start"]);
}

export async function stopServer(place: Place, { dataDirectory }: Server): Promise<void> {
  await postgres(place, "pg_ctl", ["-D", dataDirectory, "-s", "-w", "-m", "fast", "stop"]);
}

export async function runSql(place: Place, server: Server, statement: string): Promise<void> {
  const args = [...connectionArguments(server), "-d", "repmgr", "-X", "-q", "-v", "ON_ERROR_STOP=1"];
  await postgres(place, "psql", [...args, "-c", statement]);
}

export const connectionArguments = ({ port }: Server): readonly string[] => [
  ...["-h", "127.0.0.1", "-p", String(port), "-U", "repmgr"],
];

/** Kills all processes of a server at once, as the end of its machine would. */
export function killServer({ dataDirectory }: Server): void {
  const postmaster = postmasterOf(dataDirectory);
  const children = listChildren(postmaster);
  for (const pid of [postmaster, ...children]) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  }
}

function postmasterOf(dataDirectory: string): number {
  return Number(readFileSync(join(dataDirectory, "postmaster.pid"), "utf8").split("\n")[0]);
}

const frozen = new Set<number>();

/** Stops a server in its tracks, the postmaster first so that it forks nothing more; the kernel still accepts connections for it. */
export function freezeServer({ dataDirectory }: Server): void {
  const postmaster = postmasterOf(dataDirectory);
  const freeze = (pid: number): void => {
    process.kill(pid, "SIGSTOP");
    frozen.add(pid);
  };
  freeze(postmaster);
  listChildren(postmaster).forEach(freeze);
}

/** Lets all frozen servers go on. */
export function thawServers(): void {
  for (const pid of frozen) {
    frozen.delete(pid);
    try {
      process.kill(pid, "SIGCONT");
    } catch {
      // It has ended.
    }
  }
}

function listChildren(parent: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/status`, "utf8").includes(`\nPPid:\t${parent}\n`);
      } catch {
        return false; // It has ended.
      }
    })
    .map(Number);
}

function postgres({ binDirectory }: Place, name: string, args: Program["args"]): Promise<string> {
  return runProgram({ path: join(binDirectory, name), args });
}
