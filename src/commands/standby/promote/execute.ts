import { judgePromotion, type PromotionMethod, type PromotionStep } from "../../../decide/promote.js";
import { DatabaseError } from "../../../errors/database-error.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { announceEvent } from "../../../events/announce-event.js";
import { parseConninfo } from "../../../model/conninfo.js";
import { describeNode, type NodeRecord } from "../../../model/node-record.js";
import { ConnectionError } from "../../../postgres/connection-error.js";
import { readDataDirectoryState } from "../../../postgres/data-directory.js";
import type { Database } from "../../../postgres/database.js";
import { isInRecovery } from "../../../postgres/server-state.js";
import { runServerCommand } from "../../../postgres/service-control.js";
import { letSiblingsFollow } from "../../remote-siblings.js";
import { openDatabase } from "../../connect-local.js";
import { keepKnownCluster } from "../../keep-known-cluster.js";
import { runInterruptibly } from "../../interruption.js";
import type { CommandContext } from "../../define-command.js";
import type { PausedPoolers } from "../../poolers.js";
import { readTimeLeft } from "./daemon-order.js";
import { recordOwnPromotion } from "./record.js";
import { blockCommits, isSynchronousByHand } from "./synchronous.js";

const POLL_MS = 20;
/** A command that promotes may restart the server; one that is gone for longer has died. */
const DEAD_AFTER_MS = 2000;

export interface Promotion {
  readonly local: Database;
  readonly own: NodeRecord;
  readonly steps: readonly PromotionStep[];
  /** Paused before; they are led to this server as soon as it is the primary. */
  readonly poolers?: PausedPoolers;
}

/** Makes the server a primary, then the metadata say so. Throws UserError. */
export async function carryOutPromotion(context: CommandContext, promotion: Promotion): Promise<void> {
  const { own, steps, poolers } = promotion;
  let database = promotion.local;
  const leading: Promise<void>[] = [];
  // Begun at once, since clients wait, and before an interruption could send them back to the old primary.
  const leadPoolers = (): void => {
    if (poolers !== undefined && leading.length === 0) leading.push(poolers.redirect(own.conninfo));
  };
  try {
    await runInterruptibly(
      context,
      { command: "standby promote", exitCode: exitCodes.promotionFailed, steps, describe: describeTask },
      async (step) => {
        if (step.kind === "promote") {
          await startPromotion(context, promotion, step.method);
          database = await awaitPromotion(context, promotion);
          leadPoolers();
        } else if (step.kind === "record-primary") {
          leadPoolers();
          await recordPrimary(context, { database, own });
        } else {
          await letSiblingsFollow(context, { primary: own }, step.siblings);
        }
      },
    );
  } finally {
    await Promise.all(leading);
  }
}

function describeTask({ kind }: PromotionStep): string {
  if (kind === "follow") return "let the siblings follow it";
  return kind === "promote"
    ? "promote this server, if it is not promoted by now"
    : "record it as the primary";
}

async function recordPrimary(
  context: CommandContext,
  { database, own }: { readonly database: Database; readonly own: NodeRecord },
): Promise<void> {
  const event = { event: "standby_promote", nodeId: own.nodeId } as const;
  try {
    await recordOwnPromotion(context, database, own.nodeId);
    await keepKnownCluster(context, database);
  } catch (error) {
    if (!(error instanceof DatabaseError) || context.interrupted.aborted) throw error;
    const details = `unable to update the node records: ${error.message}`;
    await announceEvent(context, { ...event, successful: false, details }, null);
    throw new UserError(
      exitCodes.databaseQuery,
      {
        message: "the server was promoted, but the node records could not be updated",
        detail: error.message,
        hint: 'execute "primary register --force" on this node',
      },
      error,
    );
  }
  const details = `server ${describeNode(own)} was successfully promoted to primary`;
  await announceEvent(context, { ...event, successful: true, details }, database);
  context.reporter.notice("STANDBY PROMOTE successful", { detail: details });
}

async function startPromotion(
  context: CommandContext,
  { local, own }: Promotion,
  method: PromotionMethod,
): Promise<void> {
  const { reporter, settings } = context;
  refuseLate(context);
  if (isSynchronousByHand(context)) await blockCommits(context, local);
  const how = method.kind === "function" ? "pg_promote()" : `"${method.command}"`;
  reporter.notice("promoting standby to primary", {
    detail: `promoting server ${describeNode(own)} using ${how}`,
  });
  const failure = await attempt(context, method, local);
  // An earlier run that was killed may have promoted it at this moment.
  if (failure !== null && (await lookAt(local)) !== "out-of-recovery") {
    throw new UserError(exitCodes.promotionFailed, {
      message: "unable to promote server from standby to primary",
      detail: failure,
      hint: "the server is still a standby; see its log",
    });
  }
  const seconds = settings.promote_check_timeout / 1000;
  reporter.notice(
    `waiting up to ${seconds} seconds (parameter "promote_check_timeout") for promotion to complete`,
  );
}

