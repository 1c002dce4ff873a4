import { waitUntil } from "../harness/wait-until.js";
import type { FaultCluster } from "./fault-cluster.js";
import { configFile, dataDirectory, waitForPrimary, type FaultNode } from "./fault-node.js";

/** Takes faults away: frozen and stopped containers, cut links, changed settings; processes stay as they are. */
export async function endFaults({ nodes }: FaultCluster): Promise<void> {
  await Promise.all(
    nodes.map(async (node) => {
      await node.thaw();
      await node.startContainer();
      await node.restoreLinks();
      await node.configure();
    }),
  );
}

/** Makes a whole cluster of whatever a story left, and waits until all daemons may vote. */
export async function restoreCluster(cluster: FaultCluster): Promise<void> {
  await endFaults(cluster);
  await Promise.all(cluster.nodes.map((node) => node.startServer()));
  await Promise.all(cluster.nodes.map((node) => node.startDaemon()));
  const isWhole = await awaitWhole(cluster, 15_000).then(
    () => true,
    () => false,
  );
  if (!isWhole) await repair(cluster);
  await awaitWhole(cluster, 60_000);
  await awaitArmed(cluster);
}

/** By the commands that an administrator has, where the daemons are not meant to do it. */
async function repair({ servers, nodes }: FaultCluster): Promise<void> {
  const terms = await Promise.all(
    servers.map(async (node) =>
      (await node.isPrimary()) === true
        ? Number(await node.ask("SELECT max(term) FROM repmgr.voting_term"))
        : -1,
    ),
  );
  const primary = servers[terms.indexOf(Math.max(...terms))];
  if (primary === undefined || Math.max(...terms) < 0) throw new Error("no server is a primary");
  for (const node of servers) {
    if (node === primary || (await isStreaming(primary, node))) continue;
    await node.attempt(`pg_ctl -D ${dataDirectory} -m fast -w stop`);
    await node.run(
      `repmgr -f ${configFile} -d 'host=${primary.name} user=repmgr dbname=repmgr' node rejoin --force-rewind`,
    );
  }
  await Promise.all(nodes.map((node) => node.startServer()));
  await Promise.all(nodes.map((node) => node.startDaemon()));
}

export const isStreaming = async (primary: FaultNode, { name }: FaultNode): Promise<boolean> =>
  (await primary.ask(
    `SELECT count(*) FROM pg_stat_replication WHERE application_name = '${name}' AND state = 'streaming'`,
  )) === "1";

/** One primary, and all others stream from where their records say; everybody has the same rows. */
export async function awaitWhole({ servers, shape }: FaultCluster, timeoutMs: number): Promise<FaultNode> {
  const deadline = performance.now() + timeoutMs;
  let found = "";
  const whole = await waitUntil(
    "the cluster is whole",
    async () => {
      const roles = await Promise.all(servers.map((node) => node.isPrimary()));
      const timelines = await Promise.all(servers.map(readTimeline));
      found = servers
        .map(({ name }, n) => `${name}: primary ${roles[n]}, timeline ${timelines[n]}`)
        .join("; ");
      const primary = servers[roles.indexOf(true)];
      const isOnePrimary = roles.filter((role) => role === true).length === 1 && !roles.includes(null);
      return isOnePrimary && new Set(timelines).size === 1 && timelines[0] !== null && primary;
    },
    timeoutMs,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${found}`);
  });
  if (shape.size > 1) await awaitSameRows(servers, whole, Math.max(1000, deadline - performance.now()));
  return whole;
}

/** The timeline that is written or received. */
const readTimeline = (node: FaultNode): Promise<string | null> =>
  node.ask(
    `SELECT CASE WHEN pg_is_in_recovery()
      THEN (SELECT received_tli FROM pg_stat_wal_receiver WHERE status = 'streaming')
      ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END`,
  );

async function awaitSameRows(
  servers: readonly FaultNode[],
  primary: FaultNode,
  timeoutMs: number,
): Promise<void> {
  let found = "";
  await waitUntil(
    `all nodes have the rows of ${primary.name}`,
    async () => {
      const statement =
        "SELECT count(*) || ' ' || coalesce(md5(string_agg(row || node, ',' ORDER BY row)), '') FROM load";
      const sums = await Promise.all(servers.map((node) => node.ask(statement, 10_000)));
      found = sums.join("; ");
      return new Set(sums).size === 1 && sums[0] !== null ? true : null;
    },
    timeoutMs,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${found}`);
  });
}

/** A daemon gives no vote until `vote_hold` after its start and after its last vote. */
export async function awaitArmed({ nodes, servers, shape }: FaultCluster): Promise<void> {
  const holdS = Number.parseFloat(String(shape.settings?.["vote_hold"] ?? "12000")) / 1000 + 0.5;
  const primary = await waitForPrimary(servers);
  await waitUntil(
    "every daemon may vote",
    async () => {
      const ages = await Promise.all([
        ...nodes.map((node) =>
          node.ask(
            `SELECT extract(epoch FROM clock_timestamp() - min(backend_start)) FROM pg_stat_activity
              WHERE application_name LIKE 'tsr1 %'`,
          ),
        ),
        primary.ask(
          `SELECT coalesce(extract(epoch FROM clock_timestamp() - max(event_timestamp)), 1000) FROM repmgr.events
            WHERE event IN ('repmgrd_failover_promote', 'standby_promote')`,
        ),
      ]);
      return ages.every((age) => age !== null && Number(age) > holdS);
    },
    40_000,
  );
}
