import type { DaemonState, DegradedReason } from "../decide/watch-types.js";
import { describeNode, type NodeId } from "../model/node-record.js";
import { ownRecord, type Runtime } from "./runtime.js";

const degradedBecause: Readonly<Record<DegradedReason, string>> = {
  paused: "this daemon is paused",
  manual: '"failover" is "manual"',
  "priority-zero": "the priority of this node is 0",
  "replay-pending": "received WAL is still to be replayed",
  "primary-location-unseen": "no node of the primary's location can be seen",
  "primary-still-visible": "another node still sees the primary",
  "no-majority": "no majority of the nodes can be seen",
  "votes-refused": "not enough votes were given",
  "validation-failed": "failover_validation_command said no",
  "promotion-failed": "the promotion failed",
  "attach-failed": "the new primary could not be followed",
  "cannot-follow": "this node is ahead of the new primary, or was a primary itself",
  "local-server-lost": "the local server does not answer",
};

/** Log lines for what has changed, in the words that readers of repmgrd's log look for. */
export function reportTransition(runtime: Runtime, before: DaemonState, after: DaemonState): void {
  const { context, records, ownId } = runtime;
  const { reporter } = context;
  const settings = context.settings();
  const name = (id: NodeId | null): string => {
    const record = records.find(({ nodeId }) => nodeId === id);
    return record === undefined ? `(ID: ${id ?? "unknown"})` : describeNode(record);
  };
  const [from, to] = [before.watch, after.watch];
  if (to.role === "primary") {
    if (from.role !== "primary")
      reporter.notice(
        from.role === "unknown"
          ? `monitoring cluster primary ${name(ownId)}`
          : `node ${name(ownId)} is primary now, monitoring it in term ${after.local?.termRow ?? 0}`,
      );
    else if (to.state.kind === "server-lost" && from.state.kind !== "server-lost")
      reporter.warning("unable to connect to local node");
    else if (from.state.kind === "server-lost" && to.state.kind === "leading")
      reporter.notice("reconnected to local node");
    return;
  }
  if (to.role === "unknown" || (from.role === to.role && from.state.kind === to.state.kind)) {
    if (to.state.kind === "reconnecting" && from.state.kind === "reconnecting")
      reportAttempt(runtime, name(idOf(to.state.upstream)), to.state.attempt);
    return;
  }
  switch (to.state.kind) {
    case "watching":
      if (from.role === "unknown")
        reporter.info(`node ${name(ownId)} monitoring upstream node ${name(idOf(to.state.upstream))}`);
      else if (from.state.kind === "attaching")
        reporter.notice(
          `node ${name(ownId)} now following new upstream node ${name(idOf(to.state.upstream))}`,
        );
      else reporter.notice(`reconnected to upstream node ${name(idOf(to.state.upstream))}`);
      return;
    case "reconnecting":
      reporter.warning(`unable to connect to upstream node ${name(idOf(to.state.upstream))}`);
      reportAttempt(runtime, name(idOf(to.state.upstream)), to.state.attempt);
      return;
    case "electing":
      if (from.state.kind === "reconnecting")
        reporter.warning(
          `unable to reconnect to node ${name(idOf(to.state.upstream))} after ${settings.reconnect_attempts} attempts`,
        );
      reportSiblings(runtime);
      return;
    case "campaigning":
      reporter.notice(`promotion candidate is ${name(ownId)}`, {
        detail: `asking for votes in term ${to.state.campaign.term}`,
      });
      return;
    case "promoting":
      reporter.notice("this node is the winner, will now promote itself and inform other nodes");
      return;
    case "aborting":
      reporter.error("promotion failed", { detail: "the local server is brought back as a standby" });
      return;
    case "attaching":
      reporter.notice(`new primary ${name(to.state.primary)} found`);
      return;
    case "degraded":
      reporter.notice(`node ${name(ownId)} is in degraded state: ${degradedBecause[to.state.reason]}`, {
        detail: "it is tried again after a pause, until there is a primary",
      });
      return;
    case "validating":
    case "seeking":
      return;
  }
}

function idOf(upstream: NodeId | null | { readonly nodeId: NodeId }): NodeId | null {
  return upstream !== null && typeof upstream === "object" ? upstream.nodeId : upstream;
}

function reportAttempt({ context }: Runtime, upstream: string, attempt: number): void {
  const { reconnect_attempts, reconnect_interval } = context.settings();
  context.reporter.info(
    `checking state of node ${upstream}, ${attempt} of ${reconnect_attempts} attempts`,
    attempt < reconnect_attempts
      ? { detail: `the next attempt follows after ${reconnect_interval / 1000} seconds` }
      : {},
  );
}

function reportSiblings(runtime: Runtime): void {
  const own = ownRecord(runtime);
  const siblings = runtime.records.filter(
    ({ nodeId, upstreamNodeId, active }) =>
      active && nodeId !== runtime.ownId && upstreamNodeId === own?.upstreamNodeId,
  );
  runtime.context.reporter.info(`${siblings.length} active sibling nodes registered`);
}

/** The regular line that says that all is well, or what is not. */
export function reportStatus(runtime: Runtime, { watch }: DaemonState): void {
  const { context, records, ownId } = runtime;
  const name = (id: NodeId | null): string => {
    const record = records.find(({ nodeId }) => nodeId === id);
    return record === undefined ? `(ID: ${id ?? "unknown"})` : describeNode(record);
  };
  const isNormal = watch.state.kind === "watching" || watch.state.kind === "leading";
  const mode = isNormal ? "normal" : "degraded";
  const manual = context.settings().failover === "manual" && watch.role === "standby";
  const suffix = manual ? " (automatic failover disabled)" : "";
  if (watch.role === "primary")
    context.reporter.info(`monitoring primary node ${name(ownId)} in ${mode} state`);
  else if ("upstream" in watch.state)
    context.reporter.info(
      `node ${name(ownId)} monitoring upstream node ${name(idOf(watch.state.upstream))} in ${mode} state${suffix}`,
    );
}
