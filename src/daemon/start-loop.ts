import type { DaemonContext } from "./daemon-context.js";

export interface Loop {
  /** Lets the next turn begin at once, also when one is under way. */
  wake(): void;
  /** Resolves when the turn under way has ended; no other begins. */
  stop(): Promise<void>;
}

/** Does something again and again, with a pause after each turn that `wake` cuts short. */
export function startLoop(
  { clock, interrupted, reporter }: Pick<DaemonContext, "clock" | "interrupted" | "reporter">,
  { pauseMs, turn }: { readonly pauseMs: () => number; readonly turn: () => Promise<void> },
): Loop {
  let pause = new AbortController();
  let isEnded = false;
  const isStopped = (): boolean => isEnded || interrupted.aborted;
  const wake = (): void => pause.abort();
  interrupted.addEventListener("abort", wake, { once: true });
  const run = async (): Promise<void> => {
    while (!isStopped()) {
      await clock.sleep(pauseMs(), pause.signal).catch(() => undefined);
      if (pause.signal.aborted) pause = new AbortController();
      if (!isStopped()) await turn().catch((error: unknown) => reportBug(reporter, error));
    }
    interrupted.removeEventListener("abort", wake);
  };
  const running = run();
  return {
    wake,
    stop: async () => {
      isEnded = true;
      wake();
      await running;
    },
  };
}

/** A daemon that ends because of a mistake of ours is worse than one that tells of it and goes on. */
export function reportBug(reporter: DaemonContext["reporter"], error: unknown): void {
  const described = error instanceof Error ? error : new Error(String(error));
  reporter.error(`internal error: ${described.message}`, {
    ...(described.stack === undefined ? {} : { detail: described.stack }),
    hint: "please report this",
  });
}
