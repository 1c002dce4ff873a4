import type { DaemonState } from "../decide/watch-types.js";
import { planWalReceiverControl } from "../decide/wal-receiver.js";
import type { NodeRecord } from "../model/node-record.js";
import type { Database } from "../postgres/database.js";
import { isInRecovery } from "../postgres/server-state.js";
import { readRetryInterval, readWalReceiver, setRetryInterval } from "../postgres/wal-receiver.js";
import { describeFailure } from "../system/directories.js";
import { endProcess, findProcess } from "../system/process-table.js";
import { lookAtServer } from "../coordination/look-at-server.js";
import { ownRecord, queryTimeoutMs, type Runtime } from "./runtime.js";

const POLL_EVERY_MS = 100;
const STOP_WITHIN_MS = 5000;

/** `standby_disconnect_on_failover`: no position moves any more when the positions are compared. */
export interface ReceiverPause {
  /** Resolves when neither this node nor a sibling receives WAL, or when that has taken too long. Never rejects. */
  stop(): Promise<void>;
  readonly isStopping: boolean;
  /** Lets the WAL receiver start again once nobody is elected any more; tries until it succeeds. Never rejects. */
  restoreAfter(state: DaemonState): Promise<void>;
}

export function createReceiverPause(runtime: Runtime): ReceiverPause {
  const { context, own } = runtime;
  const { reporter } = context;
  /** The interval that is to be set again. */
  let former: number | null = null;
  let isStopping = false;

  const restore = async (): Promise<void> => {
    if (former === null) return;
    const ms = former;
    const restored = await own.use(queryTimeoutMs(runtime), (database) => setRetryInterval(database, ms));
    if (restored.kind !== "answered") return;
    former = null;
    reporter.info(`"wal_retrieve_retry_interval" is ${ms} milliseconds again`);
  };
  context.cleanup.push(restore);

  const stopOwn = async (): Promise<void> => {
    const done = await own.use(STOP_WITHIN_MS, (database) =>
      stopReceiver(runtime, database, (ms) => {
        former = ms;
      }),
    );
    if (done.kind !== "answered")
      reporter.warning("unable to stop the WAL receiver, going on without", { detail: done.reason });
  };
  return {
    get isStopping() {
      return isStopping;
    },
    stop: async () => {
      if (!context.settings().standby_disconnect_on_failover || isStopping || former !== null) return;
      const upstream = runtime.records.find(({ nodeId }) => nodeId === ownRecord(runtime)?.upstreamNodeId);
      if (upstream?.type !== "primary") return;
      isStopping = true;
      try {
        await stopOwn();
        await waitForSiblings(runtime);
      } catch (error) {
        reporter.warning("unable to stop the WAL receiver, going on without", {
          detail: describeFailure(error),
        });
      } finally {
        isStopping = false;
      }
    },
    restoreAfter: async ({ watch }) => {
      const isElecting = ["electing", "campaigning", "validating"].includes(watch.state.kind);
      if (!isStopping && !isElecting) await restore();
    },
  };
}

/** `keep` is given the interval of before, as soon as another is about to be set. */
async function stopReceiver(
  { context: { reporter, clock } }: Runtime,
  database: Database,
  keep: (intervalMs: number) => void,
): Promise<void> {
  const interval = await readRetryInterval(database);
  const { pid } = await readWalReceiver(database);
  // Setting it tells whether this user may; the server answers for that.
  const facts = { inRecovery: await isInRecovery(database), isSuperuser: true, receiverPid: pid };
  const plan = planWalReceiverControl({ ...facts, retryIntervalMs: interval }, "disable");
  if (plan.kind !== "disable") return;
  if (plan.retryIntervalMs !== null) {
    keep(interval);
    await setRetryInterval(database, plan.retryIntervalMs);
  }
  const deadline = clock.monotonic() + STOP_WITHIN_MS - 500;
  let ended: number | null = null;
  while (clock.monotonic() < deadline) {
    await clock.sleep(POLL_EVERY_MS);
    const { pid: running, isRetryAwaited } = await readWalReceiver(database);
    if (running === null && isRetryAwaited) return;
    if (running === null || running === ended) continue;
    const process = await findProcess(running);
    if (process?.commandLine?.join(" ").includes("walreceiver") !== true)
      throw new Error(`process ${running} of this host is not the WAL receiver`);
    reporter.notice(`stopping WAL receiver with PID ${running}`);
    endProcess(running);
    ended = running;
  }
}

async function waitForSiblings(runtime: Runtime): Promise<void> {
  const { context, records, peers, ownId } = runtime;
  const { clock, reporter } = context;
  const upstreamId = ownRecord(runtime)?.upstreamNodeId;
  const siblings = records.filter(
    ({ nodeId, active, type, upstreamNodeId }) =>
      active && type === "standby" && nodeId !== ownId && upstreamNodeId === upstreamId,
  );
  const isReceiving = async (record: NodeRecord): Promise<boolean> => {
    const seen = await peers.of(record).use(queryTimeoutMs(runtime), (database) => lookAtServer(database));
    return seen.kind === "answered" && seen.value.walReceiverPid !== null;
  };
  const deadline = clock.monotonic() + context.settings().sibling_nodes_disconnect_timeout;
  for (;;) {
    const receiving = await Promise.all(siblings.map(isReceiving));
    if (!receiving.includes(true)) {
      reporter.notice("the WAL receivers of all sibling nodes are stopped");
      return;
    }
    if (clock.monotonic() > deadline) {
      const names = siblings.filter((_, index) => receiving[index]).map(({ nodeName }) => `"${nodeName}"`);
      reporter.warning(`the WAL receiver still runs on ${names.join(", ")}`);
      return;
    }
    await clock.sleep(POLL_EVERY_MS);
  }
}
