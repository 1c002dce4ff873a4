import { join } from "node:path";
import {
  createPrimary,
  newDirectory,
  type TestServer,
  type TestServerOptions,
} from "../../harness/postgres-server.js";
import {
  runProgram,
  startProgram,
  writeRepmgrConf,
  type ProgramResult,
  type StartedProgram,
} from "../../harness/program.js";

/** A registered primary to clone from. */
export async function makeSource(options: TestServerOptions = {}): Promise<TestServer> {
  const primary = await createPrimary({ name: "node1", ...options });
  const conf = await writeRepmgrConf(primary, { node_id: 1, node_name: "node1" });
  const result = await runProgram(["-f", conf, "primary", "register"]);
  if (result.exitCode !== 0) throw new Error(result.stderr);
  return primary;
}

/** A place for a standby with its repmgr.conf. */
export interface Place {
  readonly dataDirectory: string;
  readonly conf: string;
  clone(...options: string[]): Promise<ProgramResult>;
  start(...options: string[]): StartedProgram;
}

export async function makePlace(
  source: TestServer,
  values: Readonly<Record<string, string | number | boolean>> & { readonly node_id: number },
): Promise<Place> {
  const directory = await newDirectory(`place${values.node_id}`);
  const dataDirectory = join(directory, "data");
  const conf = await writeRepmgrConf(
    {
      directory,
      dataDirectory,
      binDirectory: source.binDirectory,
      conninfo: "host=127.0.0.1 user=repmgr dbname=repmgr",
    },
    { node_name: `node${values.node_id}`, ...values },
  );
  const args = (options: readonly string[]): string[] => {
    const isConnected = options.some((option) => ["-h", "-d", "-p"].includes(option));
    const connection = isConnected
      ? []
      : ["-h", source.host, "-p", String(source.port), "-U", "repmgr", "-d", "repmgr"];
    return [...connection, "-f", conf, "standby", "clone", ...options];
  };
  return {
    dataDirectory,
    conf,
    clone: (...options) => runProgram(args(options)),
    start: (...options) => startProgram(args(options)),
  };
}

/** Names of the replication slots that a server has. */
export async function slotsOf(server: TestServer): Promise<readonly string[]> {
  const rows = await server.sql<{ slot_name: string }>(
    "SELECT slot_name FROM pg_replication_slots ORDER BY 1",
  );
  return rows.map((row) => row.slot_name);
}
