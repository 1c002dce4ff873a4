import { constants } from "node:os";

export interface Interruption {
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal;
  /** 128 + number of the signal that came, as shells report it; null when none came. */
  exitCode(): number | null;
  /** Gives the signals back to their default meaning. */
  stop(): void;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The first signal aborts, so that what was begun can be undone; a second one ends the process at once. */
export function onInterrupt(): Interruption {
  const controller = new AbortController();
  let code: number | null = null;
  const handlers = SIGNALS.map((name) => {
    const handler = (): void => {
      if (code !== null) {
        process.removeListener(name, handler);
        process.kill(process.pid, name);
        return;
      }
      code = 128 + constants.signals[name];
      controller.abort(new Error(`interrupted by ${name}`));
    };
    process.on(name, handler);
    return { name, handler };
  });
  return {
    signal: controller.signal,
    exitCode: () => code,
    stop: () => {
      for (const { name, handler } of handlers) process.removeListener(name, handler);
    },
  };
}
