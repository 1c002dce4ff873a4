import { raceDeadline, startDeadline } from "../postgres/deadline.js";
import type { Clock } from "../system/clock.js";
import type { Files } from "../system/files.js";
import type { ProcessResult, Processes } from "../system/processes.js";
import { makeTemporaryDirectory } from "../system/temporary-directory.js";
import { gatherKeys } from "./identities.js";
import { loadSsh2 } from "./load-ssh2.js";
import { failLost, failOpenssh, type SshPeer } from "./ssh-failures.js";
import { dropQuiet } from "./ssh-options.js";
import { type SshSettings, type SshTarget, userArguments } from "./ssh-settings.js";
import type { RemoteResult, RemoteRunOptions, Transport } from "./transport.js";

export interface OpensshRequest {
  readonly peer: SshPeer;
  readonly target: SshTarget;
  readonly settings: SshSettings;
  readonly processes: Processes;
  readonly files: Files;
  readonly clock: Clock;
  readonly deadline: AbortSignal;
}

/** Options of every call: nobody is asked for anything, and nothing but one command is run. */
const ALWAYS = [
  ...["-T", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR", "-o", "RemoteCommand=none"],
  ...["-o", "PermitLocalCommand=no", "-o", "ClearAllForwardings=yes"],
];

const POLL_INTERVAL_MS = 5;

/** Opens a connection with the system's `ssh`, as a master that later calls share. Throws SshError. */
export async function connectWithOpenssh(request: OpensshRequest): Promise<Transport> {
  const { target, settings, processes, peer, deadline } = request;
  const directory = makeTemporaryDirectory("tsrepmgr-ssh-");
  const socket = `${directory.path}/s`;
  const ending = new AbortController();
  const master = processes.run(
    "ssh",
    [
      ...["-M", "-N", "-S", socket, "-o", "ControlPersist=no", ...ALWAYS, ...dropQuiet(target.options)],
      ...(settings.connectTimeoutMs === null ? ["-o", "ConnectTimeout=10"] : []),
      ...(settings.keepaliveIntervalMs === 0 ? ["-o", "ServerAliveInterval=15"] : []),
      ...[...userArguments(target), "--", target.host],
    ],
    { endsWithUs: true, signal: ending.signal },
  );
  let ended: ProcessResult | null = null;
  void master.then((result) => (ended = result));
  const close = async (): Promise<void> => {
    ending.abort();
    await master;
    directory.remove();
  };
  try {
    await raceDeadline(
      awaitSocket(request, socket, () => ended),
      deadline,
    );
  } catch (error) {
    await close();
    throw error;
  }
  return {
    kind: "openssh",
    execute: (commandLine, options) =>
      execute({ processes, peer, socket, host: target.host, commandLine, options }),
    isLost: () => ended !== null,
    close,
  };
}

/** ssh puts its socket there once it is authenticated. */
async function awaitSocket(
  { files, clock, deadline, peer, settings }: OpensshRequest,
  socket: string,
  ended: () => ProcessResult | null,
): Promise<void> {
  while (!files.exists(socket)) {
    const result = ended();
    if (result !== null) {
      const readOffer = async () => (await gatherKeys(await loadSsh2(), files, settings)).offered;
      throw await failOpenssh(peer, result.stderr, readOffer);
    }
    await clock.sleep(POLL_INTERVAL_MS, deadline);
  }
}

interface Execution {
  readonly processes: Processes;
  readonly peer: SshPeer;
  readonly socket: string;
  readonly host: string;
  readonly commandLine: string;
  readonly options: RemoteRunOptions;
}

/** Its own exit status when the connection fails (ssh(1)); no program of ours ends with it. */
const SSH_FAILED = 255;

async function execute(execution: Execution): Promise<RemoteResult> {
  const { processes, peer, socket, host, commandLine, options } = execution;
  const { input = "", timeoutMs = null, signal: givenUp } = options;
  givenUp?.throwIfAborted();
  const deadline = startDeadline(timeoutMs, givenUp);
  const running = processes.run(
    "ssh",
    [
      // Without the master there is no second way to the host, which might be a silent one.
      ...["-F", "/dev/null", "-S", socket, "-o", "ControlMaster=no", "-o", "ProxyCommand=false"],
      ...[...ALWAYS, "--", host, commandLine],
    ],
    { input, signal: deadline.signal },
  );
  try {
    // The master keeps the pipes of a call that was ended, until the remote command ends: nobody waits for that.
    const { exitCode, signal, stdout, stderr } = await raceDeadline(running, deadline.signal);
    if (exitCode === SSH_FAILED)
      throw failLost(peer, stderr.trim().split("\n").at(-1) || "ssh gave no reason");
    return { exitCode, signal, stdout, stderr, timedOut: false };
  } catch (error) {
    givenUp?.throwIfAborted();
    if (!deadline.signal.aborted) throw error;
    return { exitCode: null, signal: null, stdout: "", stderr: "", timedOut: true };
  } finally {
    deadline.release();
  }
}
