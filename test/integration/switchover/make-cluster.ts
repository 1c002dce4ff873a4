import { symlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { expect } from "vitest";
import { createPrimary, type TestServer, type TestServerOptions } from "../../harness/postgres-server.js";
import {
  runProgram,
  startProgram,
  writeRepmgrConf,
  type ProgramResult,
  type StartedProgram,
} from "../../harness/program.js";
import { createKey, startSshd, writeSshConfig, type TestSshd } from "../../harness/sshd.js";
import { createStandby } from "../../harness/standby.js";
import { newDirectory, passfile } from "../../harness/test-run.js";
import { waitUntil } from "../../harness/wait-until.js";

export interface SwitchNode {
  readonly id: number;
  readonly server: TestServer;
  readonly conf: string;
  run(...words: string[]): Promise<ProgramResult>;
  start(...words: string[]): StartedProgram;
}

export interface SwitchCluster {
  readonly nodes: readonly SwitchNode[];
  readonly sshd: TestSshd;
  /** The only private key; without it nobody logs in. */
  readonly keyFile: string;
  /** Writes the repmgr.conf of a node again, with more settings. */
  configure(id: number, values: Readonly<Record<string, string | number | boolean>>): Promise<void>;
}

const binDirectory = resolve(import.meta.dirname, "../../../bin");

/** Registered nodes, the first one the primary, that reach each other over one sshd; all run on this host. */
export async function makeCluster(
  count: number,
  options: Pick<TestServerOptions, "settings"> = {},
): Promise<SwitchCluster> {
  const programs = await newDirectory("programs");
  await symlink(join(binDirectory, "tsrepmgr.js"), join(programs, "tsrepmgr"));
  const key = await createKey(await newDirectory("keys"), "id_test");
  const sshd = await startSshd({ allowedKeys: [key], settings: [`SetEnv PGPASSFILE=${passfile()}`] });
  const { sshOptions } = await writeSshConfig({
    hosts: { "127.0.0.1": sshd },
    knownHosts: [sshd],
    keys: [key],
  });
  const writeConf = (
    id: number,
    server: TestServer,
    values: Readonly<Record<string, string | number | boolean>> = {},
  ): Promise<string> =>
    writeRepmgrConf(server, {
      node_id: id,
      node_name: `node${id}`,
      use_replication_slots: true,
      ssh_options: sshOptions,
      repmgr_bindir: programs,
      pg_ctl_options: `-l ${server.logFile}`,
      standby_reconnect_timeout: 20,
      node_rejoin_timeout: 20,
      shutdown_check_timeout: 20,
      ...values,
    });
  const makeNode = async (id: number, server: TestServer): Promise<SwitchNode> => {
    const conf = await writeConf(id, server);
    return {
      id,
      server,
      conf,
      run: (...words) => runProgram(["-f", conf, ...words]),
      start: (...words) => startProgram(["-f", conf, ...words]),
    };
  };
  const primary = await makeNode(1, await createPrimary({ name: "node1", ...options }));
  const registered = await primary.run("primary", "register");
  expect(registered.exitCode, registered.output).toBe(0);
  const nodes = [primary];
  for (let id = 2; id <= count; id += 1) {
    const node = await makeNode(id, await createStandby(primary.server, `node${id}`));
    nodes.push(node);
    const result = await node.run("standby", "register", "--wait-sync=20");
    expect(result.exitCode, result.output).toBe(0);
  }
  // Through follow each standby streams through its slot.
  for (const node of nodes.slice(1)) {
    const result = await node.run("standby", "follow");
    expect(result.exitCode, result.output).toBe(0);
  }
  return {
    nodes,
    sshd,
    keyFile: key,
    configure: async (id, values) => {
      const node = nodes[id - 1];
      if (node !== undefined) await writeConf(id, node.server, values);
    },
  };
}

export async function isInRecovery({ server }: SwitchNode): Promise<boolean> {
  const [row] = await server.sql<{ yes: boolean }>("SELECT pg_is_in_recovery() AS yes");
  return row?.yes ?? true;
}

/** Names and activity of the physical slots, `repmgr_slot_1 t`. */
export async function slotsOf({ server }: SwitchNode): Promise<readonly string[]> {
  const rows = await server.sql<{ slot: string }>(
    "SELECT slot_name || CASE WHEN active THEN ' active' ELSE '' END AS slot FROM pg_replication_slots ORDER BY 1",
  );
  return rows.map(({ slot }) => slot);
}

/** The nodes that take writes, of those that run. */
export async function writableNodes(nodes: readonly SwitchNode[]): Promise<readonly number[]> {
  const found = await Promise.all(
    nodes.map(async (node) => ((await isInRecovery(node).catch(() => true)) ? [] : [node.id])),
  );
  return found.flat();
}

export async function waitUntilStreaming(primary: SwitchNode, names: readonly string[]): Promise<void> {
  await waitUntil(`${names.join(", ")} stream from node${primary.id}`, async () => {
    const rows = await primary.server.sql<{ name: string }>(
      "SELECT application_name AS name FROM pg_stat_replication WHERE state = 'streaming'",
    );
    return names.every((name) => rows.some((row) => row.name === name));
  });
}
