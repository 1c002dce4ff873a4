import type { Clock } from "../system/clock.js";

/**
 * Loads modules in the background. Between two of them, what has arrived from servers and programs is answered. Failures
 * come up again where a module is used.
 */
export function loadPiecewise(clock: Clock, pieces: readonly (() => Promise<unknown>)[]): void {
  const loadAll = async (): Promise<void> => {
    for (const load of pieces) {
      await clock.sleep(0);
      await load();
    }
  };
  void loadAll().catch(() => undefined);
}
