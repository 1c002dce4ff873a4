import { startTimer } from "../system/clock.js";

/** Aborts after a time or with the caller's signal, whichever comes first. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Takes the deadline away; from then on its signal stays quiet. */
  release(): void;
}

/** `timeoutMs` null: no limit of time. */
export function startDeadline(timeoutMs: number | null, signal?: AbortSignal): Deadline {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  if (signal?.aborted === true) abort();
  signal?.addEventListener("abort", abort, { once: true });
  const stopTimer = timeoutMs === null ? null : startTimer(timeoutMs, abort);
  return {
    signal: controller.signal,
    release: () => {
      stopTimer?.();
      signal?.removeEventListener("abort", abort);
    },
  };
}

/** Rejects when the deadline comes before the work is done; the work itself goes on unheard. */
export async function raceDeadline<T>(work: Promise<T>, deadline: AbortSignal): Promise<T> {
  deadline.throwIfAborted();
  let stopListening = (): void => {};
  const expiry = new Promise<never>((_, reject) => {
    const listener = (): void => reject(deadline.reason as Error);
    deadline.addEventListener("abort", listener, { once: true });
    stopListening = () => deadline.removeEventListener("abort", listener);
  });
  try {
    return await Promise.race([work, expiry]);
  } finally {
    stopListening();
  }
}
