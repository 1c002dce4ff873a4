import { userInfo } from "node:os";
import { raceDeadline, startDeadline } from "../postgres/deadline.js";
import { systemFiles } from "../system/files.js";
import { loadPiecewise } from "./load-piecewise.js";
import type { RemoteHostsOptions } from "./remote-hosts.js";
import { makeRemoteShell, type RemoteShell } from "./remote-shell.js";
import { failTimeout, type SshPeer } from "./ssh-failures.js";
import { splitSshOptions } from "./ssh-options.js";
import { readSshSettings, type SshSettings, type SshTarget } from "./ssh-settings.js";
import type { Transport } from "./transport.js";

/** When the user's configuration has none: without one, the system's may be minutes. */
const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;

/** A connection, and how its user sees it. */
export interface Connection {
  readonly transport: Transport;
  readonly shell: RemoteShell;
}

/** Connects to one host by the way that its configuration needs. Throws SshError; the reason of `ending` once that is aborted. */
export async function openConnection(
  host: string,
  options: RemoteHostsOptions,
  ending: AbortSignal,
): Promise<Connection> {
  const { processes, clock, variables, sshOptions, remoteUser } = options;
  ending.throwIfAborted();
  const target: SshTarget = {
    host,
    user: remoteUser ?? null,
    options: splitSshOptions(sshOptions, variables),
  };
  // OpenSSH looks into the password database, whatever HOME says.
  const { homedir: homeDirectory, username: osUser } = userInfo();
  const reading = readSshSettings(processes, target, {
    variables,
    homeDirectory,
    osUser,
    signal: ending,
  });
  // While ssh reads its configuration.
  loadPiecewise(clock, [
    () => import("./ssh2-transport.js"),
    async () => (await import("./load-ssh2.js")).loadSsh2(),
  ]);
  const settings = await reading;
  const peer: SshPeer = { host, hostName: settings.hostName, port: settings.port, user: settings.user };
  const timeoutMs = settings.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS;
  const deadline = startDeadline(timeoutMs, ending);
  try {
    const transport = await openTransport(options, { target, settings, peer, deadline: deadline.signal });
    return { transport, shell: makeRemoteShell(peer, transport) };
  } catch (error) {
    ending.throwIfAborted();
    throw deadline.signal.aborted ? failTimeout(peer, timeoutMs) : error;
  } finally {
    deadline.release();
  }
}

interface Resolved {
  readonly target: SshTarget;
  readonly settings: SshSettings;
  readonly peer: SshPeer;
  readonly deadline: AbortSignal;
}

async function openTransport(options: RemoteHostsOptions, resolved: Resolved): Promise<Transport> {
  const { tell } = options;
  const { settings, peer, deadline } = resolved;
  const request = { ...options, ...resolved, files: systemFiles };
  let reason: string;
  if (settings.beyondUs.length > 0) reason = settings.beyondUs.join(", ");
  else {
    const { connectWithSsh2 } = await import("./ssh2-transport.js");
    const outcome = await raceDeadline(connectWithSsh2(request), deadline);
    if (outcome.kind === "connected") return outcome.transport;
    reason = outcome.reason;
  }
  tell(`using the system's ssh for host "${peer.host}" (${reason})`);
  const { connectWithOpenssh } = await import("./openssh-transport.js");
  return connectWithOpenssh(request);
}
