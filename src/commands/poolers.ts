import { lookAtServer } from "../coordination/look-at-server.js";
import { findStateDirectory } from "../coordination/state-directory.js";
import { unledPoolersFile, writeUnledPoolers } from "../coordination/unled-poolers.js";
import { aimPooler, describeUnledPooler, judgePause } from "../decide/pgbouncer.js";
import { DatabaseError } from "../errors/database-error.js";
import { parseConninfo } from "../model/conninfo.js";
import { formatPoolerAddress, type RedirectOutcome } from "../model/pooler.js";
import {
  pausePooler,
  type PoolerAccess,
  prepareFile,
  redirectPooler,
  rehearseRedirect,
  resumePooler,
} from "../pgbouncer/lead-pooler.js";
import { listPoolers } from "../pgbouncer/list-poolers.js";
import { ConnectionError } from "../postgres/connection-error.js";
import { openDatabase } from "./connect-local.js";
import type { CommandContext } from "./define-command.js";
import { reportWarnings } from "./report-problems.js";
import { isRunByDaemon } from "./standby/promote/daemon-order.js";

type Leading = Pick<
  CommandContext,
  | "clock"
  | "databases"
  | "processes"
  | "remoteHosts"
  | "reporter"
  | "settings"
  | "environment"
  | "cleanup"
  | "interrupted"
>;

/** The pgbouncers of `pgbouncer_hosts`, whose clients wait. Ends with exactly one of the two. */
export interface PausedPoolers {
  /** Leads them to the server of `conninfo` and lets the clients go on; a failure is a warning. */
  redirect(conninfo: string): Promise<void>;
  /** Lets the clients go on where they were. Runs by itself when the command ends without either. */
  resume(): Promise<void>;
}

/**
 * Holds the clients of all pgbouncers back before the primary changes. What cannot be paused is a warning: it never
 * stops a promotion. Throws the reason of an interruption.
 */
export async function pausePoolers(context: Leading): Promise<PausedPoolers> {
  const { reporter, settings, cleanup, interrupted } = context;
  const accesses = listPoolers(context);
  const asked = new Set(accesses);
  const paused = new Map<PoolerAccess, readonly string[]>();
  const resume = async (): Promise<void> => {
    withdraw();
    await Promise.all([...asked].map((access) => resumeOne(context, access)));
    asked.clear();
  };
  const withdraw = cleanup.push(resume);
  const pauseOne = async (access: PoolerAccess): Promise<void> => {
    const { pooler, names } = access;
    reporter.notice(`pausing ${listNames(names)} on pgbouncer "${formatPoolerAddress(pooler)}"`);
    void prepareFile(access);
    const outcomes = await pausePooler(access, interrupted);
    const about = { pooler, timeoutMs: settings.pgbouncer_pause_timeout };
    for (const [database, outcome] of outcomes) {
      const problem = judgePause(outcome, { ...about, database });
      if (problem !== null) reportWarnings(reporter, [problem]);
    }
    const held = names.filter((name) => outcomes.get(name)?.kind !== "failed");
    paused.set(access, held);
    if (held.length === 0) asked.delete(access);
  };
  await Promise.all(accesses.map(pauseOne));
  return {
    resume,
    redirect: async (conninfo) => {
      withdraw();
      asked.clear();
      if (accesses.length === 0) return;
      const unled = await Promise.all(
        accesses.map(async (access) => ({ access, failure: await redirectOne(context, access, conninfo) })),
      );
      await keepUnled(
        context,
        conninfo,
        unled.flatMap(({ access, failure }) =>
          failure === null ? [] : { access, reason: failure, paused: paused.get(access) ?? [] },
        ),
      );
    },
  };
}

