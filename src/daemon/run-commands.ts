import { join } from "node:path";
import type { FenceReason } from "../decide/watch-types.js";
import { copyNodes } from "../metadata/copy-nodes.js";
import { copyMembershipVersion, readMembershipVersion, setUpstream } from "../metadata/cluster-record.js";
import { listNodes } from "../metadata/nodes.js";
import { describeNode, type NodeId, type NodeRecord } from "../model/node-record.js";
import type { Database } from "../postgres/database.js";
import { isInRecovery } from "../postgres/server-state.js";
import { quoteForShell } from "../postgres/service-control.js";
import { commandBesideDaemon } from "../system/detached-process.js";
import { readFileIfThere } from "../system/directories.js";
import type { ProcessLimit } from "../system/processes.js";
import { runShellCommand } from "../system/shell-command.js";
import { readUptimeMs } from "../system/uptime.js";
import { expandCommand } from "./expand-command.js";
import { hasCrashed, makeStandbyOfNobody, startServer, stopAtOnce } from "./local-server.js";
import { ownRecord, queryTimeoutMs, type Runtime } from "./runtime.js";

const POLL_EVERY_MS = 100;
/** Our own commands leave to the daemon then what its vote allows. */
const byDaemon = { TSREPMGR_BY_DAEMON: "1" };
const FENCE_COMMAND_WITHIN_MS = 10_000;

interface Run {
  readonly what: string;
  readonly command: string;
  readonly env?: Readonly<Record<string, string>>;
  /** After this time the command is ended. */
  readonly limitMs?: number;
  readonly limit?: ProcessLimit;
  /** With `limit`. */
  readonly signal?: AbortSignal;
}

/** Runs a configured command and tells how it ended. True for exit code 0; a signal is a failure. */
export async function runConfigured({ context }: Runtime, run: Run): Promise<boolean> {
  const { reporter, processes } = context;
  const { what, command, env, limitMs, limit, signal } = run;
  reporter.info(`${what} is:\n  "${command}"`);
  const result = await runShellCommand(processes, command, {
    ...(env === undefined ? {} : { env }),
    ...(limitMs === undefined ? {} : { endsWithUs: true, signal: AbortSignal.timeout(limitMs) }),
    ...(limit === undefined ? {} : { limit }),
    ...(signal === undefined ? {} : { signal }),
  });
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

/** The own server says itself when it is out of recovery; here only the command counts. `signal` kills it. */
export function runPromoteCommand(
  runtime: Runtime,
  {
    term,
    deadline,
    signal,
  }: { readonly term: number; readonly deadline: number; readonly signal: AbortSignal },
): Promise<boolean> {
  const { clock } = runtime.context;
  const { promote_command: command, data_directory } = runtime.context.settings();
  const uptimeMs = readUptimeMs();
  // After the clock that it is added to: what passes between makes the limit earlier, not later.
  const leftMs = deadline - clock.monotonic();
  const until = uptimeMs === null ? null : uptimeMs + leftMs;
  return runConfigured(runtime, {
    what: "promote_command",
    command,
    env: {
      TSREPMGR_PROMOTE_DEADLINE: String(Math.floor(leftMs)),
      ...(until === null ? {} : { TSREPMGR_PROMOTE_UNTIL: String(Math.floor(until)) }),
      TSREPMGR_PROMOTE_TERM: String(term),
    },
    limit: { uptimeMs: until, leftMs, whileThereIs: join(data_directory, "standby.signal") },
    signal,
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

/**
 * Follows, and waits for the local server, which the command may have restarted. Without a follow_command, which only
 * failover=automatic requires, it is our own.
 */
export async function runFollowCommand(runtime: Runtime, primary: NodeRecord): Promise<boolean> {
  const { context } = runtime;
  const settings = context.settings();
  if (ownRecord(runtime)?.type === "witness") return followAsWitness(runtime, primary);
  context.reporter.notice(`attempting to follow new primary ${describeNode(primary)}`);
  const { follow_command: configured } = settings;
  const command =
    configured === ""
      ? ownCommand(runtime, ["standby", "follow", `--upstream-node-id=${primary.nodeId}`])
      : expandCommand(configured, { n: primary.nodeId, a: primary.nodeName });
  const what = configured === "" ? "standby follow" : "follow_command";
  if (!(await runConfigured(runtime, { what, command, env: byDaemon }))) return false;
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
    return runConfigured(runtime, { what: "rejoin_command", command, env: byDaemon });
  }
  const command = ownCommand(runtime, [
    ...["node", "rejoin", "--force-rewind", "-d", primary.conninfo],
    ...(await listOwnConfiguration(context)),
  ]);
  return runConfigured(runtime, { what: "node rejoin", command, env: byDaemon });
}

function ownCommand({ context: { configFile } }: Runtime, args: readonly string[]): string {
  const words = [...commandBesideDaemon(), ...(configFile === null ? [] : ["-f", configFile]), ...args];
  return words.map(quoteForShell).join(" ");
}

/** pg_rewind would bring the configuration of the other node, and nobody looks on. */
async function listOwnConfiguration(context: Runtime["context"]): Promise<readonly string[]> {
  const { data_directory: directory, config_directory: elsewhere } = context.settings();
  if (elsewhere !== "") return [];
  const found = await Promise.all(
    ["postgresql.conf", "pg_hba.conf", "pg_ident.conf"].map(async (name) =>
      (await readFileIfThere(join(directory, name), "utf8").catch(() => null)) === null ? [] : [name],
    ),
  );
  return found.flat().length === 0 ? [] : [`--config-files=${found.flat().join(",")}`];
}

/** True when no server is left, whatever the command says of it. */
export async function fence(runtime: Runtime, reason: FenceReason): Promise<boolean> {
  const { context } = runtime;
  context.reporter.log("ALERT", `stopping the local server: ${describeReason(runtime, reason)}`);
  await makeStandbyOfNobody(context);
  const isDown = await stopAtOnce(context);
  context.reporter.debug(isDown ? "the local server is down" : "the local server is still there");
  const { fence_command, service_stop_command } = context.settings();
  // Whoever started the server must not take it for crashed, and start it again.
  const command = fence_command === "" ? service_stop_command : fence_command;
  const what = fence_command === "" ? "service_stop_command" : "fence_command";
  if (command !== "") await runConfigured(runtime, { what, command, limitMs: FENCE_COMMAND_WITHIN_MS });
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

/** No promotion can be left in a server that was stopped and comes up as a standby. */
export async function abortPromotion({ context }: Runtime): Promise<boolean> {
  if (!(await stopAtOnce(context)) || !(await makeStandbyOfNobody(context))) return false;
  return startServer(context);
}

/** After a crash only: whoever stopped the server meant it. */
export async function startOwnServer({ context }: Runtime, asStandby: boolean): Promise<boolean> {
  if (asStandby) {
    if (!(await makeStandbyOfNobody(context))) return false;
  } else if (!(await hasCrashed(context))) return false;
  return startServer(context);
}
