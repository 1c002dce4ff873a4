import type { ChangingCase } from "./cases/changing-cases.js";
import type { Cluster } from "./cluster.js";
import { dataDirectory, type Database, type NodeName } from "./node.js";
import { readParameters, unify, type Observation } from "./observe.js";

/** The servers whose roles change. */
export const movable: readonly NodeName[] = ["n1", "n2", "n3"];

/** What the servers are after a command of `ownNode`, and what has been written for that. */
export async function observeServers(
  cluster: Cluster,
  { node: ownNode, moves, handsOver }: Pick<ChangingCase, "node" | "moves" | "handsOver">,
  database: Database,
): Promise<Observation> {
  const asked = handsOver ? movable : moves ? [ownNode] : [];
  const upstreams = await Promise.all(
    asked.map(async (name) => ({
      [`upstream of ${name}`]: await readUpstream(cluster, name, handsOver ? 100 : 30),
    })),
  );
  const states = await Promise.all(movable.map((name) => readServer(cluster, name, database)));
  return Object.assign({}, ...upstreams, ...states) as Observation;
}

/**
 * The host that a standby streams from; waits for it, because -W does not. A WAL receiver whose slot is refused calls
 * itself streaming for a moment as well, so that the same one has to be seen twice.
 */
async function readUpstream({ node }: Cluster, name: NodeName, tries: number): Promise<string> {
  const sql =
    "SELECT pid, sender_host FROM pg_stat_wal_receiver WHERE status = 'streaming' AND pg_is_in_recovery()";
  const query = `psql -XqAtc "${sql}"`;
  const wait = `[ -f ${dataDirectory}/standby.signal ] || exit 0
    seen=
    for i in $(seq ${String(tries)}); do
      found=$(${query})
      [ -n "$found" ] && [ "$found" = "$seen" ] && break
      seen=$found
      found=
      sleep 0.05
    done
    echo "\${found#*|}"`;
  return (await node(name).run(wait)).stdout;
}

async function readServer({ node }: Cluster, name: NodeName, database: Database): Promise<Observation> {
  const sql =
    "SELECT pg_is_in_recovery(), (SELECT coalesce(string_agg(slot_name, ' ' ORDER BY slot_name), '') FROM pg_replication_slots)";
  const [state, parameters, signal] = await Promise.all([
    node(name).run(`psql -XqAtc "${sql}" || echo down`),
    node(name).run(`cat ${dataDirectory}/postgresql.auto.conf`),
    node(name).run(`ls ${dataDirectory} | grep -E 'signal|recovery.done|\\.conf$'`),
  ]);
  const values = {
    "recovery and slots": state.stdout,
    "postgresql.auto.conf": readParameters(unify(parameters.stdout, database)),
    files: signal.stdout,
  };
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [`${key} of ${name}`, value]));
}
