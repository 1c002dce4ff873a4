import type { StandingSession } from "../coordination/standing-session.js";
import { describeNode, type NodeId } from "../model/node-record.js";
import { ownRecord, queryTimeoutMs, type Runtime } from "./runtime.js";

/** Keeps the metadata true about whether this standby or witness runs. */
export interface OwnStanding {
  keep(primary: { readonly nodeId: NodeId; readonly session: StandingSession }): Promise<void>;
}

export function createOwnStanding(runtime: Runtime): OwnStanding {
  const { context, events } = runtime;
  let hasFailed = false;
  const setActive = async (
    primary: StandingSession,
    active: boolean,
  ): Promise<"done" | "as-before" | "failed"> => {
    const changed = await primary.use(queryTimeoutMs(runtime), (database) =>
      database.query(
        "UPDATE repmgr.nodes SET active = $2 WHERE node_id = $1 AND active IS DISTINCT FROM $2 RETURNING node_id",
        [runtime.ownId, active],
      ),
    );
    if (changed.kind === "answered") return changed.value.length === 0 ? "as-before" : "done";
    context.reporter.warning("unable to change the record of this node on the primary", {
      detail: changed.reason,
    });
    return "failed";
  };
  return {
    keep: async ({ nodeId, session }) => {
      const record = ownRecord(runtime);
      if (record === null) return;
      const name = describeNode(record);
      const primary = runtime.records.find((one) => one.nodeId === nodeId);
      const subject =
        primary === undefined ? null : { nodeId, nodeName: primary.nodeName, conninfo: primary.conninfo };
      if (runtime.lastLook === null) {
        if (hasFailed) return;
        hasFailed = true;
        context.reporter.notice(`the server of node ${name} has failed, its record is set to inactive`);
        const outcome = await setActive(session, false);
        if (outcome === "as-before") return;
        const details = `unable to connect to local node ${name}, which is marked as failed`;
        events.raise({ event: "standby_failure", successful: outcome === "done", details, subject });
        return;
      }
      if (!hasFailed && record.active) return;
      const outcome = await setActive(session, true);
      if (outcome === "failed") return;
      hasFailed = false;
      if (outcome === "as-before") return;
      context.reporter.notice(`node ${name} is active again`);
      const details = `node ${name} has become active`;
      events.raise({ event: "standby_recovery", successful: true, details, subject });
    },
  };
}
