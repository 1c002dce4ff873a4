import type { DaemonState, DegradedReason, FenceReason } from "../decide/watch-types.js";
import { findFurtherAbstainer } from "../decide/election.js";
import { watchedUpstream } from "../decide/transitions.js";
import { describeNode, type NodeId, type NodeRecord } from "../model/node-record.js";
import { describeRepair } from "./describe-repair.js";
import { ownRecord, type Runtime } from "./runtime.js";

const degradedBecause: Readonly<Record<DegradedReason, string>> = {
  paused: "this daemon is paused",
  manual: '"failover" is "manual"',
  "follow-by-hand": '"failover" is "manual", so the new primary is not followed',
  "priority-zero": "the priority of this node is 0",
  "replay-pending": "received WAL is still to be replayed",
  "upstream-unknown": 'the upstream of this node is not recorded, and "always_promote" is "false"',
  "primary-location-unseen": "no node of the primary's location can be seen",
  "primary-still-visible": "another node still sees the primary",
  "no-majority": "no majority of the nodes can be seen",
  excluded: "the primary may have gone on without this node, which may lack acknowledged rows",
  "votes-refused": "not enough votes were given",
  "validation-failed": "failover_validation_command said no",
  "promotion-failed": "the promotion failed",
  "attach-failed": "the new primary could not be followed",
  "cannot-follow": "the history of the new primary does not show that it can be followed",
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
    if (from.role !== "primary") {
      if (from.role === "standby" && from.state.kind === "promoting")
        reportFollowers(runtime, idOf(from.state.upstream));
      if (from.role !== "unknown") reporter.info("switching to primary monitoring mode");
      reporter.notice(`monitoring cluster primary ${name(ownId)}`);
    } else if (to.state.kind === "server-lost" && from.state.kind !== "server-lost") {
      reporter.warning("unable to connect to local node");
      reporter.notice("unable to connect to local node, falling back to degraded monitoring");
    } else if (from.state.kind === "server-lost" && to.state.kind === "leading")
      reporter.notice("reconnected to local node");
    else if (to.state.kind === "fenced" && from.state.kind === "fencing")
      reportFence(runtime, from.state.reason);
    return;
  }
  if (isMove(before, after)) {
    reporter.notice(`the upstream of node ${name(ownId)} was changed`);
    reporter.info(`monitoring connection to upstream node ${name(watchedUpstream(after))}`);
    return;
  }
  if (to.role === "unknown" || (from.role === to.role && from.state.kind === to.state.kind)) {
    if (to.state.kind === "reconnecting" && from.state.kind === "reconnecting")
      reportAttempt(runtime, name(idOf(to.state.upstream)), to.state.attempt);
    if (standsAside(after) && !standsAside(before))
      reporter.info("follower node awaiting notification from a candidate node", {
        detail: "a better candidate is willing to stand",
      });
    return;
  }
  switch (to.state.kind) {
    case "watching":
      if (from.role === "unknown")
        reporter.info(`monitoring connection to upstream node ${name(idOf(to.state.upstream))}`);
      else if (from.state.kind === "attaching") {
        reporter.notice(
          `node ${name(ownId)} now following new upstream node ${name(idOf(to.state.upstream))}`,
        );
        reporter.info(`resuming ${to.role} monitoring mode`, {
          detail: `following new primary ${name(from.state.primary)}`,
        });
      } else reporter.notice(`reconnected to upstream node ${name(idOf(to.state.upstream))}`);
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
      reportSiblings(runtime, idOf(to.state.upstream));
      return;
    case "campaigning":
      reporter.notice(`promotion candidate is ${name(ownId)}`, {
        detail: `asking for votes in term ${to.state.campaign.term}`,
      });
      return;
    case "promoting":
      if (siblingsOf(runtime).length === 0) reporter.info("no other sibling nodes - we win by default");
      reporter.notice(
        siblingsOf(runtime).length === 0
          ? "this node is the only available candidate and will now promote itself"
          : "this node is the winner, will now promote itself and inform other nodes",
      );
      return;
    case "aborting":
      reporter.error("promotion failed", { detail: "the local server is brought back as a standby" });
      return;
    case "attaching":
      reporter.notice(`new primary ${name(to.state.primary)} found`);
      return;
    case "degraded": {
      const further = to.state.reason === "votes-refused" ? findFurtherAbstainer(after) : null;
      reporter.notice(`node ${name(ownId)} is in degraded state: ${degradedBecause[to.state.reason]}`, {
        detail: "it is tried again after a pause, until there is a primary",
        ...(further === null
          ? {}
          : {
              hint: `node ${name(further)} has more of the log and does not stand: "standby promote" there keeps all of it`,
            }),
      });
      return;
    }
    case "validating":
    case "seeking":
      return;
  }
}

