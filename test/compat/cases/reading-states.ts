import type { Cluster } from "../cluster.js";
import { databases } from "../node.js";
import { clusterLines, clusterShow, eventLines, nodeStatus } from "./cluster-lines.js";
import { onNodes, type CommandCase } from "./case.js";
import { grammarCases } from "./grammar-cases.js";
import { configurationCases } from "./configuration-cases.js";
import { nodeCases, nodeChecksOfFailure } from "./node-check-cases.js";
import { dryRunCases } from "./dry-run-cases.js";
import { sshStates } from "./ssh-states.js";

export interface ReadingState {
  readonly name: string;
  readonly enter: (cluster: Cluster) => Promise<void>;
  /** Makes the cluster healthy again. */
  readonly leave: (cluster: Cluster) => Promise<void>;
  /** They change nothing, so one after the other finds the same state. */
  readonly cases: readonly CommandCase[];
}

const nothing = async (): Promise<void> => {};

/** A state that lies in the rows of the schema only. */
const recorded = (name: string, sql: string, cases: readonly CommandCase[]): ReadingState => ({
  name,
  enter: async ({ node, awaitReplay }) => {
    for (const database of databases) await node("n1").execute(database, sql);
    await awaitReplay();
  },
  leave: async ({ resetMetadata, awaitReplay }) => {
    for (const database of databases) await resetMetadata(database);
    await awaitReplay();
  },
  cases,
});

/** A state in which a server is stopped. */
const stopped = (name: string, server: "n1" | "n3" | "w4", cases: readonly CommandCase[]): ReadingState => ({
  name,
  enter: ({ stop }) => stop(server),
  leave: async ({ start, awaitReplay }) => {
    await start(server);
    await awaitReplay();
  },
  cases,
});

export const readingStates: readonly ReadingState[] = [
  {
    name: "a healthy cluster",
    enter: nothing,
    leave: nothing,
    cases: [
      ...onNodes(["n1", "n2", "w4"], clusterLines),
      ...onNodes(["n1", "n2"], eventLines),
      ...onNodes(["n1", "n2", "w4", "n5"], nodeStatus),
      ...grammarCases,
      ...configurationCases,
      ...dryRunCases,
      ...nodeCases,
    ],
  },
  {
    name: "a standby unattached",
    enter: async ({ node }) => {
      await node("n3").execute("postgres", "ALTER SYSTEM SET primary_conninfo = ''");
      await node("n3").execute("postgres", "SELECT pg_reload_conf()");
      await node("n1").expectSuccess(
        `timeout 20 sh -c "until psql -XqAtc 'SELECT count(*) FROM pg_stat_replication' | grep -q 1; do sleep 0.1; done"`,
      );
    },
    leave: async ({ restore, awaitReplay }) => {
      await restore(["n3"]);
      await awaitReplay();
    },
    cases: [
      ...onNodes(["n1", "n3"], clusterLines),
      ...onNodes(["n1", "n3"], nodeStatus.slice(0, 2)),
      ...onNodes(["n1", "n3"], nodeChecksOfFailure),
    ],
  },
  stopped("a standby down", "n3", [
    ...onNodes(["n1", "n2", "n3"], [...clusterShow, ...eventLines.slice(0, 1)]),
    ...onNodes(["n1", "n3"], nodeStatus),
    ...onNodes(["n1"], nodeChecksOfFailure),
  ]),
  stopped("the primary down", "n1", [
    ...onNodes(["n1", "n2", "w4"], clusterLines),
    ...onNodes(["n1", "n2"], nodeStatus),
    ...onNodes(["n1", "n2"], nodeChecksOfFailure),
  ]),
  stopped("the witness down", "w4", onNodes(["n1"], clusterShow)),
  {
    name: "two primaries",
    enter: async ({ node }) => {
      await node("n3").expectSuccess("pg_ctl -D /cluster/data -w promote >/dev/null");
      await node("n3").execute("postgres", "CHECKPOINT");
    },
    leave: async ({ restore, awaitReplay }) => {
      await restore(["n3"]);
      await awaitReplay();
    },
    cases: [
      ...onNodes(["n1", "n2", "n3"], clusterLines),
      ...onNodes(["n3"], nodeStatus),
      ...onNodes(["n3"], nodeChecksOfFailure),
    ],
  },
  {
    name: "a standby that refuses connections",
    enter: async ({ node }) => {
      await node("n3").expectSuccess(
        `sed -i.kept 's/^host all all 0.0.0.0.*/host all all 0.0.0.0\\/0 reject/' /cluster/data/pg_hba.conf && pg_ctl -D /cluster/data reload &&
        timeout 10 sh -c 'while psql -Xqc "" -h n3 -U repmgr -d postgres 2>/dev/null; do sleep 0.05; done'`,
      );
    },
    leave: async ({ node }) => {
      await node("n3").expectSuccess(
        `mv /cluster/data/pg_hba.conf.kept /cluster/data/pg_hba.conf && pg_ctl -D /cluster/data reload &&
        timeout 10 sh -c 'until psql -Xqc "" -h n3 -U repmgr -d postgres 2>/dev/null; do sleep 0.05; done'`,
      );
    },
    cases: onNodes(["n1", "n3"], clusterShow),
  },
  recorded(
    "inactive records",
    "UPDATE repmgr.nodes SET active = false WHERE node_id IN (3, 4)",
    onNodes(["n1", "n2"], clusterShow),
  ),
  recorded(
    "an inactive primary record",
    "UPDATE repmgr.nodes SET active = false WHERE node_id = 1",
    onNodes(["n1", "n2"], clusterShow),
  ),
  recorded(
    "a record below the wrong upstream",
    "UPDATE repmgr.nodes SET upstream_node_id = 2 WHERE node_id = 3",
    onNodes(["n1", "n3"], clusterShow),
  ),
  recorded(
    "records of other types than the servers",
    "UPDATE repmgr.nodes SET type = 'standby', upstream_node_id = 2 WHERE node_id = 1; UPDATE repmgr.nodes SET type = 'primary', upstream_node_id = NULL WHERE node_id = 2",
    onNodes(["n1", "n2"], clusterShow),
  ),
  recorded(
    "records with wide, empty and foreign words",
    "UPDATE repmgr.nodes SET location = 'München', priority = 12345, node_name = 'a-node-with-a-long-name' WHERE node_id = 2; UPDATE repmgr.nodes SET conninfo = 'host=nowhere.invalid' WHERE node_id = 3",
    onNodes(["n1"], [...clusterShow, ...eventLines]),
  ),
  recorded("no node at all", "TRUNCATE repmgr.nodes, repmgr.events", onNodes(["n1"], clusterLines)),
  ...sshStates,
];
