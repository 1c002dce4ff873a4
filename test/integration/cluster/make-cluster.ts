import { join } from "node:path";
import {
  adoptServer,
  createPrimary,
  freePort,
  newDirectory,
  type TestServer,
} from "../../harness/postgres-server.js";
import { runProgram, writeRepmgrConf } from "../../harness/program.js";
import { runCommand } from "../../harness/run-command.js";
import { waitUntil } from "../../harness/wait-until.js";

export interface TestNode {
  readonly id: number;
  readonly server: TestServer;
  /** Path of its repmgr.conf. */
  readonly configFile: string;
}

/** A registered primary `n1`, running. */
export async function createRegisteredPrimary(): Promise<TestNode> {
  const server = await createPrimary({ name: "n1", settings: { wal_keep_size: "128MB" } });
  const configFile = await writeRepmgrConf(server, { node_id: 1, node_name: "n1" });
  const registered = await runProgram(["-f", configFile, "primary", "register"]);
  if (registered.exitCode !== 0) throw new Error(`primary register failed:\n${registered.output}`);
  return { id: 1, server, configFile };
}

/** A running standby of `upstream`, attached under its node name, with its record on the primary. */
export async function addStandby(
  id: number,
  upstream: TestNode,
  primary: TestNode = upstream,
): Promise<TestNode> {
  const name = `n${id}`;
  const dataDirectory = join(await newDirectory(`${name}-data`), "data");
  await runCommand(join(upstream.server.binDirectory, "pg_basebackup"), [
    ...["-D", dataDirectory, "-c", "fast", "-X", "stream", "-R"],
    ...["-d", `${upstream.server.conninfo} application_name=${name}`],
  ]);
  const server = await adoptServer({ name, dataDirectory, port: await freePort() });
  await server.start();
  const configFile = await writeRepmgrConf(server, { node_id: id, node_name: name });
  await insertNode(primary, { node_id: id, upstream_node_id: upstream.id, conninfo: server.conninfo });
  await waitUntilAttached(upstream, name);
  const node = { id, server, configFile };
  await waitUntilReplayed(primary, node);
  return node;
}

/** Adds or replaces a node record on the primary; what is not given is that of an active standby of n1. */
export async function insertNode(
  primary: TestNode,
  row: { readonly node_id: number } & Readonly<Record<string, string | number | boolean | null>>,
): Promise<void> {
  const values = {
    upstream_node_id: 1,
    node_name: `n${row.node_id}`,
    type: "standby",
    conninfo: "host=127.0.0.1",
    repluser: "repmgr",
    config_file: "/etc/repmgr.conf",
    ...row,
  };
  const columns = Object.keys(values);
  const places = columns.map((_, index) => `$${index + 1}`);
  await primary.server.sql(
    `INSERT INTO repmgr.nodes (${columns.join(", ")}) VALUES (${places.join(", ")})
         ON CONFLICT (node_id) DO UPDATE SET ${columns.map((column) => `${column} = excluded.${column}`).join(", ")}`,
    Object.values(values),
  );
}

export async function removeNode(primary: TestNode, id: number): Promise<void> {
  await primary.server.sql("DELETE FROM repmgr.nodes WHERE node_id = $1", [id]);
}

export async function waitUntilAttached(upstream: TestNode, name: string): Promise<void> {
  await waitUntil(`${name} streams from ${upstream.server.name}`, async () => {
    const rows = await upstream.server.sql(
      "SELECT FROM pg_stat_replication WHERE application_name = $1 AND state = 'streaming'",
      [name],
    );
    return rows.length > 0;
  });
}

/** Waits until the standby has replayed what the primary has written by now. */
export async function waitUntilReplayed(primary: TestNode, standby: TestNode): Promise<void> {
  const [position] = await primary.server.sql<{ lsn: string }>("SELECT pg_current_wal_lsn()::text AS lsn");
  await waitUntil(`${standby.server.name} has replayed everything`, async () => {
    const [row] = await standby.server.sql<{ reached: boolean }>(
      "SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS reached",
      [position?.lsn],
    );
    return row?.reached === true;
  });
}
