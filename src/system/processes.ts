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
}

export interface Processes {
  /** Runs a program without a shell. `env` is laid over our own environment; a value of undefined removes. */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<ProcessResult>;
}

const FORCE_KILL_AFTER_MS = 5000;

export const systemProcesses: Processes = {
  run: async (program, args, options = {}) => {
    const { execa } = await import("execa");
    const subprocess = execa(program, [...args], {
      reject: false,
      stripFinalNewline: false,
      forceKillAfterDelay: FORCE_KILL_AFTER_MS,
      stdin: options.input === undefined ? "ignore" : "pipe",
      ...(options.input === undefined ? {} : { input: options.input }),
      ...(options.env === undefined ? {} : { env: options.env }),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
      ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    });
    const { onStderr } = options;
    if (onStderr !== undefined) subprocess.stderr.on("data", (chunk: Buffer) => onStderr(chunk.toString()));
    const result = await subprocess;
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
