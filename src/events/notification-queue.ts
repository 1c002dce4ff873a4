import type { Clock } from "../system/clock.js";
import { notify, type EventSurroundings } from "./announce-event.js";
import type { NotificationValues } from "./notification-command.js";

/** Notification commands one after the other, in the order of their events, beside everything else. */
export interface NotificationQueue {
  add(values: NotificationValues): void;
  /** Resolves when the last one has ended, or after `timeoutMs`. */
  settle(timeoutMs: number): Promise<void>;
}

/** A script that hangs delays the next one by this and no more; it is left running. */
const LONGEST_TURN_MS = 60_000;

export function createNotificationQueue(
  clock: Clock,
  surroundings: () => Omit<EventSurroundings, "clock">,
): NotificationQueue {
  let last: Promise<void> = Promise.resolve();
  const within = async (work: Promise<void>, timeoutMs: number): Promise<void> => {
    const finished = new AbortController();
    const limit = clock.sleep(timeoutMs, finished.signal).catch(() => undefined);
    await Promise.race([work, limit]);
    finished.abort();
  };
  return {
    add: (values) => {
      // A bug in it must not end the daemon, nor keep the next one from running.
      const turn = (): Promise<void> => within(notify(surroundings(), values), LONGEST_TURN_MS);
      last = last.then(turn).catch(() => undefined);
    },
    settle: (timeoutMs) => within(last, timeoutMs),
  };
}
