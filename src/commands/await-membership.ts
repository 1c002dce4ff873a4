import { createStandingSession } from "../coordination/standing-session.js";
import { judgeMembership, needsMajority } from "../decide/membership.js";
import { exitCodes, type ExitCode } from "../errors/exit-codes.js";
import { readMembershipVersion } from "../metadata/cluster-record.js";
import { ConninfoError, parseConninfo } from "../model/conninfo.js";
import type { NodeId, NodeRecord } from "../model/node-record.js";
import type { Database } from "../postgres/database.js";
import type { CommandContext } from "./define-command.js";

const ANSWER_WITHIN_MS = 1000;
const POLL_MS = 100;
/** Streaming takes milliseconds; a witness copies the records by itself. */
const WAIT_MS = 10_000;
/** Where it is only told, a node that is down is no reason to wait. */
const SHORT_WAIT_MS = 1000;

/**
 * Waits until more than half of the nodes before a change of the members have it, and reports where they have not.
 * Answers the exit code: 20 where an election by votes could go wrong.
 */
export async function awaitMembership(
  context: CommandContext,
  primary: Database,
  { before, force }: { readonly before: readonly NodeRecord[]; readonly force: boolean },
): Promise<ExitCode> {
  const { clock, reporter, settings, interrupted } = context;
  if (settings.failover === "manual") return exitCodes.success;
  const version = await readMembershipVersion(primary);
  const [now] = await primary.query<{ lsn: string }>("SELECT pg_catalog.pg_current_wal_insert_lsn() AS lsn");
  const waitMs = needsMajority(before, settings) && !force ? WAIT_MS : SHORT_WAIT_MS;
  const deadline = clock.monotonic() + waitMs;
  for (;;) {
    const reached = await findReached(context, primary, { before, version, lsn: now?.lsn ?? "0/0" });
    const verdict = judgeMembership({ before, reached }, settings, force);
    if (verdict.kind === "done") return exitCodes.success;
    if (clock.monotonic() < deadline) {
      await clock.sleep(POLL_MS, interrupted);
      continue;
    }
    const { message, ...more } = verdict.problem;
    if (verdict.kind === "told") {
      reporter.warning(message, more);
      return exitCodes.success;
    }
    reporter.error(message, more);
    return exitCodes.registrationSync;
  }
}

interface Change {
  readonly before: readonly NodeRecord[];
  readonly version: number;
  readonly lsn: string;
}

/** By what the standbys of the primary have on disk; whoever is not among them is asked for its own copy. */
async function findReached(
  context: CommandContext,
  primary: Database,
  { before, version, lsn }: Change,
): Promise<ReadonlySet<NodeId>> {
  const flushed = await primary.query<{ name: string }>(
    "SELECT application_name AS name FROM pg_catalog.pg_stat_replication WHERE flush_lsn >= $1::pg_lsn",
    [lsn],
  );
  const names = new Set(flushed.map(({ name }) => name));
  const reached = await Promise.all(
    before.map(async (record) => {
      const isThere =
        (record.type === "primary" && record.active) ||
        (record.type === "standby" && names.has(record.nodeName)) ||
        (await hasCopy(context, record, version));
      return isThere ? [record.nodeId] : [];
    }),
  );
  return new Set(reached.flat());
}

async function hasCopy(
  { databases }: CommandContext,
  { conninfo }: NodeRecord,
  version: number,
): Promise<boolean> {
  try {
    const session = createStandingSession({ databases, conninfo: parseConninfo(conninfo) });
    const answer = await session.use(ANSWER_WITHIN_MS, readMembershipVersion);
    void session.close();
    return answer.kind === "answered" && answer.value >= version && version > 0;
  } catch (error) {
    if (error instanceof ConninfoError) return false;
    throw error;
  }
}
