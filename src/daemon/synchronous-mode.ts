import { createStandingSession, type StandingSession } from "../coordination/standing-session.js";
import { isRecognisedPrimary } from "../decide/lineage.js";
import { describeStranger } from "../decide/sync-set.js";
import type { DaemonState } from "../decide/watch-types.js";
import { DatabaseError } from "../errors/database-error.js";
import { createSyncDriver } from "../metadata/sync-driver.js";
import { readSyncState, removeSyncState } from "../metadata/sync-state.js";
import { parseConninfo } from "../model/conninfo.js";
import type { NodeId } from "../model/node-record.js";
import { BLOCKED_NAMES, renderSyncState } from "../model/sync-state.js";
import type { Database } from "../postgres/database.js";
import {
  clearPrimaryConninfo,
  emptyPrimaryConninfo,
  readPrimaryConninfo,
  readStandbyNames,
  resetStandbyNames,
  setStandbyNames,
} from "../postgres/synchronous-standbys.js";
import { readWalReceiver } from "../postgres/wal-receiver.js";
import { describeFailure } from "../system/directories.js";
import { createPreferredMode, type PreferredMode } from "./preferred-mode.js";
import { ownRecord, type Runtime } from "./runtime.js";

const WITHIN_MS = 5000;
const CALM_MS = 1000;
const BUSY_MS = 100;
const POLL_EVERY_MS = 30;
/** The startup process may be about to start a receiver when it is told not to: so often it must be seen without. */
const LOOKS_WITHOUT_RECEIVER = 3;
/** Without slots a connection that broke and the one after it are there together for a moment. */
const LOOKS_OF_STRANGER = 3;
/** How often a server whose synchronous mode is off is searched for what is left of it. */
const RELEASE_EVERY_MS = 10_000;

/** What synchronous mode needs of the own server, beside the decisions. */
export interface SynchronousMode {
  /** Blocks a standby, and leads a primary one step further towards the names of its set. Never rejects. */
  keep(state: DaemonState): Promise<void>;
  readonly pauseMs: number;
  /** No commit is acknowledged from now on, not after a promotion either. False when that cannot be had. */
  block(): Promise<boolean>;
  /** Ends streaming, for longer than the server's life; begun once, and told by the next look. */
  beginDetaching(): void;
  close(): Promise<void>;
}

export function createSynchronousMode(runtime: Runtime): SynchronousMode {
  const { context, memory } = runtime;
  const { reporter, clock, databases } = context;
  let session: StandingSession | null = null;
  let detaching: Promise<void> | null = null;
  let releasedAt = -Infinity;
  let isBusy = false;
  let lastProblem = "";
  const preferred = createPreferredMode(runtime);
  const driver = createDriver(runtime, preferred);

  const use = async (what: string, work: (database: Database) => Promise<void>): Promise<boolean> => {
    session ??= createStandingSession({
      databases,
      conninfo: parseConninfo(context.settings().conninfo),
    });
    const done = await session.use(WITHIN_MS, async (database) => {
      try {
        await work(database);
        return null;
      } catch (error) {
        if (error instanceof DatabaseError && error.meaning === "connection-lost") throw error;
        return describeFailure(error);
      }
    });
    const problem = done.kind === "answered" ? done.value : done.reason;
    if (problem !== null && problem !== lastProblem) reporter.error(`unable to ${what}`, { detail: problem });
    lastProblem = problem ?? "";
    return problem === null;
  };
  const isOff = (): boolean => context.settings().sync_mode === "off";
  const block = async (): Promise<boolean> => {
    if (isOff()) return true;
    return use("block commits before the promotion", async (database) => {
      if ((await readStandbyNames(database)) !== BLOCKED_NAMES)
        await setStandbyNames(database, clock, BLOCKED_NAMES);
    });
  };
  const release = async (): Promise<void> => {
    if (clock.monotonic() - releasedAt < RELEASE_EVERY_MS) return;
    releasedAt = clock.monotonic();
    await use("end synchronous mode", (database) => releaseServer(runtime, database));
  };
  const detach = async (): Promise<void> => {
    reporter.notice("detaching the WAL receiver before a vote is given");
    const isDone = await use("detach the WAL receiver", (database) => detachReceiver(runtime, database));
    if (!isDone) return;
    await memory.change({ isDetached: true });
    runtime.wake();
  };
  return {
    get pauseMs() {
      return isBusy ? BUSY_MS : CALM_MS;
    },
    block,
    keep: async (state) => {
      isBusy = false;
      if (ownRecord(runtime)?.type === "witness" || runtime.lastLook === null) return;
      if (isOff()) return release();
      if (runtime.lastLook.look.inRecovery) {
        preferred.forget();
        await block();
        return;
      }
      if (!mayAcknowledge(runtime.ownId, state)) {
        isBusy = state.watch.role === "primary";
        return;
      }
      await preferred.listen();
      await use("manage synchronous_standby_names", async (database) => {
        if ((await readPrimaryConninfo(database)) !== "") await emptyPrimaryConninfo(database);
        isBusy = await driver.turn(database, runtime.lastLook?.look.termRow ?? 0);
      });
    },
    beginDetaching: () => {
      detaching ??= detach()
        .catch((error: unknown) =>
          reporter.error("unable to detach the WAL receiver", { detail: describeFailure(error) }),
        )
        .finally(() => (detaching = null));
    },
    close: async () => {
      await detaching;
      await session?.close();
      await preferred.close();
    },
  };
}

