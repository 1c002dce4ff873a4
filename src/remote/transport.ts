/** How a remote command ended. Every ending is a value; the caller decides which of them is an error. */
export interface RemoteResult {
  /** Null when a signal ended the command, or when nobody waited for its end. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Given up after `timeoutMs`: it may still run there, and what it wrote is incomplete or missing. */
  readonly timedOut: boolean;
}

export interface RemoteRunOptions {
  /** Standard input; empty without. */
  readonly input?: string;
  readonly timeoutMs?: number;
  /**
   * Whether what the command has written so far is all that is wanted of it. Nobody waits then for how it ends (exit code
   * and signal are null), and its standard input stays open until the connection is closed. The system's `ssh` waits.
   */
  readonly isWhole?: (stdout: string) => boolean;
  /** Gives the command up and rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** One authenticated connection to a host, for any number of commands, also at the same time. */
export interface Transport {
  /** `ssh2`: the client in this program; `openssh`: the system's `ssh`. */
  readonly kind: "ssh2" | "openssh";
  /** Runs a command line in the user's login shell. Rejects with SshError when the connection breaks meanwhile. */
  execute(commandLine: string, options: RemoteRunOptions): Promise<RemoteResult>;
  /** Whether the connection is known to have broken. */
  isLost(): boolean;
  close(): Promise<void>;
}
