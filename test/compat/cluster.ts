import { dirname } from "node:path";
import { inject } from "vitest";
import { connectToEngine } from "../harness/containers-engine.js";
import { startNetwork, type ContainerNetwork } from "../harness/containers.js";
import { startAgent } from "./agent.js";
import { confOf, createNode, databases, dataDirectory, idOf, nodeNames } from "./node.js";
import type { CompatNode, Database, NodeName } from "./node.js";
import type { Release } from "./releases.js";

export interface Cluster {
  readonly node: (name: NodeName) => CompatNode;
  readonly release: Release;
  /** Writes repmgr.conf of a node with further lines at its end. */
  configure(name: NodeName, database: Database, lines?: readonly string[]): Promise<void>;
  start(name: NodeName): Promise<void>;
  stop(name: NodeName): Promise<void>;
  /** Waits until n2 and n3 have replayed what their primary n1 has written. */
  awaitReplay(): Promise<void>;
  /**
   * Gives the tables of the schema the rows that they had when the cluster was new, and the schema if it is gone;
   * a primary that is still a standby has them.
   */
  resetMetadata(database: Database, primary?: NodeName): Promise<void>;
  /** Gives nodes the data directories that they had when the cluster was new and starts them. */
  restore(names: readonly NodeName[]): Promise<void>;
  /** Takes away what a clone has left on n5 and its slots elsewhere. */
  clearCloneTarget(): Promise<void>;
  keepLogs(): Promise<string>;
  remove(): Promise<void>;
}

const tables = ["nodes", "events", "monitoring_history", "voting_term"] as const;
const servers: readonly NodeName[] = ["n1", "n2", "n3", "w4"];
const keptDirectory = "/kept";

const serverSettings = `
listen_addresses = '*'
wal_level = replica
max_wal_senders = 12
max_replication_slots = 12
hot_standby = on
archive_mode = on
archive_command = '/bin/true'
wal_log_hints = on
wal_keep_size = 64MB
shared_buffers = 16MB
fsync = off
autovacuum = off
checkpoint_timeout = 1h
wal_retrieve_retry_interval = 200ms
timezone = 'UTC'`;

const accessRules = `
host all all 0.0.0.0/0 trust
host replication all 0.0.0.0/0 trust`;

/** More kinds of rows than registering makes. */
const seed = `
INSERT INTO repmgr.events VALUES
  (2, 'standby_promote', false, '2026-01-02 03:04:05.678+00', 'first line' || chr(10) || 'second line'),
  (9, 'standby_register', true, '2026-01-02 03:04:06+00', 'of a node that is not registered any more'),
  (3, 'repmgrd_start', true, '2026-01-02 03:04:07+00', NULL);
INSERT INTO repmgr.monitoring_history VALUES
  (1, 2, now() - interval '10 days', now() - interval '10 days', '0/1000', '0/1000', 0, 0),
  (1, 2, now(), now(), '0/2000', '0/1000', 4096, 4096),
  (1, 3, now() - interval '10 days', NULL, '0/2000', NULL, 0, 0);`;

/** Starts n1 (primary), n2 and n3 (standbys), w4 (witness), all registered, and n5, which is empty. */
export async function startCluster(release: Release): Promise<Cluster> {
  const network = await startNetwork(release.networkPrefixes);
  try {
    const cluster = await prepareNodes(network, release);
    await buildCluster(cluster);
    await keepState(cluster);
    return cluster;
  } catch (error) {
    console.error(`logs of the cluster that failed to start are in ${await network.keepLogs()}`);
    await network.remove();
    throw error;
  }
}