function reportFence(runtime: Runtime, reason: FenceReason): void {
  const by = reason.kind === "superseded" ? reason.by : reason.kind === "equal-term" ? reason.other : null;
  const repair = describeRepair(runtime, { reason: reason.kind, by });
  runtime.context.reporter.notice(
    "the local server is stopped",
    repair === null ? {} : { detail: "it stays down", hint: `to make it a standby: ${repair}` },
  );
}

function idOf(upstream: NodeId | null | { readonly nodeId: NodeId }): NodeId | null {
  return upstream !== null && typeof upstream === "object" ? upstream.nodeId : upstream;
}

function reportAttempt({ context }: Runtime, upstream: string, attempt: number): void {
  const { reconnect_attempts, reconnect_interval } = context.settings();
  context.reporter.info(`checking state of node ${upstream}, ${attempt} of ${reconnect_attempts} attempts`);
  if (attempt < reconnect_attempts)
    context.reporter.info(
      `sleeping up to ${reconnect_interval / 1000} seconds until next reconnection attempt`,
    );
}

function reportSiblings(runtime: Runtime, upstreamId: NodeId | null): void {
  const { reporter } = runtime.context;
  reporter.info(`${siblingsOf(runtime).length} active sibling nodes registered`);
  reporter.info(`${runtime.records.length} total nodes registered`);
  const own = ownRecord(runtime);
  const upstream = runtime.records.find(({ nodeId }) => nodeId === upstreamId);
  if (own === null || upstream === undefined) return;
  const locations =
    own.location === upstream.location
      ? `and this node have the same location ("${own.location}")`
      : `is in location "${upstream.location}", this node in "${own.location}"`;
  reporter.info(`${upstream.type} node ${describeNode(upstream)} ${locations}`);
}

/** The own record may say already that this node follows nobody. */
function reportFollowers(runtime: Runtime, formerPrimary: NodeId | null): void {
  const { length } = runtime.records.filter(
    ({ nodeId, upstreamNodeId, active }) =>
      active && nodeId !== runtime.ownId && nodeId !== formerPrimary && upstreamNodeId !== null,
  );
  runtime.context.reporter.info(
    `${length} followers to notify`,
    length === 0 ? {} : { detail: "each looks for the new primary by itself" },
  );
}

function siblingsOf(runtime: Runtime): readonly NodeRecord[] {
  const own = ownRecord(runtime);
  return runtime.records.filter(
    ({ nodeId, upstreamNodeId, active }) =>
      active && nodeId !== runtime.ownId && upstreamNodeId === own?.upstreamNodeId,
  );
}

/** Whoever attaches by itself says so in other words. */
function isMove(before: DaemonState, after: DaemonState): boolean {
  const [from, to] = [before.watch, after.watch];
  if (from.role !== "standby" || from.state.kind === "attaching") return false;
  const isWatching = to.role === "standby" && to.state.kind === "watching";
  return isWatching && watchedUpstream(before) !== watchedUpstream(after);
}

const standsAside = ({ watch }: DaemonState): boolean =>
  watch.state.kind === "electing" && watch.state.standsAsideUntil !== null;

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