/** Throws UserError when others may have been given the votes by now. */
function refuseLate(context: CommandContext): void {
  const leftMs = readTimeLeft(context);
  if (leftMs !== null && leftMs <= 0) throw tooLate();
}

function tooLate(): UserError {
  return new UserError(exitCodes.promotionFailed, {
    message: "too late to promote this server",
    detail: "the votes that the daemon has for it are not good any more",
    hint: 'the daemon will try again; raise "vote_timeout" if this host is slow',
  });
}

/** Null when the server took the request. Throws UserError when it was too late. */
async function attempt(
  context: CommandContext,
  method: PromotionMethod,
  local: Database,
): Promise<string | null> {
  if (method.kind === "function") {
    try {
      return (await promoteInTime(context, local)) ? null : "pg_promote() returned false";
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      return error.message;
    }
  }
  const result = await runServerCommand(context.processes, method.command);
  if (result.exitCode === 0) return null;
  return result.stderr.trimEnd() || `the command ended with exit status ${result.exitCode ?? "unknown"}`;
}

/**
 * A server that was frozen executes the statement when it goes on, so the statement itself looks at the time. How much is
 * left is read after the server's clock: what passes between makes the limit earlier, not later.
 */
async function promoteInTime(context: CommandContext, local: Database): Promise<boolean> {
  const [sample] = await local.query<{ now: string }>(
    "SELECT EXTRACT(epoch FROM pg_catalog.clock_timestamp())::text AS now",
  );
  const leftMs = readTimeLeft(context);
  const limit = leftMs === null ? "Infinity" : String(Number(sample?.now) + leftMs / 1000);
  const [row] = await local.query<{ accepted: boolean | null }>(
    `SELECT CASE WHEN pg_catalog.clock_timestamp() < pg_catalog.to_timestamp($1::float8)
                 THEN pg_catalog.pg_promote(wait => false) END AS accepted`,
    [limit],
  );
  if (row?.accepted === null) throw tooLate();
  return row?.accepted === true;
}

/** Resolves to a session on the new primary: the one we have, or a new one if that was lost on the way. */
async function awaitPromotion(context: CommandContext, { local, own }: Promotion): Promise<Database> {
  const { clock, settings, interrupted } = context;
  const begun = clock.monotonic();
  const timeoutMs = settings.promote_check_timeout;
  let session: Database | null = local;
  let lastSeen = begun;
  for (;;) {
    session = session ?? (await reconnect(context));
    const look = await lookAt(session);
    if (look === "no-answer") session = null;
    if (session !== null || (await hasServer(settings.data_directory))) lastSeen = clock.monotonic();
    const isDead = clock.monotonic() - lastSeen > DEAD_AFTER_MS;
    const elapsedMs = isDead ? timeoutMs : clock.monotonic() - begun;
    const progress = judgePromotion(look, { elapsedMs, timeoutMs });
    if (progress === "promoted" && session !== null) return session;
    if (progress === "timed-out" || progress === "connection-lost")
      throw gaveUp(own, { progress, timeoutMs });
    await clock.sleep(POLL_MS, interrupted);
  }
}

async function hasServer(dataDirectory: string): Promise<boolean> {
  const state = await readDataDirectoryState(dataDirectory);
  return state.kind === "directory" && state.serverPid !== null;
}

async function lookAt(session: Database | null): Promise<"in-recovery" | "out-of-recovery" | "no-answer"> {
  if (session === null) return "no-answer";
  try {
    return (await isInRecovery(session)) ? "in-recovery" : "out-of-recovery";
  } catch (error) {
    if (error instanceof DatabaseError) return "no-answer";
    throw error;
  }
}

async function reconnect(context: CommandContext): Promise<Database | null> {
  try {
    return await openDatabase(context, parseConninfo(context.settings.conninfo));
  } catch (error) {
    if (error instanceof ConnectionError) return null;
    throw error;
  }
}

function gaveUp(
  own: NodeRecord,
  { progress, timeoutMs }: { readonly progress: "timed-out" | "connection-lost"; readonly timeoutMs: number },
): UserError {
  const after = `after ${timeoutMs / 1000} seconds`;
  if (progress === "connection-lost") {
    return new UserError(exitCodes.databaseConnection, {
      message: `connection to server ${describeNode(own)} was lost during its promotion`,
      detail: `it does not answer, or has ended; waited at most ${timeoutMs / 1000} seconds`,
      hint: 'see the log of the server; "cluster show" tells which role it has when it is back',
    });
  }
  return new UserError(exitCodes.promotionFailed, {
    message: "STANDBY PROMOTE failed: the server is still in recovery",
    detail: `server ${describeNode(own)} was told to promote and has not finished ${after}`,
    hint: 'it may still be replaying WAL: see its log, and raise "promote_check_timeout"',
  });
}
