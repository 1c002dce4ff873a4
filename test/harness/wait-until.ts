import { setTimeout as sleep } from "node:timers/promises";

const POLL_INTERVAL_MS = 50;

/** Asks `probe` until it answers with something; throws after `timeoutMs`, naming what was awaited. */
export async function waitUntil<T>(
  what: string,
  probe: () => Promise<T | false | null | undefined>,
  timeoutMs = 20_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await probe();
    if (answer !== false && answer !== null && answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`);
    await sleep(POLL_INTERVAL_MS);
  }
}