/** Shows what pausing and redirecting would do, and warns of what would keep it from succeeding. Changes nothing. */
export async function rehearsePoolers(context: Leading, conninfo: string): Promise<void> {
  const { reporter } = context;
  for (const access of listPoolers(context)) {
    const name = `pgbouncer "${formatPoolerAddress(access.pooler)}"`;
    reporter.info(`${listNames(access.names)} on ${name} would be paused`);
    const aim = aimPooler(conninfo, access);
    const outcome = await rehearseRedirect(access, aim);
    if (outcome.kind === "failed") {
      reporter.warning(`${name} could not be led to the new primary`, { detail: outcome.reason });
    } else if (aim !== null) {
      reporter.info(`${name} would be led to ${formatPoolerAddress(aim.target)}, reloaded and resumed`, {
        detail: describeChanges(outcome, access),
      });
    }
  }
}

async function resumeOne({ reporter }: Leading, access: PoolerAccess): Promise<void> {
  const name = `pgbouncer "${formatPoolerAddress(access.pooler)}"`;
  const reason = await resumePooler(access, access.names);
  if (reason === null) reporter.notice(`resumed ${listNames(access.names)} on ${name}`);
  else reporter.warning(`unable to resume ${listNames(access.names)} on ${name}`, { detail: reason });
}

/** Null when it leads there now, otherwise why not. */
async function redirectOne(
  { reporter }: Leading,
  access: PoolerAccess,
  conninfo: string,
): Promise<string | null> {
  const aim = aimPooler(conninfo, access);
  const outcome = await redirectPooler(access, aim);
  if (outcome.kind === "failed") return outcome.reason;
  if (aim === null) return null;
  const where = formatPoolerAddress(aim.target);
  reporter.notice(`pgbouncer "${formatPoolerAddress(access.pooler)}" leads to ${where} now`, {
    detail: describeChanges(outcome, access),
  });
  return null;
}

interface UnledPooler {
  readonly access: PoolerAccess;
  readonly reason: string;
  readonly paused: readonly string[];
}

/** Leaves those that could not be led to the daemon of this node, and tells what can be done by hand. */
async function keepUnled(context: Leading, conninfo: string, unled: readonly UnledPooler[]): Promise<void> {
  const addresses = unled.map(({ access }) => formatPoolerAddress(access.pooler));
  const isTriedAgain = (await rememberUnled(context, addresses)) && (await hasDaemon(context));
  for (const { access, reason, paused } of unled) {
    const target = aimPooler(conninfo, access)?.target ?? null;
    const left = { ...access, databases: access.names, target, paused, isTriedAgain };
    reportWarnings(context.reporter, [describeUnledPooler(reason, left)]);
  }
}

/** False when there is no place to remember anything. */
async function rememberUnled(
  { settings, environment, clock }: Leading,
  addresses: readonly string[],
): Promise<boolean> {
  const directory = await findStateDirectory(settings, environment);
  if (directory.kind === "missing") return false;
  return writeUnledPoolers(unledPoolersFile(directory.path, settings.data_directory), {
    addresses,
    at: clock.now(),
  }).then(
    () => true,
    () => false,
  );
}

async function hasDaemon(context: Leading): Promise<boolean> {
  if (isRunByDaemon(context.environment)) return true;
  try {
    const database = await openDatabase(context, parseConninfo(context.settings.conninfo));
    return (await lookAtServer(database)).beacon !== null;
  } catch (error) {
    if (error instanceof ConnectionError || error instanceof DatabaseError) return false;
    throw error;
  }
}

const listNames = (names: readonly string[]): string =>
  `${names.length === 1 ? "database" : "databases"} ${names.map((name) => `"${name}"`).join(", ")}`;

function describeChanges(outcome: RedirectOutcome, { file }: PoolerAccess): string {
  if (outcome.kind === "failed" || outcome.changes.length === 0) return `"${file}" names it already`;
  const list = outcome.changes.map(({ database, from }) => `"${database}" (${from ?? "new entry"})`);
  return `entries in "${file}" and where they led before: ${list.join(", ")}`;
}
