import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import type { Algorithms, AnyAuthMethod, Client, ConnectConfig } from "ssh2";
import { describeSystemError } from "../postgres/attempt-failure.js";
import { startDeadline } from "../postgres/deadline.js";
import type { Files } from "../system/files.js";
import type { Processes } from "../system/processes.js";
import {
  findKnownHost,
  type HostKeyVerdict,
  judgeHostKey,
  type KnownHost,
  type KnownHostKey,
  orderHostKeyAlgorithms,
} from "./host-keys.js";
import { gatherKeys, type Keys, narrowAgent } from "./identities.js";
import { loadSsh2, type Ssh2 } from "./load-ssh2.js";
import {
  failAuthentication,
  failChangedHostKey,
  failLost,
  failRevokedHostKey,
  failSession,
  failUnknownHostKey,
  failUnreachable,
  type ShownKey,
  type SshPeer,
} from "./ssh-failures.js";
import type { SshSettings } from "./ssh-settings.js";
import type { RemoteResult, RemoteRunOptions, Transport } from "./transport.js";

export interface Ssh2Request {
  readonly peer: SshPeer;
  readonly settings: SshSettings;
  readonly processes: Processes;
  readonly files: Files;
  readonly warn: (message: string) => void;
  /** Ends the attempt, whatever it waits for. */
  readonly deadline: AbortSignal;
}

/** `openssh`: this host needs the system's `ssh`, for this reason. */
export type Ssh2Outcome =
  | { readonly kind: "connected"; readonly transport: Transport }
  | { readonly kind: "openssh"; readonly reason: string };

/** Opens a connection with the client in this program. Throws SshError. */
export async function connectWithSsh2(request: Ssh2Request): Promise<Ssh2Outcome> {
  const { settings } = request;
  const missing = Object.entries(chooseAlgorithms(settings, [])).find(([, names]) => names.length === 0);
  if (missing !== undefined) return useOpenssh(`none of the configured ${missing[0]} algorithms is in ssh2`);
  const dialled = await dial(settings, request.deadline);
  try {
    const outcome = await connectOver(request, dialled);
    if (outcome.kind !== "connected") dialled.socket.destroy();
    return outcome;
  } catch (error) {
    dialled.socket.destroy();
    throw error;
  }
}

/** Over a connection that is being made: the server starts a process for it, while the host is looked up. */
async function connectOver(request: Ssh2Request, dialled: Dialled): Promise<Ssh2Outcome> {
  const { settings, files, peer } = request;
  const [ssh2, known] = await Promise.all([loadSsh2(), findKnownHost(request, settings)]);
  if (known.keys.some(({ marker }) => marker === "cert-authority")) return useOpenssh("host certificate");
  const keys = await gatherKeys(ssh2, files, settings);
  request.deadline.throwIfAborted();
  if (keys.foreign !== null) return useOpenssh(`${keys.foreign.path}: ${keys.foreign.reason}`);
  const methods: readonly AnyAuthMethod[] = [
    ...(keys.agent === null || keys.fromAgent.length === 0
      ? []
      : [{ type: "agent" as const, username: peer.user, agent: narrowAgent(keys.agent, keys.fromAgent) }]),
    ...keys.files.map(({ text }) => ({ type: "publickey" as const, username: peer.user, key: text })),
  ];
  const attempt = await attemptConnection({ ...request, ssh2, known, methods, dialled });
  switch (attempt.kind) {
    case "ready":
      return { kind: "connected", transport: makeTransport(attempt.client, peer) };
    case "host-key":
      return judgeRefusedKey(request, known, attempt);
    case "no-common-algorithm":
      return useOpenssh(attempt.reason);
    case "authentication":
      if (await mayOpensshDoBetter(request, keys)) return useOpenssh("the keys were refused");
      throw failAuthentication(peer, keys.offered);
    case "failed":
      throw failUnreachable(peer, attempt.reason);
  }
}

const useOpenssh = (reason: string): Ssh2Outcome => ({ kind: "openssh", reason });

function judgeRefusedKey(
  { peer, settings }: Ssh2Request,
  known: KnownHost,
  { verdict, shown }: Attempt & { readonly kind: "host-key" },
): Ssh2Outcome {
  const failure = { peer, shown, known, knownHostsFiles: settings.knownHostsFiles };
  if (verdict.kind === "changed") throw failChangedHostKey(failure, verdict.known);
  if (verdict.kind === "revoked") throw failRevokedHostKey(failure, verdict.known);
  if (verdict.kind === "accepted") return useOpenssh("it records the new host key");
  throw failUnknownHostKey(failure);
}

/** Whether OpenSSH has means of authentication left: Kerberos, host-based, or keys in the agent that ssh2 cannot read. */
async function mayOpensshDoBetter(
  { settings, processes }: Ssh2Request,
  { agentKeyCount }: Keys,
): Promise<boolean> {
  if (settings.otherAuthentication) return true;
  if (settings.agent === null) return false;
  const { stdout, exitCode } = await processes.run("ssh-add", ["-L"], {
    env: { SSH_AUTH_SOCK: settings.agent },
    timeoutMs: 2000,
  });
  return exitCode === 0 && stdout.trim().split("\n").length > agentKeyCount;
}

