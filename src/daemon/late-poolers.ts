import { dirname } from "node:path";
import {
  readUnledPoolers,
  unledPoolersFile,
  writeUnledPoolers,
  type UnledPoolers,
} from "../coordination/unled-poolers.js";
import { aimPooler, waitBeforeNextLead } from "../decide/pgbouncer.js";
import type { DaemonState } from "../decide/watch-types.js";
import { formatPoolerAddress } from "../model/pooler.js";
import { type PoolerAccess, redirectPooler } from "../pgbouncer/lead-pooler.js";
import { listPoolers } from "../pgbouncer/list-poolers.js";
import { createRemoteHosts } from "../remote/remote-hosts.js";
import { createCleanupStack } from "../system/cleanup-stack.js";
import { describeFailure } from "../system/directories.js";
import { ownRecord, type Runtime } from "./runtime.js";

/** Leads the pgbouncers to this node that its promotion did not reach, for as long as it is the primary. */
export interface LatePoolers {
  /** Tries at most once, and not before the pause after the last failure is over. */
  keep(state: DaemonState): Promise<void>;
}

export function createLatePoolers(runtime: Runtime): LatePoolers {
  const { context } = runtime;
  const { clock, reporter, interrupted } = context;
  const directory = runtime.memory.path === null ? null : dirname(runtime.memory.path);
  let failures = 0;
  let tryAt = 0;
  let marked = 0;
  let told = "";

  const attempt = async (path: string, unled: UnledPoolers, conninfo: string): Promise<void> => {
    const { cleanup, accesses } = openWays(runtime, unled.addresses);
    const left: string[] = [];
    try {
      await Promise.all(
        accesses.map(async (access) => {
          const address = formatPoolerAddress(access.pooler);
          const aim = aimPooler(conninfo, access);
          const outcome = await redirectPooler(access, aim);
          if (interrupted.aborted) return;
          if (outcome.kind === "redirected" && aim !== null) {
            reporter.notice(`pgbouncer "${address}" leads to ${formatPoolerAddress(aim.target)} now`);
            return;
          }
          left.push(address);
          if (outcome.kind === "failed") tellOnce(address, outcome.reason);
        }),
      );
    } finally {
      await cleanup.unwind();
    }
    if (interrupted.aborted) return;
    // A promotion that came between has written what it found itself.
    if ((await readUnledPoolers(path))?.at !== unled.at) return;
    if (left.length < unled.addresses.length) await writeUnledPoolers(path, { ...unled, addresses: left });
    failures += 1;
    tryAt = clock.monotonic() + waitBeforeNextLead(failures);
  };

  const tellOnce = (address: string, reason: string): void => {
    const text = `${address}: ${reason}`;
    if (text === told) return;
    told = text;
    reporter.warning(`pgbouncer "${address}" could not be led to this primary yet`, {
      detail: reason,
      hint: "it is tried again for as long as this node is the primary",
    });
  };

  return {
    keep: async (state) => {
      if (directory === null || context.settings().pgbouncer_hosts.length === 0) return;
      const path = unledPoolersFile(directory, context.settings().data_directory);
      const unled = await readUnledPoolers(path);
      if (unled === null) return;
      if (unled.at !== marked) {
        marked = unled.at;
        [failures, tryAt, told] = [0, 0, ""];
      }
      try {
        if (leadsNoMore(runtime, unled)) {
          await writeUnledPoolers(path, { ...unled, addresses: [] });
          return;
        }
        const own = ownRecord(runtime);
        const isLeading = state.watch.role === "primary" && state.watch.state.kind === "leading";
        // While this daemon is paused a switchover may be holding the clients back.
        if (!isLeading || state.memory.isPaused || own === null || clock.monotonic() < tryAt) return;
        // The end of the daemon waits for no pgbouncer.
        await Promise.race([attempt(path, unled, own.conninfo), untilAborted(interrupted)]);
      } catch (error) {
        tellOnce(path, describeFailure(error));
      }
    },
  };
}

/** Whether the server was seen as a standby after that promotion: another node leads the pgbouncers then. */
function leadsNoMore({ context: { clock }, lastLook }: Runtime, { at }: UnledPoolers): boolean {
  if (lastLook?.look.inRecovery !== true) return false;
  return clock.now() - (clock.monotonic() - lastLook.at) > at;
}

/** Connections over SSH last for one attempt only: the next may be long after. */
function openWays({ context }: Runtime, addresses: readonly string[]) {
  const { clock, processes, databases, environment, reporter, interrupted } = context;
  const cleanup = createCleanupStack();
  const settings = context.settings();
  const remoteHosts = createRemoteHosts({
    clock,
    processes,
    cleanup,
    interrupted,
    variables: environment.variables,
    sshOptions: settings.ssh_options,
    remoteUser: undefined,
    tell: (message) => reporter.debug(message),
    warn: (message) => reporter.warning(message),
  });
  const accesses: readonly PoolerAccess[] = listPoolers({
    settings,
    databases,
    processes,
    remoteHosts,
  }).filter(({ pooler }) => addresses.includes(formatPoolerAddress(pooler)));
  return { cleanup, accesses };
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((fulfil) => signal.addEventListener("abort", () => fulfil(), { once: true }));
