import { inject } from "vitest";
import { connectToEngine } from "../harness/containers-engine.js";
import { startNetwork, type ContainerNetwork } from "../harness/containers.js";
import { configFile, createFaultNode, dataDirectory, type FaultNode, type Program } from "./fault-node.js";

export interface ClusterShape {
  /** Primary and standbys. */
  readonly size: number;
  readonly hasWitness?: boolean;
  /** Default: ours. */
  readonly program?: Program;
  /** Lines of repmgr.conf beyond the tuned ones. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** The upstream of a standby by its number; default: the first node. */
  readonly upstreams?: Readonly<Record<number, number>>;
  /** Servers and daemons have a clock of their own, which `setClock` sets. */
  readonly fakesClocks?: boolean;
  /** The data directories lie in memory of this size. */
  readonly dataSize?: string;
}

export interface FaultCluster {
  readonly shape: ClusterShape;
  /** Primary and standbys, which of them is what changes. */
  readonly servers: readonly FaultNode[];
  readonly witness: FaultNode | null;
  readonly nodes: readonly FaultNode[];
  keepLogs(): Promise<string>;
  remove(): Promise<void>;
}

const networkPrefixes = ["172.29.61", "172.29.62", "172.29.63", "10.79.61", "192.168.161"];

/** `fsync` off saves nothing but time: no fault here takes the kernel's memory away. */
const serverSettings = (program: Program) => `
listen_addresses = '*'
wal_log_hints = on
max_wal_size = 64MB
wal_keep_size = 128MB
shared_buffers = 16MB
fsync = off
timezone = 'UTC'
log_line_prefix = '%m [%p] %q%a '
shared_preload_libraries = '${program === "reference" ? "repmgr" : ""}'`;

const accessRules = `
host all all 0.0.0.0/0 trust
host replication all 0.0.0.0/0 trust`;

/** Registered nodes n1 (primary), n2 and so on, the witness last; each with a daemon. */
export async function startFaultCluster(shape: ClusterShape): Promise<FaultCluster> {
  const network = await startNetwork(networkPrefixes);
  try {
    const nodes = await startNodes(network, shape);
    const servers = nodes.slice(0, shape.size);
    const cluster = {
      shape,
      nodes,
      servers,
      witness: nodes[shape.size] ?? null,
      keepLogs: () => network.keepLogs(),
      remove: async () => {
        await Promise.all(nodes.map((node) => node.thaw().catch(() => {})));
        await network.remove();
      },
    };
    await shareKey(nodes);
    await build(cluster);
    return cluster;
  } catch (error) {
    console.error(`logs of the cluster that failed to start are in ${await network.keepLogs()}`);
    await network.remove();
    throw error;
  }
}

async function startNodes(network: ContainerNetwork, shape: ClusterShape): Promise<readonly FaultNode[]> {
  const engine = await connectToEngine();
  const ids = Array.from(
    { length: shape.size + (shape.hasWitness === true ? 1 : 0) },
    (_, index) => index + 1,
  );
  return Promise.all(
    ids.map(async (id) => {
      const container = await network.startNode(`n${id}`, 10 + id, {
        image: inject("faultImage"),
        capabilities: ["NET_ADMIN"],
        ...(shape.dataSize === undefined
          ? {}
          : { memoryDirectory: "/var/lib/postgresql/data", memoryDirectorySize: shape.dataSize }),
      });
      const node = createFaultNode({
        id,
        container,
        engine,
        program: shape.program ?? "ours",
        settings: shape.settings ?? {},
        fakesClock: shape.fakesClocks === true,
      });
      await node.administer("install -d -o postgres -g postgres /var/lib/postgresql/data");
      await node.configure();
      return node;
    }),
  );
}

/** Each node may log in to each other, as a switchover needs it. */
async function shareKey(nodes: readonly FaultNode[]): Promise<void> {
  const [first] = nodes;
  const directory = "/var/lib/postgresql/.ssh";
  await first?.run(
    `install -d -m 700 ${directory} && ssh-keygen -q -t ed25519 -N '' -f ${directory}/id_ed25519`,
  );
  const key = await first?.run(`cat ${directory}/id_ed25519`);
  await Promise.all(
    nodes.map((node) =>
      node.run(
        `install -d -m 700 ${directory} && umask 077 && cat > ${directory}/id_ed25519 <<'END OF KEY'\n${key ?? ""}END OF KEY
        ssh-keygen -y -f ${directory}/id_ed25519 > ${directory}/authorized_keys
        printf 'Host *\\nStrictHostKeyChecking no\\nUserKnownHostsFile /dev/null\\nLogLevel ERROR\\n' > ${directory}/config`,
      ),
    ),
  );
}

async function build({
  servers,
  witness,
  nodes,
  shape,
}: Omit<FaultCluster, "keepLogs" | "remove">): Promise<void> {
  const [first, ...others] = servers;
  if (first === undefined) throw new Error("a cluster has at least one node");
  const repmgr = `repmgr -f ${configFile}`;
  for (const node of witness === null ? [first] : [first, witness]) {
    await node.run(
      `initdb -k -A trust --wal-segsize=1 --no-sync -D ${dataDirectory} >/dev/null
      echo "${serverSettings(shape.program ?? "ours")}" >> ${dataDirectory}/postgresql.conf
      echo "${accessRules}" >> ${dataDirectory}/pg_hba.conf`,
    );
    await node.startServer();
    await node.run("createuser -s repmgr && createdb -O repmgr repmgr");
  }
  await first.run(
    `${repmgr} primary register && psql -Xq -U repmgr repmgr -c 'CREATE TABLE load (row bigint PRIMARY KEY, node text)'`,
  );
  for (const node of others) {
    const upstream = shape.upstreams?.[node.id] ?? first.id;
    const words = upstream === first.id ? "" : `--upstream-node-id=${upstream}`;
    await node.run(`${repmgr} -h n${upstream} -U repmgr -d repmgr standby clone -c ${words}`);
    await node.startServer();
    await node.run(`${repmgr} standby register ${words} --wait-sync=30`);
  }
  if (witness !== null) await witness.run(`${repmgr} -h ${first.name} witness register`);
  for (const node of nodes) await node.startDaemon();
}
