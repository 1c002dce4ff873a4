import { appendFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { waitUntil } from "../../harness/wait-until.js";
import { addStandby, createRegisteredPrimary, type TestNode } from "../cluster/make-cluster.js";
import { startDaemon, type StartedDaemon } from "./start-daemon.js";

const program = resolve(import.meta.dirname, "../../../bin/tsrepmgr.js");

/** A primary and standbys whose configuration lets the daemon act, and act fast. */
export async function createFailoverCluster(
  size: number,
  settings: Readonly<Record<string, string | number>> = {},
): Promise<readonly TestNode[]> {
  const primary = await createRegisteredPrimary();
  const nodes = [primary];
  for (let id = 2; id <= size; id += 1) nodes.push(await addStandby(id, primary));
  for (const node of nodes) await letFailOver(node, settings);
  return nodes;
}

export async function letFailOver(
  { server, configFile }: TestNode,
  settings: Readonly<Record<string, string | number>> = {},
): Promise<void> {
  const command = `${process.execPath} ${program} -f ${configFile}`;
  const values = {
    failover: "automatic",
    promote_command: `${command} standby promote`,
    follow_command: `${command} standby follow --upstream-node-id=%n`,
    reconnect_attempts: 3,
    reconnect_interval: "200ms",
    monitor_interval_secs: 1,
    // A daemon without a state file gives no vote before this time is over.
    vote_hold: "6500ms",
    state_directory: join(server.directory, "state"),
    ...settings,
  };
  const lines = Object.entries(values).map(
    ([key, value]) => `${key}='${String(value).replaceAll("'", "''")}'\n`,
  );
  await appendFile(configFile, lines.join(""));
}

export async function startDaemonOn(node: TestNode): Promise<StartedDaemon> {
  const daemon = startDaemon(node.configFile);
  await waitUntil(`the daemon of ${node.server.name} runs`, async () => {
    const rows = await node.server
      .sql<{ running: boolean }>("SELECT repmgr.repmgrd_is_running() AS running")
      .catch(() => []);
    return rows[0]?.running === true;
  });
  return daemon;
}

/** No vote is given before, since the daemon cannot know what it promised before its start. */
export async function waitUntilArmed(node: TestNode): Promise<void> {
  await waitUntil(`${node.server.name} may vote`, async () => {
    const [row] = await node.server.sql<{ age: number }>(
      `SELECT extract(epoch FROM clock_timestamp() - backend_start)::float AS age FROM pg_stat_activity
        WHERE application_name LIKE 'tsr1 %'`,
    );
    return (row?.age ?? 0) > 7;
  });
}

export async function isPrimary({ server }: TestNode): Promise<boolean> {
  const rows = await server
    .sql<{ primary: boolean }>("SELECT NOT pg_is_in_recovery() AS primary")
    // A server that is just being restarted.
    .catch(() => []);
  return rows[0]?.primary === true;
}
