import { exitCodes } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";
import { listNodes, lockNodes } from "../metadata/nodes.js";
import type { NodeRecord } from "../model/node-record.js";
import type { Plan } from "../model/plan.js";
import type { Database } from "../postgres/database.js";

export interface SettledDecision<Step> {
  readonly steps: readonly Step[];
  /** The rows on which the steps rest. */
  readonly records: readonly NodeRecord[];
  /** Decides again on other rows. */
  readonly decide: (records: readonly NodeRecord[]) => Plan<Step>;
}

/**
 * Locks the records for the transaction at hand and gives the steps that fit them as they are now: of two nodes that
 * register at the same moment both succeed, unless one has taken what the other wants. Throws UserError.
 */
export async function settleSteps<Step>(
  database: Database,
  { steps, records, decide }: SettledDecision<Step>,
): Promise<readonly Step[]> {
  await lockNodes(database);
  const current = await listNodes(database);
  if (JSON.stringify(current) === JSON.stringify(records)) return steps;
  const plan = decide(current);
  if (plan.kind === "ready") return plan.steps;
  const [problem] = plan.problems;
  throw new UserError(
    exitCodes.badConfiguration,
    problem ?? { message: "the node records were changed by somebody else at this moment" },
  );
}
