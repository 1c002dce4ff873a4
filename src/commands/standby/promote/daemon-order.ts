import type { Environment } from "../../../context.js";

/** The daemon holds the votes for a promotion: it has asked the other nodes, and it records the outcome. */
export function isRunByDaemon({ variables }: Pick<Environment, "variables">): boolean {
  return readDeadlineMs({ variables }) !== null;
}

/** How long after the start of this program the votes of the daemon that runs it allow a promotion; null: no daemon. */
export function readDeadlineMs({ variables }: Pick<Environment, "variables">): number | null {
  const text = variables["TSREPMGR_PROMOTE_DEADLINE"] ?? "";
  return /^-?\d+$/.test(text) ? Number(text) : null;
}
