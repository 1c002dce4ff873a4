import type { Clock } from "../system/clock.js";

/** Since when the own server answers, or does not. */
export interface Presence {
  note(isThere: boolean): void;
  /** Whether it came back, or was first seen, less than `ms` ago. */
  isNew(ms: number): boolean;
  /** Whether it went away less than `ms` ago. */
  isJustLost(ms: number): boolean;
}

export function createPresence(clock: Pick<Clock, "monotonic">): Presence {
  let isThere: boolean | null = null;
  let since = 0;
  const isRecent = (ms: number): boolean => clock.monotonic() - since < ms;
  return {
    note: (now) => {
      if (now === isThere) return;
      isThere = now;
      since = clock.monotonic();
    },
    isNew: (ms) => isThere === true && isRecent(ms),
    isJustLost: (ms) => isThere === false && isRecent(ms),
  };
}
