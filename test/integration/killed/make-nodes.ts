import { expect } from "vitest";
import { createPrimary, type TestServer, type TestServerOptions } from "../../harness/postgres-server.js";
import { runProgram, writeRepmgrConf, type ProgramResult } from "../../harness/program.js";
import { createStandby } from "../../harness/standby.js";
import { waitUntil } from "../../harness/wait-until.js";

export interface Node {
  readonly id: number;
  readonly server: TestServer;
  readonly conf: string;
  run(...words: string[]): Promise<ProgramResult>;
}

type Values = Readonly<Record<string, string | number | boolean>>;

export async function makeNode(server: TestServer, id: number, values: Values = {}): Promise<Node> {
  const conf = await writeRepmgrConf(server, {
    node_id: id,
    node_name: `node${id}`,
    use_replication_slots: true,
    node_rejoin_timeout: 20,
    pg_ctl_options: `-l ${server.logFile}`,
    ...values,
  });
  return { id, server, conf, run: (...words) => runProgram(["-f", conf, ...words]) };
}

export async function expectSuccess(run: Promise<ProgramResult>): Promise<ProgramResult> {
  const result = await run;
  expect(result.exitCode, result.output).toBe(0);
  return result;
}

/** A registered primary. */
export async function makePrimary(options: TestServerOptions = {}): Promise<Node> {
  const node = await makeNode(await createPrimary({ name: "node1", ...options }), 1);
  await expectSuccess(node.run("primary", "register"));
  return node;
}

/** A registered standby that streams through its slot. */
export async function addStandby(primary: Node, id: number): Promise<Node> {
  const node = await makeNode(await createStandby(primary.server, `node${id}`), id);
  await expectSuccess(node.run("standby", "register", "--wait-sync=20"));
  return node;
}

export async function awaitStreaming(upstream: Node, standby: Node): Promise<void> {
  await waitUntil(`node ${standby.id} streams from node ${upstream.id}`, async () => {
    const rows = await upstream.server.sql(
      "SELECT FROM pg_stat_replication WHERE application_name = $1 AND state = 'streaming'",
      [`node${standby.id}`],
    );
    return rows.length > 0;
  });
}

/** Waits until the standby has replayed all that the primary has written by now. */
export async function awaitReplay(primary: Node, standby: Node): Promise<void> {
  const [position] = await primary.server.sql<{ lsn: string }>("SELECT pg_current_wal_lsn()::text AS lsn");
  await waitUntil(`node ${standby.id} has replayed everything`, async () => {
    const [row] = await standby.server.sql<{ reached: boolean }>(
      "SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS reached",
      [position?.lsn],
    );
    return row?.reached === true;
  });
}

export async function slotsOf({ server }: Node): Promise<readonly string[]> {
  const rows = await server.sql<{ slot_name: string }>(
    "SELECT slot_name FROM pg_replication_slots ORDER BY 1",
  );
  return rows.map((row) => row.slot_name);
}

/** `type` and `upstream_node_id` of a node's record. */
export async function recordOf(reader: Node, id: number): Promise<object | undefined> {
  const [row] = await reader.server.sql(
    "SELECT type, upstream_node_id AS upstream, active FROM repmgr.nodes WHERE node_id = $1",
    [id],
  );
  return row;
}
