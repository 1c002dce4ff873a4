import type { WalReceiverPlan } from "../../../decide/wal-receiver.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import type { Database } from "../../../postgres/database.js";
import { readRetryInterval, readWalReceiver, setRetryInterval } from "../../../postgres/wal-receiver.js";
import { endProcess, findProcess } from "../../../system/process-table.js";
import type { CommandContext } from "../../define-command.js";

const TIMEOUT_MS = 30_000;
const POLL_MS = 20;

type Disabling = Extract<WalReceiverPlan, { readonly kind: "disable" }>;
type Enabling = Extract<WalReceiverPlan, { readonly kind: "enable" }>;

/** What `--dry-run` shows after "would". */
export function describeWalReceiverPlan(plan: Disabling | Enabling): readonly string[] {
  const setting =
    plan.retryIntervalMs === null
      ? []
      : [`set "wal_retrieve_retry_interval" to ${plan.retryIntervalMs} milliseconds`];
  return plan.kind === "disable"
    ? [...setting, `end the WAL receiver with PID ${plan.pid}`]
    : [...setting, "wait for the WAL receiver to start"];
}

/**
 * Ends the WAL receiver until it stays away: the startup process starts it anew at once when its last attempt is
 * longer ago than the old interval, and only then begins to wait for the new one. Throws UserError.
 */
export async function disableWalReceiver(
  context: CommandContext,
  database: Database,
  plan: Disabling,
): Promise<void> {
  const { reporter } = context;
  await changeInterval(context, database, plan.retryIntervalMs);
  let ended: number | null = null;
  const isGone = await poll(context, async () => {
    const { pid, isRetryAwaited } = await readWalReceiver(database);
    if (pid === null) return isRetryAwaited;
    if (pid === ended) return false;
    await requireWalReceiver(pid);
    reporter.notice(`killing WAL receiver with PID ${pid}`);
    end(pid);
    ended = pid;
    return false;
  });
  if (isGone) {
    reporter.info("WAL receiver is disabled", {
      hint: 'execute "node control --enable-wal-receiver" to undo',
    });
    return;
  }
  throw new UserError(exitCodes.badConfiguration, {
    message: `the WAL receiver does not stay away within ${TIMEOUT_MS / 1000} seconds`,
    hint: "see the log of the server",
  });
}

export async function enableWalReceiver(
  context: CommandContext,
  database: Database,
  plan: Enabling,
): Promise<void> {
  const { reporter } = context;
  if (plan.retryIntervalMs === null) {
    reporter.info(`"wal_retrieve_retry_interval" is ${await readRetryInterval(database)}, not changing`);
  }
  await changeInterval(context, database, plan.retryIntervalMs);
  let pid: number | null = null;
  const isRunning = await poll(context, async () => {
    pid = (await readWalReceiver(database)).pid;
    return pid !== null;
  });
  if (isRunning) {
    reporter.info(`WAL receiver started up with PID ${String(pid)}`);
    return;
  }
  throw new UserError(exitCodes.badConfiguration, {
    message: `the WAL receiver did not start within ${TIMEOUT_MS / 1000} seconds`,
    hint: 'check that the upstream is running, and "primary_conninfo"',
  });
}

/** Returns when this session has seen the new value, and with it every process that was told to reload. */
async function changeInterval(context: CommandContext, database: Database, ms: number | null): Promise<void> {
  if (ms === null) return;
  context.reporter.notice(`setting "wal_retrieve_retry_interval" to ${ms} milliseconds`);
  await setRetryInterval(database, ms);
  await poll(context, async () => (await readRetryInterval(database)) === ms);
}

/** The number comes from the server of conninfo; should that run on another host, it is nobody's here, or a stranger's. */
async function requireWalReceiver(pid: number): Promise<void> {
  const process = await findProcess(pid);
  if (process?.commandLine?.join(" ").includes("walreceiver") === true) return;
  throw new UserError(exitCodes.badConfiguration, {
    message: `process ${pid} of this host is not a WAL receiver`,
    detail: "the server of conninfo names it as its WAL receiver",
    hint: "execute this command on the host of the server, as the user that it runs as",
  });
}

function end(pid: number): void {
  try {
    endProcess(pid);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new UserError(
      exitCodes.badConfiguration,
      {
        message: `unable to end the WAL receiver with PID ${pid}`,
        detail,
        hint: "execute this command as the user that the server runs as",
      },
      error,
    );
  }
}

async function poll(
  { clock, interrupted }: CommandContext,
  isReached: () => Promise<boolean>,
): Promise<boolean> {
  const deadline = clock.monotonic() + TIMEOUT_MS;
  for (;;) {
    if (await isReached()) return true;
    if (clock.monotonic() > deadline) return false;
    await clock.sleep(POLL_MS, interrupted);
  }
}
