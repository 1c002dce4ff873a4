/** A check that ends this much early, by the timers, has had its time; in milliseconds. */
const TIMER_TOLERANCE_MS = 20;
const SHORTEST_GLANCE_MS = 100;
const SHORTEST_CHECK_MS = 500;
/** What a server in the next rack needs, and a busy one; others are given more by what they usually need. */
const SHORTEST_LAST_CHECK_MS = 200;
const SHORTEST_LAST_ANSWER_MS = 100;
const PATIENCE = 5;
/** A whole check opens a new connection; between two of them the open session is looked at. */
const LOOKS_PER_CHECK = 4;
/** No oftener than this, where checks follow each other soon: each time wakes two processes up. */
const CALM_GLANCE_MS = 500;

/**
 * How often the upstream is looked at: by the whole check, or by asking the open session for a sign of life. In
 * milliseconds, as everything here.
 */
export const glancePaceMs = (monitorIntervalMs: number): number =>
  Math.max(glanceLimitMs(monitorIntervalMs), Math.min(CALM_GLANCE_MS, monitorIntervalMs / 2));

/** How long a sign of life may take before the next check is begun early. */
export const glanceLimitMs = (monitorIntervalMs: number): number =>
  Math.min(monitorIntervalMs, Math.max(SHORTEST_GLANCE_MS, monitorIntervalMs / LOOKS_PER_CHECK));

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