async function prepareNodes(network: ContainerNetwork, release: Release): Promise<Cluster> {
  const engine = await connectToEngine();
  const image = inject("referenceImages")[release.suite];
  const nodes = new Map<NodeName, CompatNode>();
  for (const name of nodeNames) {
    const { id } = await network.startNode(name, 10 + idOf(name), {
      image,
      memoryDirectory: dirname(dataDirectory),
    });
    nodes.set(name, createNode(name, await startAgent(engine, id), release.postgresMajor));
  }
  const node = (name: NodeName): CompatNode => {
    const found = nodes.get(name);
    if (found === undefined) throw new Error(`there is no node ${name}`);
    return found;
  };
  return {
    node,
    release,
    configure: (name, database, lines = []) => configure(node(name), { database, release, lines }),
    start: async (name) => {
      await node(name).expectSuccess(
        `pg_ctl -D ${dataDirectory} -l /var/log/postgresql/server.log -w start >/dev/null`,
      );
    },
    stop: async (name) => {
      await node(name).expectSuccess(`pg_ctl -D ${dataDirectory} -m fast -w stop >/dev/null`);
    },
    awaitReplay: () => awaitReplay(node),
    resetMetadata: async (database, primary = "n1") => {
      const statements = resetStatements(database);
      await Promise.all([primary, "w4" as const].map((name) => node(name).execute(database, statements)));
    },
    restore: async (names) => {
      await Promise.all(names.map((name) => restore(node(name))));
    },
    clearCloneTarget: () => clearCloneTarget(node),
    keepLogs: () => network.keepLogs(),
    remove: () => network.remove(),
  };
}

interface Configuration {
  readonly database: Database;
  readonly release: Release;
  readonly lines: readonly string[];
}

async function configure(node: CompatNode, { database, release, lines }: Configuration): Promise<void> {
  const text = [
    `node_id=${String(idOf(node.name))}`,
    `node_name='${node.name}'`,
    `conninfo='host=${node.name} user=repmgr dbname=${database} connect_timeout=2'`,
    `data_directory='${dataDirectory}'`,
    `pg_bindir='/usr/lib/postgresql/${release.postgresMajor}/bin'`,
    "use_replication_slots=yes",
    ...lines,
  ].join("\n");
  await node.administer(`cat > ${confOf(database)} <<'END OF FILE'\n${text}\nEND OF FILE`);
}

async function buildCluster(cluster: Cluster): Promise<void> {
  const { node, configure, start } = cluster;
  for (const name of nodeNames) {
    for (const database of databases) await configure(name, database);
    await node(name).administer(`install -d -o postgres ${keptDirectory} ${dirname(dataDirectory)}`);
  }
  for (const name of ["n1", "w4"] as const) {
    await node(name).expectSuccess(
      `initdb -k -A trust --wal-segsize=1 --no-sync -D ${dataDirectory} >/dev/null
      echo "${serverSettings}" >> ${dataDirectory}/postgresql.conf
      echo "${accessRules}" >> ${dataDirectory}/pg_hba.conf`,
    );
    await start(name);
    await node(name).expectSuccess(
      "createuser -s repmgr && createdb -O repmgr repmgr && createdb -O repmgr nolibs",
    );
  }
  const program = `repmgr -f ${confOf("repmgr")}`;
  await node("n1").expectSuccess(`${program} primary register`);
  for (const name of ["n2", "n3"] as const) {
    await node(name).expectSuccess(`${program} -h n1 -U repmgr -d repmgr standby clone -c`);
    await start(name);
    await node(name).expectSuccess(`${program} standby register`);
  }
  await node("w4").expectSuccess(`${program} -h n1 witness register`);
  await node("n1").execute("repmgr", seed);
  await node("n1").expectSuccess(`repmgr -f ${confOf("nolibs")} primary register`, "ours");
  await node("w4").expectSuccess("pg_dump -h n1 -U repmgr nolibs | psql -Xq -d nolibs -U repmgr");
  for (const name of ["n1", "w4"] as const) await copyRows(node(name));
}

