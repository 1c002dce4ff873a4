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
  /** For a program that must not be at work after some time, whatever becomes of our process. Excludes `input`. */
  readonly limit?: ProcessLimit;
}

/** All processes of the program are killed then, and at once on `signal`; it is not started later. */
export interface ProcessLimit {
  /** On the clock of `readUptimeMs`; null where there is none. */
  readonly uptimeMs: number | null;
  /** What was left when this was made; counts where the system has no such clock. */
  readonly leftMs: number;
  /** The program has done in time what it is for when this file is gone: then it may go on. */
  readonly whileThereIs: string;
}

export interface Processes {
  /** Runs a program without a shell. `env` is laid over our own environment; a value of undefined removes. */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<ProcessResult>;
}

/** What `run` takes, for whoever wants to have it loaded before. */
export const loadExeca = () => import("execa");

const FORCE_KILL_AFTER_MS = 5000;

/**
 * Runs "$@" in the place of the shell, beside a watcher that ends their process group when standard input is closed:
 * the other end of that pipe is ours, and the system closes it with us.
 */
const GUARD = 'exec 3<&0; (read -r _ <&3; kill -TERM 0) >/dev/null 2>&1 & exec "$@" </dev/null 3<&-';

/** As `GUARD`, but the watcher waits for a time on a clock that goes on while we are frozen. */
const LIMIT = `
now() { read -r up rest </proc/uptime && up=\${up%.*}\${up#*.}; }
[ -z "$1" ] || { now && [ "$up" -lt "$1" ]; } || exit 124
(
  if [ -z "$1" ]; then sleep "$2"; else
    while now && [ "$up" -lt "$1" ] && kill -0 $$; do sleep 0.1; done
  fi
  ! kill -0 $$ || [ ! -e "$3" ] || kill -KILL 0
) >/dev/null 2>&1 </dev/null &
shift 3; exec "$@"`;

function wrap(words: readonly string[], { endsWithUs, limit }: RunOptions): readonly string[] {
  if (limit !== undefined) {
    const until = limit.uptimeMs === null ? "" : String(Math.floor(limit.uptimeMs / 10));
    const left = String(Math.max(limit.leftMs / 1000, 0));
    return ["/bin/sh", "-c", LIMIT, "sh", until, left, limit.whileThereIs, ...words];
  }
  return endsWithUs === true ? ["/bin/sh", "-c", GUARD, "sh", ...words] : words;
}

export const systemProcesses: Processes = {
  run: async (program, args, options = {}) => {
    const { execa } = await loadExeca();
    const { endsWithUs = false, limit } = options;
    const isGroup = endsWithUs || limit !== undefined;
    const words = wrap([program, ...args], options);
    const subprocess = execa(words[0] ?? program, words.slice(1), {
      reject: false,
      stripFinalNewline: false,
      forceKillAfterDelay: FORCE_KILL_AFTER_MS,
      stdin: options.input === undefined && !endsWithUs ? "ignore" : "pipe",
      // A process group of its own, which the guard can end without ending us.
      detached: isGroup,
      ...(options.input === undefined ? {} : { input: options.input }),
      ...(options.env === undefined ? {} : { env: options.env }),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
      ...(options.signal === undefined || isGroup ? {} : { cancelSignal: options.signal }),
    });
    const release = endsWithUs
      ? endGroupOnAbort(subprocess, options.signal)
      : limit === undefined
        ? null
        : killGroupOnAbort(subprocess.pid, options.signal);
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

function killGroupOnAbort(pid: number | undefined, signal: AbortSignal | undefined): () => void {
  const kill = (): void => {
    if (pid !== undefined) killGroup(pid);
  };
  if (signal?.aborted === true) kill();
  else signal?.addEventListener("abort", kill, { once: true });
  return () => signal?.removeEventListener("abort", kill);
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