type Attempt =
  | { readonly kind: "ready"; readonly client: Client }
  | { readonly kind: "host-key"; readonly verdict: HostKeyVerdict; readonly shown: ShownKey }
  | { readonly kind: "authentication" }
  | { readonly kind: "no-common-algorithm"; readonly reason: string }
  | { readonly kind: "failed"; readonly reason: string };

interface AttemptRequest extends Ssh2Request {
  readonly ssh2: Ssh2;
  readonly known: KnownHost;
  readonly methods: readonly AnyAuthMethod[];
  readonly dialled: Dialled;
}

interface Dialled {
  readonly socket: Socket;
  /** Why the connection failed before anybody listened to it; null when it did not. */
  failure(): string | null;
}

const families = { any: 0, inet: 4, inet6: 6 } as const satisfies Record<
  SshSettings["addressFamily"],
  number
>;

async function dial(
  { hostName, port, addressFamily, bindAddress }: SshSettings,
  deadline: AbortSignal,
): Promise<Dialled> {
  const net = await import("node:net");
  deadline.throwIfAborted();
  const socket = net.connect({
    host: hostName,
    port,
    family: families[addressFamily],
    ...(bindAddress === null ? {} : { localAddress: bindAddress }),
    // A packet leaves in several small writes: each would wait for the answer to the one before it.
    noDelay: true,
  });
  // As ssh2 has it for sockets of its own.
  socket.setMaxListeners(0);
  deadline.addEventListener("abort", () => socket.destroy(), { once: true });
  let failure: string | null = null;
  socket.on("error", (error) => (failure = describeDialError(error)));
  return { socket, failure: () => failure ?? (socket.destroyed ? "the connection was closed" : null) };
}

/** A name with several addresses has an error for each. */
const describeDialError = (error: unknown): string =>
  describeSystemError(error instanceof AggregateError ? error.errors[0] : error);

async function attemptConnection(request: AttemptRequest): Promise<Attempt> {
  const { ssh2, settings, known, deadline, peer, warn, dialled } = request;
  const failure = dialled.failure();
  if (failure !== null) return { kind: "failed", reason: failure };
  const client = new ssh2.Client();
  let refused: (Attempt & { readonly kind: "host-key" }) | null = null;
  const methods = [...request.methods];
  const config: ConnectConfig = {
    sock: dialled.socket,
    username: settings.user,
    readyTimeout: 0,
    keepaliveInterval: settings.keepaliveIntervalMs || DEFAULT_KEEPALIVE_MS,
    keepaliveCountMax: settings.keepaliveCountMax,
    ...(settings.agent === null ? {} : { agent: settings.agent, agentForward: settings.forwardAgent }),
    algorithms: chooseAlgorithms(settings, [...known.keys, ...known.keysOfAnyPort]) as Algorithms,
    hostVerifier: (key: Buffer) => {
      const shown = describeKey(key);
      const verdict = judgeHostKey(shown, known, settings);
      if (verdict.kind === "known") return true;
      if (verdict.kind === "accepted" && !verdict.recorded) {
        if (verdict.warning !== null) warn(`the host key of "${peer.host}" ${verdict.warning}`);
        return true;
      }
      refused = { kind: "host-key", verdict, shown };
      return false;
    },
    authHandler: (methodsLeft, _partialSuccess, next) => {
      const isPossible = (methodsLeft as readonly string[] | null)?.includes("publickey") ?? true;
      next((isPossible ? methods.shift() : undefined) ?? (false as never));
    },
  };
  return new Promise((fulfil, reject) => {
    const settle = (attempt: Attempt): void => {
      deadline.removeEventListener("abort", expire);
      if (attempt.kind !== "ready") client.destroy();
      fulfil(attempt);
    };
    const expire = (): void => {
      client.destroy();
      reject(deadline.reason as Error);
    };
    deadline.addEventListener("abort", expire, { once: true });
    client
      .on("ready", () => settle({ kind: "ready", client }))
      // Also hears what happens to the connection later; an unheard "error" would end the process.
      .on("error", (error) => {
        const attempt = refused ?? readFailure(error);
        if (attempt !== null) settle(attempt);
      })
      .on("close", () => settle(refused ?? { kind: "failed", reason: "the connection was closed" }));
    try {
      client.connect(config);
    } catch (error) {
      settle({ kind: "no-common-algorithm", reason: String(error) });
    }
  });
}

/** As long as a dead host may go unnoticed under a command when the user's configuration does not say. */
const DEFAULT_KEEPALIVE_MS = 15_000;

