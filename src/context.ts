import type { Reporter } from "./output/reporter.js";
import type { Databases } from "./postgres/database.js";
import type { RemoteHosts } from "./remote/remote-hosts.js";
import type { CleanupStack } from "./system/cleanup-stack.js";
import type { Clock } from "./system/clock.js";
import type { Processes } from "./system/processes.js";

/** Who runs the program, and where. */
export interface Environment {
  /** The name the program was called by, `tsrepmgr` or `repmgr`: it appears in help, hints and logs. */
  readonly programName: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  readonly homeDirectory: string;
  /** Throws UserError when the operating system has no name for the effective user. */
  readonly osUser: string;
}

/** The effects that a flow may ask for. */
export interface Context {
  readonly clock: Clock;
  readonly processes: Processes;
  readonly databases: Databases;
  readonly remoteHosts: RemoteHosts;
  readonly reporter: Reporter;
  readonly environment: Environment;
  readonly cleanup: CleanupStack;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly interrupted: AbortSignal;
}

/** A function names the effects it uses, so that a reader and a test see them. */
export type Uses<Keys extends keyof Context> = Pick<Context, Keys>;
