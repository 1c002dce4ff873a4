import { type Clock, startTimer } from "./clock.js";

/**
 * Waits until nobody can write to our standard input any more, at most `limitMs`; what comes is thrown away. Resolves to
 * the milliseconds that it took.
 */
export async function awaitInputEnd(clock: Pick<Clock, "monotonic">, limitMs: number): Promise<number> {
  const { stdin } = process;
  const begin = clock.monotonic();
  let stopTimer = (): void => {};
  await new Promise<void>((resolve) => {
    stopTimer = startTimer(limitMs, resolve);
    for (const event of ["end", "close", "error"] as const) stdin.once(event, () => resolve());
    stdin.resume();
  });
  stopTimer();
  stdin.pause();
  return clock.monotonic() - begin;
}