/** Gives the schema in `nolibs` the same rows as the extension's tables, but for the database's name. */
async function copyRows(node: CompatNode): Promise<void> {
  await node.execute("nolibs", `TRUNCATE ${tables.map((name) => `repmgr.${name}`).join(", ")}`);
  for (const table of tables) {
    await node.expectSuccess(
      `psql -Xq -d repmgr -c 'COPY repmgr.${table} TO STDOUT' |
      sed 's/dbname=repmgr/dbname=nolibs/; s#${confOf("repmgr")}#${confOf("nolibs")}#' |
      psql -Xq -v ON_ERROR_STOP=1 -d nolibs -c 'COPY repmgr.${table} FROM STDIN'`,
    );
  }
}

async function keepState({ node, stop, start, awaitReplay }: Cluster): Promise<void> {
  for (const name of ["n1", "n2", "w4"] as const)
    await node(name).expectSuccess(`pg_dump -n repmgr nolibs > ${keptDirectory}/schema.sql`);
  for (const name of ["n1", "w4"] as const) {
    for (const database of databases) {
      await node(name).execute(
        database,
        ["CREATE SCHEMA kept", ...tables.map((t) => `CREATE TABLE kept.${t} AS TABLE repmgr.${t}`)].join(";"),
      );
    }
  }
  await awaitReplay();
  for (const name of servers) await stop(name);
  for (const name of servers) {
    await node(name).expectSuccess(`cp -a ${dataDirectory} ${keptDirectory}/data`);
    await start(name);
  }
  await awaitReplay();
}

function resetStatements(database: Database): string {
  const isGone =
    database === "repmgr"
      ? "NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'repmgr')"
      : "to_regclass('repmgr.nodes') IS NULL";
  const create = database === "repmgr" ? "CREATE EXTENSION repmgr;" : `\\i ${keptDirectory}/schema.sql`;
  return `SELECT pg_is_in_recovery() AS is_standby \\gset
    \\if :is_standby
    \\q
    \\endif
    SET client_min_messages = warning;
    SELECT ${isGone} AS gone \\gset
    \\if :gone
    DROP SCHEMA IF EXISTS repmgr CASCADE;
    ${create}
    \\endif
    BEGIN;
    SET CONSTRAINTS ALL DEFERRED;
    TRUNCATE ${tables.map((name) => `repmgr.${name}`).join(", ")};
    ${tables.map((name) => `INSERT INTO repmgr.${name} SELECT * FROM kept.${name};`).join("\n")}
    COMMIT;`;
}

async function awaitReplay(node: (name: NodeName) => CompatNode): Promise<void> {
  const lsn = String(await node("n1").read("postgres", "SELECT to_json(pg_current_wal_insert_lsn())"));
  const sql = `SELECT pg_last_wal_replay_lsn() >= '${lsn}' AND count(*) = 1 FROM pg_stat_wal_receiver WHERE status = 'streaming'`;
  const wait = `timeout 30 sh -c 'until psql -XqAtc "$1" | grep -q t; do sleep 0.05; done' wait "${sql}"`;
  await Promise.all((["n2", "n3"] as const).map((name) => node(name).expectSuccess(wait)));
}

async function restore(node: CompatNode): Promise<void> {
  await node.expectSuccess(
    `pg_ctl -D ${dataDirectory} -m immediate -w stop >/dev/null 2>&1
    rm -rf ${dataDirectory} && cp -a ${keptDirectory}/data ${dataDirectory} &&
    pg_ctl -D ${dataDirectory} -l /var/log/postgresql/server.log -w start >/dev/null`,
  );
}

async function clearCloneTarget(node: (name: NodeName) => CompatNode): Promise<void> {
  const dropSlots =
    "SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE slot_name LIKE '%_5' AND active; " +
    "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name LIKE '%_5'";
  await node("n5").expectSuccess(
    `pg_ctl -D ${dataDirectory} -m immediate -w stop >/dev/null 2>&1; rm -rf ${dataDirectory}`,
  );
  await Promise.all([
    node("n1").execute("postgres", `${dropSlots}; CHECKPOINT`),
    node("n2").execute("postgres", dropSlots),
  ]);
}
