import { exitCodes, type ExitCode } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";
import { findTruePrimary } from "../metadata/find-primary.js";
import { maskConninfo, parseConninfo } from "../model/conninfo.js";
import { describeNode, type NodeRecord } from "../model/node-record.js";
import type { Problem } from "../model/problem.js";
import type { Database } from "../postgres/database.js";
import { isInRecovery } from "../postgres/server-state.js";
import { openDatabaseOrFail } from "./connect-local.js";
import type { CommandContext } from "./define-command.js";

export interface ConnectedPrimary {
  readonly database: Database;
  readonly record: NodeRecord;
}

/** The node that is registered as the active primary; `records` are those of the node at hand. Throws UserError. */
export async function connectToRegisteredPrimary(
  context: CommandContext,
  records: readonly NodeRecord[],
  { noPrimaryCode }: { readonly noPrimaryCode: ExitCode },
): Promise<ConnectedPrimary> {
  const candidates = records.filter(({ type, active }) => type === "primary" && active);
  const [first, ...others] = candidates;
  if (first === undefined) {
    throw new UserError(noPrimaryCode, {
      message: "no active primary is registered in this cluster",
      hint: 'see "cluster show"; register the primary with "primary register --force" on its node',
    });
  }
  // Two such records are left when a standby was promoted without its old primary: that server may be gone.
  const living = others.length === 0 ? null : await findLivingPrimary(context, candidates);
  if (living !== null) return living;
  const record = first;
  const database = await openDatabaseOrFail(context, parseConninfo(record.conninfo), {
    exitCode: exitCodes.databaseConnection,
    message: `unable to connect to primary server ${describeNode(record)} with "${maskConninfo(record.conninfo)}"`,
    hint: "you may need to promote a standby, or to register the new primary",
  });
  if (!(await isInRecovery(database))) return { database, record };
  throw new UserError(exitCodes.badConfiguration, {
    message: `the registered primary ${describeNode(record)} is running as a standby`,
    detail: "node records can be changed on a primary only",
    hint: 'execute "primary register --force" on the node that is the primary now',
  });
}

async function findLivingPrimary(
  { databases, cleanup, interrupted }: Pick<CommandContext, "databases" | "cleanup" | "interrupted">,
  candidates: readonly NodeRecord[],
): Promise<ConnectedPrimary | null> {
  const { primary } = await findTruePrimary(databases, candidates, interrupted);
  if (primary !== null) cleanup.push(() => primary.database.close());
  return primary;
}

const NO_PRIMARY = {
  message: "unable to connect to primary server",
  hint: 'check with "cluster show" which node is the primary',
};

/** The node among `records` that really is out of recovery. Throws UserError (code 1). */
export async function connectToTruePrimary(
  context: CommandContext,
  records: readonly NodeRecord[],
  { message, hint }: Pick<Problem, "message" | "hint"> = NO_PRIMARY,
): Promise<ConnectedPrimary> {
  const { primary, unanswered } = await findTruePrimary(context.databases, records, context.interrupted);
  if (primary !== null) {
    context.cleanup.push(() => primary.database.close());
    return primary;
  }
  const reasons = unanswered.map(({ record, error }) => `node ${describeNode(record)}: ${error.message}`);
  throw new UserError(exitCodes.badConfiguration, {
    message,
    detail: reasons.length === 0 ? "no registered node is out of recovery" : reasons.join("\n"),
    ...(hint === undefined ? {} : { hint }),
  });
}
