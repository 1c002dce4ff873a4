import type { FenceReason } from "../decide/watch-types.js";
import { copyNodes } from "../metadata/copy-nodes.js";
import { copyMembershipVersion, readMembershipVersion, setUpstream } from "../metadata/cluster-record.js";
import { listNodes } from "../metadata/nodes.js";
import { describeNode, type NodeId, type NodeRecord } from "../model/node-record.js";
import type { Database } from "../postgres/database.js";
import { isInRecovery } from "../postgres/server-state.js";
import { quoteForShell } from "../postgres/service-control.js";
import { commandBesideDaemon } from "../system/detached-process.js";
import { runShellCommand } from "../system/shell-command.js";
import { expandCommand } from "./expand-command.js";
import { armStandbySignal, startServer, stopAtOnce } from "./local-server.js";
import { ownRecord, queryTimeoutMs, type Runtime } from "./runtime.js";

const POLL_EVERY_MS = 100;

interface Run {
  readonly what: string;
  readonly command: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a configured command and tells how it ended. True for exit code 0; a signal is a failure. */
export async function runConfigured({ context }: Runtime, { what, command, env }: Run): Promise<boolean> {
  const { reporter, processes } = context;
  reporter.info(`${what} is:\n  "${command}"`);
  const result = await runShellCommand(processes, command, env === undefined ? {} : { env });
  const output = result.stderr.trim();
  if (result.exitCode === 0) {
    if (output !== "") reporter.info(`output of ${what}`, { detail: output });
    return true;
  }
  const ending =
    result.signal === null ? `exit code ${result.exitCode ?? "unknown"}` : `signal ${result.signal}`;
  reporter.error(`${what} failed`, {
    detail: `it ended with ${ending}${output === "" ? "" : `:\n${output}`}`,
  });
  return false;
}

/** The own server says itself when it is out of recovery; here only the command counts. */
export function runPromoteCommand(
  runtime: Runtime,
  { term, remainingMs }: { readonly term: number; readonly remainingMs: number },
): Promise<boolean> {
  return runConfigured(runtime, {
    what: "promote_command",
    command: runtime.context.settings().promote_command,
    env: {
      TSREPMGR_PROMOTE_DEADLINE: String(Math.floor(remainingMs)),
      TSREPMGR_PROMOTE_TERM: String(term),
    },
  });
}

export async function runValidationCommand(runtime: Runtime, visible: number): Promise<boolean> {
  const own = ownRecord(runtime);
  const siblings = runtime.records.filter(({ upstreamNodeId }) => upstreamNodeId === own?.upstreamNodeId);
  const command = expandCommand(runtime.context.settings().failover_validation_command, {
    n: runtime.ownId,
    a: own?.nodeName ?? "",
    v: visible,
    u: siblings.length,
    t: runtime.records.length,
  });
  return runConfigured(runtime, { what: "failover_validation_command", command });
}

/** Follows, and waits for the local server, which the command may have restarted. */
export async function runFollowCommand(runtime: Runtime, primary: NodeRecord): Promise<boolean> {
  const { context } = runtime;
  const settings = context.settings();
  if (ownRecord(runtime)?.type === "witness") return followAsWitness(runtime, primary);
  context.reporter.notice(`attempting to follow new primary ${describeNode(primary)}`);
  const command = expandCommand(settings.follow_command, { n: primary.nodeId, a: primary.nodeName });
  if (!(await runConfigured(runtime, { what: "follow_command", command }))) return false;
  return waitForOwnServer(runtime, settings.repmgrd_standby_startup_timeout);
}

async function waitForOwnServer({ context, own }: Runtime, limitMs: number): Promise<boolean> {
  const { clock, reporter } = context;
  const deadline = clock.monotonic() + limitMs;
  while ((await own.use(1000, isInRecovery)).kind !== "answered") {
    if (clock.monotonic() > deadline) {
      reporter.error(`the local server did not come up within ${limitMs / 1000} seconds`);
      return false;
    }
    await clock.sleep(POLL_EVERY_MS);
  }
  return true;
}

/** A witness follows by copying the metadata of the new primary from now on. */
async function followAsWitness(runtime: Runtime, primary: NodeRecord): Promise<boolean> {
  const { peers, ownId, context } = runtime;
  const told = await peers.of(primary).use(queryTimeoutMs(runtime), async (database) => {
    await setUpstream(database, ownId, primary.nodeId);
    return readMembers(database);
  });
  if (told.kind !== "answered") {
    context.reporter.warning(`unable to follow new primary ${describeNode(primary)}`, {
      detail: told.reason,
    });
    return false;
  }
  return copyMembers(runtime, told.value);
}

interface Members {
  readonly records: readonly NodeRecord[];
  readonly version: number;
}

/** The node records of a primary, and the version they are of at least. */
export async function readMembers(primary: Database): Promise<Members> {
  const version = await readMembershipVersion(primary);
  return { records: await listNodes(primary), version };
}

/** Makes them those of this witness. */
export async function copyMembers(runtime: Runtime, { records, version }: Members): Promise<boolean> {
  const copied = await runtime.own.use(queryTimeoutMs(runtime), async (database) => {
    await copyNodes(database, records);
    await copyMembershipVersion(database, version);
  });
  if (copied.kind !== "answered")
    runtime.context.reporter.warning("unable to copy the node records", { detail: copied.reason });
  return copied.kind === "answered";
}

/** Our own `node rejoin` unless another command is configured; it needs the server down. */
export async function runRejoinCommand(runtime: Runtime, primary: NodeRecord): Promise<boolean> {
  const { context } = runtime;
  const { rejoin_command: configured } = context.settings();
  if (!(await stopAtOnce(context))) return false;
  if (configured !== "") {
    const command = expandCommand(configured, { n: primary.nodeId, a: primary.nodeName });
    return runConfigured(runtime, { what: "rejoin_command", command });
  }
  const words = [
    ...commandBesideDaemon(),
    ...(context.configFile === null ? [] : ["-f", context.configFile]),
    ...["node", "rejoin", "--force-rewind", "-d", primary.conninfo],
  ];
  return runConfigured(runtime, { what: "node rejoin", command: words.map(quoteForShell).join(" ") });
}

export async function fence(runtime: Runtime, reason: FenceReason): Promise<boolean> {
  const { context } = runtime;
  context.reporter.log("ALERT", `stopping the local server: ${describeReason(runtime, reason)}`);
  await armStandbySignal(context);
  const isDown = await stopAtOnce(context);
  const command = context.settings().fence_command;
  if (command !== "") await runConfigured(runtime, { what: "fence_command", command });
  return isDown;
}

function describeReason({ records }: Runtime, reason: FenceReason): string {
  const name = (id: NodeId | null): string => {
    const record = records.find(({ nodeId }) => nodeId === id);
    return record === undefined ? "another node" : `node ${describeNode(record)}`;
  };
  switch (reason.kind) {
    case "superseded":
      return `${name(reason.by)} was promoted in term ${reason.term}`;
    case "equal-term":
      return `${name(reason.other)} is read-write in the same term`;
    case "isolated":
      return "no majority was heard for primary_isolation_timeout";
  }
}

/** No promotion can be left in a server that was stopped and comes up with `standby.signal`. */
export async function abortPromotion({ context }: Runtime): Promise<boolean> {
  if (!(await stopAtOnce(context))) return false;
  await armStandbySignal(context);
  return startServer(context);
}

export async function startOwnServer({ context }: Runtime, asStandby: boolean): Promise<boolean> {
  if (asStandby) await armStandbySignal(context);
  return startServer(context);
}