/** Null: the attempt goes on with the next key. */
function readFailure(error: Error & { level?: string }): Attempt | null {
  const { level, message } = error;
  if (level === "agent" || /^Error (while )?signing/.test(message)) return null;
  if (level === "client-authentication") return { kind: "authentication" };
  if (/no matching/i.test(message)) return { kind: "no-common-algorithm", reason: message };
  return { kind: "failed", reason: describeDialError(error) };
}

/** The user's algorithms as far as ssh2 has them: it would take an empty list for its own defaults. */
function chooseAlgorithms({ algorithms }: SshSettings, known: readonly KnownHostKey[]) {
  const { kex, hostKey, cipher, mac } = algorithms;
  return {
    kex: kex.filter((name) => OURS.kex.includes(name)),
    serverHostKey: orderHostKeyAlgorithms(hostKey, known).filter((name) => OURS.hostKey.includes(name)),
    cipher: cipher.filter((name) => OURS.cipher.includes(name)),
    hmac: mac.filter((name) => OURS.mac.includes(name)),
  };
}

/** What ssh2 has and OpenSSH still offers. */
const OURS = {
  kex: [
    ...["curve25519-sha256", "curve25519-sha256@libssh.org"],
    ...["ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521"],
    ...["diffie-hellman-group-exchange-sha256", "diffie-hellman-group14-sha256"],
    ...["diffie-hellman-group16-sha512", "diffie-hellman-group18-sha512"],
  ],
  hostKey: [
    ...["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"],
    ...["rsa-sha2-512", "rsa-sha2-256"],
  ],
  cipher: [
    ...["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com"],
    ...["aes128-ctr", "aes192-ctr", "aes256-ctr"],
  ],
  mac: [
    ...["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha1-etm@openssh.com"],
    ...["hmac-sha2-256", "hmac-sha2-512", "hmac-sha1"],
  ],
};

function describeKey(key: Buffer): ShownKey {
  const length = key.readUInt32BE(0);
  const hash = createHash("sha256").update(key).digest("base64").replace(/=+$/, "");
  return {
    type: key.subarray(4, 4 + length).toString("latin1"),
    base64: key.toString("base64"),
    fingerprint: `SHA256:${hash}`,
  };
}

function makeTransport(client: Client, peer: SshPeer): Transport {
  let lostBecause: string | null = null;
  client
    .on("error", (error) => (lostBecause ??= error.message))
    .on("close", () => (lostBecause ??= "the connection was closed"));
  return {
    kind: "ssh2",
    execute: (commandLine, options) =>
      execute(client, { commandLine, options, peer, why: () => lostBecause }),
    isLost: () => lostBecause !== null,
    close: async () => {
      client.end();
      // A host that is gone does not answer the goodbye.
      client.destroy();
    },
  };
}

interface Execution {
  readonly commandLine: string;
  readonly options: RemoteRunOptions;
  readonly peer: SshPeer;
  /** Why the connection is gone; null while it stands. */
  readonly why: () => string | null;
}

function execute(client: Client, execution: Execution): Promise<RemoteResult> {
  const { commandLine, options, peer, why } = execution;
  const { input = "", timeoutMs = null, signal, isWhole } = options;
  signal?.throwIfAborted();
  const deadline = startDeadline(timeoutMs, signal);
  return new Promise<RemoteResult>((fulfil, reject) => {
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    const settled = (exitCode: number | null, signalName: string | null, timedOut = false): RemoteResult => ({
      exitCode,
      signal: signalName,
      stdout: Buffer.concat(stdout).toString(),
      stderr: Buffer.concat(stderr).toString(),
      timedOut,
    });
    const giveUp = (): void =>
      signal?.aborted === true ? reject(signal.reason as Error) : fulfil(settled(null, null, true));
    deadline.signal.addEventListener("abort", giveUp, { once: true });
    const fail = (error: Error): void => {
      const reason = why();
      reject(reason === null ? failSession(peer, error.message, error) : failLost(peer, reason, error));
    };
    try {
      client.exec(commandLine, (error, stream) => {
        if (error !== undefined) {
          fail(error);
          return;
        }
        let ending: readonly [number | null, string | null] | null = null;
        const stop = (): void => {
          stream.signal("TERM");
          stream.close();
        };
        if (deadline.signal.aborted) {
          stop();
          return;
        }
        deadline.signal.addEventListener("abort", stop, { once: true });
        stream
          .on("data", (chunk: Buffer) => {
            stdout.push(chunk);
            if (isWhole?.(Buffer.concat(stdout).toString()) === true) fulfil(settled(null, null));
          })
          .on("error", () => undefined)
          .on("exit", (code: number | null, name?: string) => (ending = [code, name ?? null]))
          .on("close", () =>
            ending === null
              ? reject(failLost(peer, why() ?? "the connection was closed"))
              : fulfil(settled(...ending)),
          );
        stream.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
        if (isWhole === undefined) stream.end(input);
        else stream.write(input);
      });
    } catch (error) {
      fail(error as Error);
    }
  }).finally(() => deadline.release());
}
