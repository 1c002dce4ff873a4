import { randomBytes } from "node:crypto";
import { quoteForShell } from "../postgres/service-control.js";
import { failNoShell, type SshPeer } from "./ssh-failures.js";
import type { RemoteResult, RemoteRunOptions, Transport } from "./transport.js";

/** A shell on another host: one connection, on which any number of commands run, also at the same time. */
export interface RemoteShell {
  readonly peer: SshPeer;
  /** `openssh` when the system's `ssh` carries the connection. */
  readonly transport: Transport["kind"];
  /**
   * Runs a script of `/bin/sh` there. Every ending of the script is a value; rejects with SshError when it could not be
   * run, or when the connection broke.
   */
  run(script: string, options?: RemoteRunOptions): Promise<RemoteResult>;
}

export function makeRemoteShell(peer: SshPeer, transport: Transport): RemoteShell {
  return {
    peer,
    transport: transport.kind,
    run: async (script, options = {}) => {
      const marker = `tsrepmgr-${randomBytes(12).toString("hex")}`;
      const { isWhole } = options;
      const result = await transport.execute(wrapScript(script, marker), {
        ...options,
        ...(isWhole === undefined ? {} : { isWhole: (stdout) => isWhole(cutPreamble(stdout, marker) ?? "") }),
      });
      const stdout = cutPreamble(result.stdout, marker);
      if (stdout === null && !result.timedOut) throw failNoShell(peer, result.stderr + result.stdout);
      return { ...result, stdout: stdout ?? "", stderr: cutPreamble(result.stderr, marker) ?? "" };
    },
  };
}

/**
 * The command line for the login shell, whichever that is. The marker comes after all that a banner or the start-up files
 * of that shell print, on both streams.
 */
export function wrapScript(script: string, marker: string): string {
  return `/bin/sh -c ${quoteForShell(`echo ${marker}; echo ${marker} >&2; ${script}`)}`;
}

/** What follows the line of the marker; null when it did not come. */
export function cutPreamble(output: string, marker: string): string | null {
  const position = output.indexOf(`${marker}\n`);
  return position < 0 ? null : output.slice(position + marker.length + 1);
}
