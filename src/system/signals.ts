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

export interface DaemonSignals {
  /** Aborted by the first SIGTERM or SIGINT; a second one ends the process at once. */
  readonly stop: AbortSignal;
  /** The name of the signal that came; null when none came. */
  stoppedBy(): string | null;
  /** Calls `listener` on each SIGHUP; one that came before is told at once. */
  onHangup(listener: () => void): void;
  release(): void;
}

/**
 * The signals of a daemon. They must have listeners also where the process is the first of a container: there the
 * system's default actions do not apply.
 */
export function onDaemonSignals(): DaemonSignals {
  const controller = new AbortController();
  let stoppedBy: string | null = null;
  let isHangupPending = false;
  let hangupListener: (() => void) | null = null;
  const stop = (name: NodeJS.Signals): void => {
    if (stoppedBy !== null) {
      process.removeListener(name, stop);
      process.kill(process.pid, name);
      return;
    }
    stoppedBy = name;
    controller.abort(new Error(`stopped by ${name}`));
  };
  const hangUp = (): void => {
    if (hangupListener === null) isHangupPending = true;
    else hangupListener();
  };
  process.on("SIGTERM", stop).on("SIGINT", stop).on("SIGHUP", hangUp);
  return {
    stop: controller.signal,
    stoppedBy: () => stoppedBy,
    onHangup: (listener) => {
      hangupListener = listener;
      if (isHangupPending) listener();
      isHangupPending = false;
    },
    release: () => {
      process.removeListener("SIGTERM", stop).removeListener("SIGINT", stop);
      process.removeListener("SIGHUP", hangUp);
    },
  };
}
