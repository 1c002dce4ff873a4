import {
  compareChildren,
  countChildren,
  type ChildChange,
  type ChildNode,
  type ChildStates,
} from "../decide/child-nodes.js";
import type { DaemonState } from "../decide/watch-types.js";
import { describeNode, type NodeRecord } from "../model/node-record.js";
import { expandCommand } from "./expand-command.js";
import { runConfigured } from "./run-commands.js";
import { reportBug } from "./start-loop.js";
import { ownRecord, queryTimeoutMs, type Runtime } from "./runtime.js";

/** Tells of standbys that come and go below a primary, and runs the command for the loss of too many. */
export interface ChildWatch {
  check(state: DaemonState): Promise<void>;
  /** This node is no primary (any more): what was known of its children is void. */
  forget(): void;
}

export function createChildWatch(runtime: Runtime): ChildWatch {
  const { context } = runtime;
  let known: ChildStates | null = null;
  /** Not again before enough are attached. */
  let isDone = false;
  return {
    forget: () => {
      known = null;
      isDone = false;
    },
    check: async (state) => {
      const children = await readChildren(runtime, state);
      if (children === null) return;
      const now = context.clock.monotonic();
      if (known === null) reportChildren(runtime, children);
      const { states, changes } = compareChildren(known, children, now);
      known = states;
      for (const change of changes) announce(runtime, change);
      const settings = context.settings();
      if (children.length === 0 || settings.child_nodes_disconnect_command === "" || state.memory.isPaused)
        return;
      const count = countChildren(children, states, { rules: settings, now });
      if (count.connected >= count.required) {
        isDone = false;
      } else if (count.isTimeOver && !isDone) {
        isDone = true;
        context.reporter.notice(
          `${count.connected} of ${children.length} child nodes are attached, ${count.required} are required`,
        );
        // A script may take its time, and may stop this very server.
        runCommand(runtime, count.connected).catch((error: unknown) => reportBug(context.reporter, error));
      }
    },
  };
}

async function readChildren(runtime: Runtime, state: DaemonState): Promise<readonly ChildNode[] | null> {
  const { own, ownId, records } = runtime;
  const senders = await own.use(queryTimeoutMs(runtime), (database) =>
    database.query<{ name: string }>(
      "SELECT application_name AS name FROM pg_catalog.pg_stat_replication WHERE application_name IS NOT NULL",
    ),
  );
  if (senders.kind !== "answered") return null;
  const attached = new Set(senders.value.map(({ name }) => name));
  const isAttached = ({ nodeId, nodeName, type }: NodeRecord): boolean => {
    if (type !== "witness") return attached.has(nodeName);
    const answer = state.answers.find((one) => one.nodeId === nodeId);
    return answer?.kind === "answered" && answer.beacon?.upstreamNodeId === ownId;
  };
  return records
    .filter(({ upstreamNodeId }) => upstreamNodeId === ownId)
    .map((record) => ({ nodeId: record.nodeId, type: record.type, isAttached: isAttached(record) }));
}

/** Once for a primary that is watched from now on. */
function reportChildren({ context, records }: Runtime, children: readonly ChildNode[]): void {
  for (const { nodeId, isAttached } of children) {
    const record = records.find((one) => one.nodeId === nodeId);
    if (record === undefined) continue;
    context.reporter.info(`child node ${describeNode(record)} is ${isAttached ? "" : "not "}attached`);
  }
}

function announce(runtime: Runtime, { nodeId, event, awayMs }: ChildChange): void {
  const record = runtime.records.find((one) => one.nodeId === nodeId);
  if (record === undefined) return;
  const name = describeNode(record);
  const what = record.type === "witness" ? "witness" : "standby";
  const details = {
    child_node_disconnect: `${what} ${name} has disconnected`,
    child_node_reconnect: `${what} ${name} has reconnected after ${Math.round((awayMs ?? 0) / 1000)} seconds`,
    child_node_new_connect: `new ${what} ${name} has connected`,
  }[event];
  runtime.context.reporter.notice(details);
  runtime.events.raise({ event, successful: true, details, subject: ownSubject(runtime) });
}

async function runCommand(runtime: Runtime, connected: number): Promise<void> {
  const { context, ownId, events } = runtime;
  const command = expandCommand(context.settings().child_nodes_disconnect_command, { p: ownId });
  const successful = await runConfigured(runtime, { what: "child_nodes_disconnect_command", command });
  const details = `${connected} child nodes are attached; "child_nodes_disconnect_command" ${
    successful ? "was executed" : "failed"
  }`;
  events.raise({
    event: "child_nodes_disconnect_command",
    successful,
    details,
    subject: ownSubject(runtime),
  });
}

/** These events are about the primary itself (reference: repmgrd 2.8). */
function ownSubject(runtime: Runtime): Pick<NodeRecord, "nodeId" | "nodeName" | "conninfo"> | null {
  const own = ownRecord(runtime);
  return own === null ? null : { nodeId: own.nodeId, nodeName: own.nodeName, conninfo: own.conninfo };
}
