/** A check that ends this much early, by the timers, has had its time; in milliseconds. */
const TIMER_TOLERANCE_MS = 20;
const SHORTEST_GLANCE_MS = 100;
const SHORTEST_CHECK_MS = 500;
/** What a server in the next rack needs, and a busy one; others are given more by what they usually need. */
const SHORTEST_LAST_CHECK_MS = 200;
const SHORTEST_LAST_ANSWER_MS = 100;
const PATIENCE = 5;
/** So many looks at the open session for one whole check, which opens a new connection. */
const GLANCES_PER_CHECK = 4;

/**
 * How often the open session to the upstream is asked for a sign of life, and how long that may take before the next
 * check is begun early; in milliseconds, as everything here. Silence between two checks costs no more than this.
 */
export function glancePaceMs(monitorIntervalMs: number): number {
  return Math.min(monitorIntervalMs, Math.max(SHORTEST_GLANCE_MS, monitorIntervalMs / GLANCES_PER_CHECK));
}

/** How long checks of an upstream that is well take: the slowest of late, forgotten by and by. */
export const usualCheckMs = (usualMs: number, checkMs: number): number => Math.max(checkMs, 0.9 * usualMs);

/**
 * What one attempt of the reconnect phase may take. The last one ends early: by then the server has kept silent since
 * the attempts before it.
 */
export function attemptLimitMs({
  isLast,
  usualMs,
  reconnectIntervalMs,
  queryTimeoutMs,
}: {
  readonly isLast: boolean;
  readonly usualMs: number;
  readonly reconnectIntervalMs: number;
  readonly queryTimeoutMs: number;
}): number {
  const limit = isLast
    ? Math.max(PATIENCE * usualMs, SHORTEST_LAST_CHECK_MS)
    : Math.max(reconnectIntervalMs, SHORTEST_CHECK_MS);
  return Math.min(limit, queryTimeoutMs);
}

/** What a lost upstream gets for its answer in an election: it has just kept silent through all attempts. */
export const lostAnswerLimitMs = (usualMs: number, limitMs: number): number =>
  Math.min(Math.max(PATIENCE * usualMs, SHORTEST_LAST_ANSWER_MS), limitMs);

/** Whether a check took as long as an attempt and the pause after it: then it was the first attempt. */
export const countsAsAttempt = (checkMs: number, reconnectIntervalMs: number): boolean =>
  checkMs >= reconnectIntervalMs - TIMER_TOLERANCE_MS;
