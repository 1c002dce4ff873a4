import type { CleanupStack } from "../system/cleanup-stack.js";
import type { Clock } from "../system/clock.js";
import { loadPiecewise } from "./load-piecewise.js";
import { loadExeca, type Processes } from "../system/processes.js";
import type { Connection } from "./open-connection.js";
import type { RemoteShell } from "./remote-shell.js";

/**
 * The way to other hosts: one connection for each, opened when it is first asked for and again when it broke, closed at
 * the end of the command.
 */
export interface RemoteHosts {
  /** Loads in the background what a connection takes at first, for a command that is going to connect and waits for something. */
  prepare(): void;
  /** `host` as ssh takes it. Rejects with SshError; a later call tries again. */
  connect(host: string): Promise<RemoteShell>;
}

export interface RemoteHostsOptions {
  readonly processes: Processes;
  readonly clock: Clock;
  readonly cleanup: CleanupStack;
  /** Ends an attempt to connect; an open connection stays for what is undone afterwards. */
  readonly interrupted: AbortSignal;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** `ssh_options` of repmgr.conf. */
  readonly sshOptions: string;
  /** `-R/--remote-user`. */
  readonly remoteUser: string | undefined;
  /** Takes what `--verbose` shows. */
  readonly tell: (message: string) => void;
  readonly warn: (message: string) => void;
}

export function createRemoteHosts(options: RemoteHostsOptions): RemoteHosts {
  const connections = new Map<string, Promise<Connection>>();
  const closing = new AbortController();
  const closeAll = async (): Promise<void> => {
    closing.abort(new Error("the command has ended"));
    const opened = await Promise.allSettled(connections.values());
    const fulfilled = opened.filter((outcome) => outcome.status === "fulfilled");
    await Promise.all(
      fulfilled.map(async ({ value: { transport } }) => {
        // The client in this program ends with it.
        if (transport.kind === "ssh2") options.cleanup.pushFarewell(() => void transport.close());
        else await transport.close();
      }),
    );
  };
  const loadOnce = once(() =>
    loadPiecewise(options.clock, [() => import("./open-connection.js"), loadExeca]),
  );
  return {
    prepare: loadOnce,
    connect: async (host) => {
      const bare = host.replace(/^\[(.*)\]$/, "$1");
      if (connections.size === 0) options.cleanup.push(closeAll);
      const known = connections.get(bare);
      if (known !== undefined) {
        const connection = await known;
        if (!connection.transport.isLost()) return connection.shell;
      }
      const opened = openLazily(bare, options, AbortSignal.any([options.interrupted, closing.signal]));
      loadOnce();
      connections.set(bare, opened);
      opened.catch(() => connections.delete(bare));
      return (await opened).shell;
    },
  };
}

function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) act();
    isDone = true;
  };
}

async function openLazily(
  host: string,
  options: RemoteHostsOptions,
  ending: AbortSignal,
): Promise<Connection> {
  const { openConnection } = await import("./open-connection.js");
  return openConnection(host, options, ending);
}
