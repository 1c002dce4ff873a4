import type { Writable } from "node:stream";

/** How a program ended. Every ending is a value; the caller decides which of them is an error. */
export interface ProcessResult {
  /** Null when the program was ended by a signal or could not be started. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  /** Why the program could not be started, for example `ENOENT`. */
  readonly startFailure: string | null;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly input?: string;
  readonly timeoutMs?: number;
  /** Ends the program with SIGTERM, and with SIGKILL if it is still there after five seconds. */
  readonly signal?: AbortSignal;
  /** Called with each piece of standard error as it arrives. */
  readonly onStderr?: (chunk: string) => void;
  /**
   * For a program that forks: all its processes end together, on `signal` and when our own process ends in any way,
   * even by SIGKILL. Excludes `input`.
   */
  readonly endsWithUs?: true;
}

export interface Processes {
  /** Runs a program without a shell. `env` is laid over our own environment; a value of undefined removes. */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<ProcessResult>;
}

const FORCE_KILL_AFTER_MS = 5000;

/**
 * Runs "$@" in the place of the shell, beside a watcher that ends their process group when standard input is closed:
 * the other end of that pipe is ours, and the system closes it with us.
 */
const GUARD = 'exec 3<&0; (read -r _ <&3; kill -TERM 0) >/dev/null 2>&1 & exec "$@" </dev/null 3<&-';

export const systemProcesses: Processes = {
  run: async (program, args, options = {}) => {
    const { execa } = await import("execa");
    const { endsWithUs = false } = options;
    const words = endsWithUs ? ["/bin/sh", "-c", GUARD, "sh", program, ...args] : [program, ...args];
    const subprocess = execa(words[0] ?? program, words.slice(1), {
      reject: false,
      stripFinalNewline: false,
      forceKillAfterDelay: FORCE_KILL_AFTER_MS,
      stdin: options.input === undefined && !endsWithUs ? "ignore" : "pipe",
      // A process group of its own, which the guard can end without ending us.
      detached: endsWithUs,
      ...(options.input === undefined ? {} : { input: options.input }),
      ...(options.env === undefined ? {} : { env: options.env }),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
      ...(options.signal === undefined || endsWithUs ? {} : { cancelSignal: options.signal }),
    });
    const release = endsWithUs ? endGroupOnAbort(subprocess, options.signal) : null;
    const { onStderr } = options;
    if (onStderr !== undefined) subprocess.stderr.on("data", (chunk: Buffer) => onStderr(chunk.toString()));
    const result = await subprocess;
    release?.();
    const neverRan = result.exitCode === undefined && result.signal === undefined && !result.timedOut;
    return {
      exitCode: result.exitCode ?? null,
      signal: result.signal ?? null,
      stdout: result.stdout,
      stderr: result.stderr,
      timedOut: result.timedOut,
      startFailure: neverRan ? (result.code ?? result.shortMessage ?? "unknown") : null,
    };
  },
};

/** Closing the pipe makes the guard end the group; what is still there later is killed. Returns how to stop watching. */
function endGroupOnAbort(
  { pid, stdin }: { readonly pid?: number | undefined; readonly stdin: Writable | null },
  signal: AbortSignal | undefined,
): () => void {
  let timer: NodeJS.Timeout | undefined;
  const end = (): void => {
    stdin?.destroy();
    timer = setTimeout(() => {
      if (pid !== undefined) killGroup(pid);
    }, FORCE_KILL_AFTER_MS);
  };
  if (signal?.aborted === true) end();
  else signal?.addEventListener("abort", end, { once: true });
  return () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
    stdin?.destroy();
  };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
