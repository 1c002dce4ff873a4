import { startTimer } from "./clock.js";

/** Resolves when nobody can write to our standard input any more, at the latest after `limitMs`. What comes is thrown away. */
export async function standardInputEnd(limitMs: number): Promise<void> {
  const { stdin } = process;
  let stopTimer = (): void => {};
  await new Promise<void>((resolve) => {
    stopTimer = startTimer(limitMs, resolve);
    for (const event of ["end", "close", "error"] as const) stdin.once(event, () => resolve());
    stdin.resume();
  });
  stopTimer();
  stdin.pause();
}
