import { createRemoteHosts, type RemoteHosts } from "../../../src/remote/remote-hosts.js";
import { createCleanupStack } from "../../../src/system/cleanup-stack.js";
import { systemClock } from "../../../src/system/clock.js";
import { systemProcesses } from "../../../src/system/processes.js";

export interface TestHosts {
  readonly hosts: RemoteHosts;
  /** What `--verbose` would show. */
  readonly told: readonly string[];
  readonly warned: readonly string[];
  interrupt(): void;
  close(): Promise<void>;
}

const opened = new Set<TestHosts>();

export function makeHosts(
  sshOptions: string,
  {
    remoteUser,
    variables = {},
  }: { readonly remoteUser?: string; readonly variables?: Record<string, string> } = {},
): TestHosts {
  const cleanup = createCleanupStack();
  const interruption = new AbortController();
  const told: string[] = [];
  const warned: string[] = [];
  const hosts: TestHosts = {
    hosts: createRemoteHosts({
      processes: systemProcesses,
      clock: systemClock,
      cleanup,
      interrupted: interruption.signal,
      variables,
      sshOptions,
      remoteUser,
      tell: (message) => told.push(message),
      warn: (message) => warned.push(message),
    }),
    told,
    warned,
    interrupt: () => interruption.abort(new Error("interrupted")),
    close: async () => {
      opened.delete(hosts);
      await cleanup.unwind();
    },
  };
  opened.add(hosts);
  return hosts;
}

export async function closeAllHosts(): Promise<void> {
  await Promise.all([...opened].map((hosts) => hosts.close()));
}
