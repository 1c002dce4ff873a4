/** A process that wakes up costs more than most turns do: what is this slow is done on a common beat. */
const SLOW_MS = 500;
/** Less is what a timer was early, or too little for a rest. */
const SHORTEST_PART = 1 / 20;

/** How long it is until the next multiple of `everyMs`, for what is slow; all values in milliseconds. */
export function untilBeatMs(everyMs: number, nowMs: number): number {
  if (everyMs < SLOW_MS) return everyMs;
  const rest = everyMs - (nowMs % everyMs);
  return Math.ceil(rest < everyMs * SHORTEST_PART ? rest + everyMs : rest);
}
