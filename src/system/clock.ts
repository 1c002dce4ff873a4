import { setTimeout as sleepFor } from "node:timers/promises";

/** Time as an effect, so that waiting code can be tested without waiting. All values in milliseconds. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. */
  now(): number;
  /** Never goes backwards; for measuring durations and deadlines. */
  monotonic(): number;
  /** At most 24 days. Rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Node's timers fire at once beyond this. */
const LONGEST_SLEEP_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => {
    try {
      await sleepFor(Math.min(ms, LONGEST_SLEEP_MS), undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : error;
    }
  },
};

/** Calls back once after `ms`, unless the answer is called before: cheaper than a sleep that is aborted. */
export function startTimer(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, Math.min(ms, LONGEST_SLEEP_MS));
  return () => clearTimeout(timer);
}
