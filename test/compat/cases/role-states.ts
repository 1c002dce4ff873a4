import type { CompatNode, NodeName } from "../node.js";
import type { ChangingState } from "./changing-cases.js";
import { brokenCascadeCases, cascadeCases, healthyRoleCases } from "./cascade-cases.js";
import { divergedFollowCases, followCases } from "./follow-cases.js";
import { promoteCases } from "./promote-cases.js";
import { crashedRejoinCases, divergedRejoinCases, rejoinCases } from "./rejoin-cases.js";

export type Nodes = (name: NodeName) => CompatNode;

export const stopServer = "pg_ctl -D /cluster/data -m fast -w stop >/dev/null";
const promoteServer = "pg_ctl -D /cluster/data -w promote >/dev/null && psql -Xqc CHECKPOINT";

const failedOver = `UPDATE repmgr.nodes SET type = 'primary', upstream_node_id = NULL WHERE node_id = 2;
  UPDATE repmgr.nodes SET active = false WHERE node_id = 1`;

/** n1 has written after the promotion of n2, so n1 and n3 have left the history of n2. */
const diverge = async (node: Nodes): Promise<void> => {
  await node("n2").expectSuccess(promoteServer);
  await node("n1").execute("postgres", "CREATE TABLE written_too_late AS SELECT 1 AS row");
};

export const belowN2 = "UPDATE repmgr.nodes SET upstream_node_id = 2 WHERE node_id = 3";

/** Lets n3 follow n2. */
export const cascade = async (node: Nodes): Promise<void> => {
  await node("n3").expectSuccess(
    "repmgr -f /etc/repmgr.conf standby follow --upstream-node-id=2 2>/dev/null",
  );
  // The reference has dropped it only if nobody was using it any more.
  await node("n1").expectSuccess(
    `timeout 10 sh -c 'until psql -Xqc "$1" >/dev/null 2>&1; do sleep 0.1; done' wait "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = 'repmgr_slot_3'"`,
  );
};

/** Without more the rows are those of n2, and all servers are moved back. */
export const state = (
  name: string,
  rest: Pick<ChangingState, "enter" | "cases"> & Partial<ChangingState>,
): ChangingState => ({ name, primary: "n2", restores: ["n1", "n2", "n3"], ...rest });

/** States in which roles change hands; each is arranged from the copied data directories. */
export const roleStates: readonly ChangingState[] = [
  state("a healthy cluster of three", { primary: "n1", enter: async () => {}, cases: healthyRoleCases }),
  state("a cluster whose primary is down", {
    enter: async (node) => {
      await node("n1").expectSuccess(stopServer);
    },
    cases: promoteCases,
  }),
  state("a standby promoted after the primary stopped", {
    enter: async (node) => {
      await node("n1").expectSuccess(stopServer);
      await node("n2").expectSuccess(promoteServer);
    },
    records: failedOver,
    cases: followCases,
  }),
  state("a standby promoted after the other servers stopped", {
    enter: async (node) => {
      await Promise.all((["n1", "n3"] as const).map((name) => node(name).expectSuccess(stopServer)));
      await node("n2").expectSuccess(promoteServer);
    },
    records: failedOver,
    cases: rejoinCases,
  }),
  state("a primary that went on after the promotion", {
    enter: async (node) => {
      await diverge(node);
      await node("n1").expectSuccess(stopServer);
    },
    records: failedOver,
    cases: [...divergedFollowCases, ...divergedRejoinCases],
  }),
  state("a primary that went on and crashed", {
    enter: async (node) => {
      await diverge(node);
      await node("n1").expectSuccess("pg_ctl -D /cluster/data -m immediate -w stop >/dev/null");
    },
    records: failedOver,
    cases: crashedRejoinCases,
  }),
  state("a cascade", {
    primary: "n1",
    enter: cascade,
    records: belowN2,
    cases: cascadeCases,
  }),
  state("a cascade whose primary is down", {
    enter: async (node) => {
      await cascade(node);
      await node("n1").execute(
        "repmgr",
        `${belowN2}; DELETE FROM repmgr.events WHERE event = 'standby_follow'`,
      );
      await node("n1").execute("nolibs", belowN2);
      await node("n1").expectSuccess(stopServer);
    },
    cases: brokenCascadeCases,
  }),
];
