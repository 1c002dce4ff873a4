import type { Context, Environment } from "../../../context.js";
import { readUptimeMs } from "../../../system/uptime.js";

/** Milliseconds from the start of this program on; and the same moment on a clock that nothing can hold up. */
const DEADLINE = "TSREPMGR_PROMOTE_DEADLINE";
const UNTIL = "TSREPMGR_PROMOTE_UNTIL";

/** The daemon holds the votes for a promotion: it has asked the other nodes, and it records the outcome. */
export function isRunByDaemon({ variables }: Pick<Environment, "variables">): boolean {
  return readNumber(variables[DEADLINE]) !== null;
}

/** How long the votes of the daemon that runs this program still allow a promotion; null: no daemon. In milliseconds. */
export function readTimeLeft({
  environment: { variables },
  clock,
}: Pick<Context, "environment" | "clock">): number | null {
  const deadlineMs = readNumber(variables[DEADLINE]);
  if (deadlineMs === null) return null;
  const untilMs = readNumber(variables[UNTIL]);
  const uptimeMs = untilMs === null ? null : readUptimeMs();
  const left = deadlineMs - clock.monotonic();
  return untilMs === null || uptimeMs === null ? left : Math.min(left, untilMs - uptimeMs);
}

const readNumber = (text: string | undefined): number | null =>
  /^-?\d+$/.test(text ?? "") ? Number(text) : null;