/** Only what a primary writes after its term row may be acknowledged. */
function mayAcknowledge(self: NodeId, { watch, local }: DaemonState): boolean {
  if (watch.role !== "primary" || watch.state.kind !== "leading" || local === null) return false;
  return isRecognisedPrimary(self, local) && local.termRow >= watch.state.term;
}

/** What a mode that was switched off leaves behind would hold up every commit for ever. */
async function releaseServer({ context }: Runtime, database: Database): Promise<void> {
  const isBlocked = (await readStandbyNames(database)) === BLOCKED_NAMES;
  const [row] = await database.query<{ standby: boolean }>(
    "SELECT pg_catalog.pg_is_in_recovery() AS standby",
  );
  const isManaged = row?.standby === false && (await readSyncState(database)) !== null;
  if (!isBlocked && !isManaged) return;
  context.reporter.notice('"sync_mode" is "off": synchronous_standby_names is no longer managed');
  await resetStandbyNames(database);
  if (isManaged) await removeSyncState(database);
}

async function detachReceiver({ context: { clock } }: Runtime, database: Database): Promise<void> {
  await clearPrimaryConninfo(database, clock);
  const deadline = clock.monotonic() + WITHIN_MS - 1000;
  for (let without = 0; without < LOOKS_WITHOUT_RECEIVER;) {
    if (clock.monotonic() > deadline)
      throw new Error("the WAL receiver goes on, or received WAL is not replayed");
    const { pid, isRetryAwaited } = await readWalReceiver(database);
    without = pid === null && isRetryAwaited ? without + 1 : 0;
    await clock.sleep(POLL_EVERY_MS);
  }
}

interface Driver {
  /** True while there is more to do at once. */
  turn(database: Database, term: number): Promise<boolean>;
}

function createDriver({ context, ownId }: Runtime, preferred: PreferredMode): Driver {
  const { reporter, clock } = context;
  let lastReason = "";
  let term = 0;
  const strangers = new Map<NodeId, number>();
  const driver = createSyncDriver(clock, ({ look, since }) => {
    for (const node of look.nodes) {
      const isStrange = node.nodeId !== ownId && describeStranger(node, look.senders) !== null;
      strangers.set(node.nodeId, isStrange ? (strangers.get(node.nodeId) ?? 0) + 1 : 0);
    }
    const unsound = new Set(
      [...strangers].filter(([, looks]) => looks >= LOOKS_OF_STRANGER).map(([id]) => id),
    );
    return preferred.judge({ ...look, self: ownId, since, unsound }, term);
  });
  const tell = (reason: string): void => {
    if (reason !== lastReason && reason !== "") reporter.info(`synchronous set: ${reason}`);
    lastReason = reason;
  };
  return {
    turn: async (database, ownTerm) => {
      term = ownTerm;
      const step = await driver.turn(database);
      switch (step?.kind) {
        case "set-names":
          reporter.notice(`synchronous_standby_names is now '${step.names}'`);
          return true;
        case "write-state":
          reporter.info(`synchronous set: ${renderSyncState(step.state)}`);
          preferred.tell(step.state);
          return true;
        case "ask-witness":
          await preferred.ask(step.wish);
          return true;
        case "wait":
          tell(step.reason);
          return true;
        case "settled":
        case undefined:
          tell("");
          return false;
      }
    },
  };
}
