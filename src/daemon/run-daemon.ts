import { createPeerSessions } from "../coordination/peer-sessions.js";
import { createPublisher } from "../coordination/publisher.js";
import { createStandingSession } from "../coordination/standing-session.js";
import { exitCodes, type ExitCode } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";
import { readPauseWish } from "../metadata/pause-wishes.js";
import { maskConninfo, parseConninfo } from "../model/conninfo.js";
import { describeNode } from "../model/node-record.js";
import { requireSyncMode } from "./check-sync-mode.js";
import { mayRunServerPrograms } from "../postgres/guard-session.js";
import type { DaemonContext } from "./daemon-context.js";
import { currentProcessId } from "../system/process-table.js";
import { createDaemonEvents } from "./daemon-events.js";
import { describeStop } from "./describe-stop.js";
import { identify, type Identity } from "./identify.js";
import { recall } from "./memory.js";
import { monitor } from "./monitor.js";
import { createPrimaryGuard } from "./primary-guard.js";
import { reloadSettings } from "./reload-settings.js";
import { openRolePort } from "./role-port.js";
import { ownRecord, type Runtime } from "./runtime.js";

/** A session of ours that shows nothing new for so many intervals is ended by the server. */
const IDLE_INTERVALS = 5;
const HEARTBEAT_MS = 1000;
const LAST_SCRIPTS_MS = 2000;

/** Runs until a signal ends it. Throws UserError for what no waiting can mend. */
export async function runDaemon(context: DaemonContext): Promise<ExitCode> {
  const { reporter, environment, cleanup, databases, interrupted, signals } = context;
  reporter.notice(`${environment.programName} starting up`);
  if (currentProcessId() === 1)
    reporter.warning("this daemon is process 1: what others leave behind stays as zombie processes", {
      hint: "start it by its launcher, bin/tsrepmgrd.js, instead of by node, or with an init process (docker run --init)",
    });
  const conninfo = parseConninfo(context.settings().conninfo);
  reporter.info(`connecting to database "${maskConninfo(context.settings().conninfo)}"`);
  const own = createStandingSession({ databases, conninfo });
  cleanup.push(() => own.close());
  let identity: Identity;
  try {
    identity = await identify(context, own);
  } catch (error) {
    if (!interrupted.aborted) throw error;
    reporter.notice(describeStop(signals));
    return exitCodes.success;
  }
  await refuseMissingGuard(context, own);
  const runtime = await makeRuntime(context, own, identity);
  await requireSyncMode(runtime);
  cleanup.push(() => runtime.peers.close());
  cleanup.push(() => runtime.publisher.close());
  reporter.notice(`starting monitoring of node ${describeNode(identity.record)}`);
  reporter.info(`"connection_check_type" set to "${context.settings().connection_check_type}"`);
  await recallPause(runtime);
  signals.onHangup(() => void reload(runtime));
  const rolePort = await openRolePort(context, () => runtime.lastLook?.look.inRecovery ?? null);
  if (rolePort !== null) cleanup.push(() => rolePort.close());
  try {
    return await monitor(runtime);
  } finally {
    await runtime.events.settle(LAST_SCRIPTS_MS);
    reporter.info(`${environment.programName} terminating...`);
  }
}

/** Found out at a promotion, it would end each of them. Throws UserError. */
async function refuseMissingGuard(context: DaemonContext, own: Runtime["own"]): Promise<void> {
  const { primary_isolation_timeout: timeout, primary_fence_guard: guard } = context.settings();
  if (timeout === null || guard !== "session") return;
  const may = await own.use(2000, mayRunServerPrograms);
  if (may.kind !== "answered" || may.value) return;
  throw new UserError(exitCodes.badConfiguration, {
    message: 'this user may not start the session that "primary_fence_guard" asks for',
    detail: "the session stops the server by a program of the server",
    hint: 'grant "pg_execute_server_program" to the user of "conninfo", or set "primary_fence_guard=auto"',
  });
}

async function makeRuntime(
  context: DaemonContext,
  own: Runtime["own"],
  identity: Identity,
): Promise<Runtime> {
  const { databases, clock } = context;
  const { record, records, systemIdentifier } = identity;
  const ownId = record.nodeId;
  const settings = context.settings();
  const memory = await recall(context, { systemIdentifier, nodeId: ownId });
  const runtime: Omit<Runtime, "guard"> = {
    context,
    ownId,
    systemIdentifier,
    own,
    peers: createPeerSessions(databases),
    publisher: createPublisher(databases, parseConninfo(settings.conninfo), {
      idleTimeoutMs: IDLE_INTERVALS * Math.max(settings.monitor_interval_secs, HEARTBEAT_MS),
    }),
    memory,
    events: createDaemonEvents(context, ownId, memory.spoolFile),
    shown: { upstreamSeenAt: null, usualCheckMs: 0 },
    boot: clock.now().toString(36),
    lastLook: null,
    records,
    wake: () => undefined,
  };
  return Object.assign(runtime, { guard: createPrimaryGuard(runtime) });
}

/** What was asked while no daemon ran here, unless something newer was said to the last one. */
async function recallPause(runtime: Runtime): Promise<void> {
  const { memory, own, ownId, context } = runtime;
  const wish = await own.use(2000, (database) => readPauseWish(database, ownId));
  if (wish.kind === "answered" && wish.value !== null && wish.value.at > memory.state().pauseChangedAt)
    await memory
      .change({ isPaused: wish.value.isPaused, pauseChangedAt: wish.value.at })
      .catch(() => context.reporter.warning("the state file cannot be written"));
  if (memory.state().isPaused)
    context.reporter.notice("this daemon is paused: it will neither promote nor follow", {
      hint: 'execute "service unpause" to resume',
    });
}

async function reload(runtime: Runtime): Promise<void> {
  const record = ownRecord(runtime);
  runtime.context.reporter.notice("SIGHUP received, reading the configuration again", {
    detail: `node is ${record === null ? runtime.ownId : describeNode(record)}`,
  });
  const isWitness = record?.type === "witness";
  if (await reloadSettings(runtime.context, { isWitness, records: runtime.records })) {
    runtime.events.raise({ event: "repmgrd_config_reload", successful: true, details: null });
    runtime.wake();
  }
}
