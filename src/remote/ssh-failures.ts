import type { KnownHost, KnownHostKey } from "./host-keys.js";
import { SshError, type SshErrorKind } from "./ssh-error.js";
import type { SshSettings } from "./ssh-settings.js";

/** Whom we talk to, as every message names it. */
export type SshPeer = Pick<SshSettings, "hostName" | "port" | "user"> & { readonly host: string };

/** `user "postgres", host "node2" (192.0.2.7), port 22` */
function describePeer({ host, hostName, port, user }: SshPeer): string {
  return `user "${user}", host "${host}"${hostName === host ? "" : ` (${hostName})`}, port ${port}`;
}

/** The command line that shows a user the same problem. */
function trySsh({ host, port, user }: SshPeer): string {
  return `ssh ${portOption(port, "-p")}${user}@${host} true`;
}

const portOption = (port: number, option: string): string => (port === 22 ? "" : `${option} ${port} `);

export function failUnreachable(peer: SshPeer, reason: string, cause?: unknown): SshError {
  const problem = {
    message: `unable to reach host "${peer.host}" over SSH`,
    detail: `${reason}; ${describePeer(peer)}`,
    hint: `check that sshd runs there and that no firewall is in between; try: ${trySsh(peer)}`,
  };
  return new SshError("unreachable", problem, cause);
}

export function failTimeout(peer: SshPeer, timeoutMs: number): SshError {
  return new SshError("timeout", {
    message: `host "${peer.host}" does not answer over SSH`,
    detail: `no session within ${timeoutMs / 1000} s (ConnectTimeout); ${describePeer(peer)}`,
    hint: `check that the host is up and that no firewall is in between; try: ${trySsh(peer)}`,
  });
}

export interface ShownKey {
  readonly type: string;
  readonly base64: string;
  /** As `ssh-keygen -l` writes it: `SHA256:…` */
  readonly fingerprint: string;
}

const shortTypes: Readonly<Record<string, string>> = { "ssh-ed25519": "ed25519", "ssh-rsa": "rsa" };
const shortType = (type: string): string => shortTypes[type] ?? (type.startsWith("ecdsa-") ? "ecdsa" : type);

export interface HostKeyFailure {
  readonly peer: SshPeer;
  readonly shown: ShownKey;
  readonly known: KnownHost;
  readonly knownHostsFiles: readonly string[];
}

export function failUnknownHostKey({ peer, shown, known, knownHostsFiles }: HostKeyFailure): SshError {
  const [file = "~/.ssh/known_hosts"] = knownHostsFiles;
  const other = known.keys.find(({ marker }) => marker === "none");
  return new SshError("host-key", {
    message: `the host key of "${peer.host}" is not known`,
    detail:
      `it shows ${shortType(shown.type)} key ${shown.fingerprint}; no such key of "${known.name}" in ${knownHostsFiles.join(", ")}` +
      `${other === undefined ? "" : ` (only one of type ${shortType(other.type)})`}; ${describePeer(peer)}`,
    hint:
      `compare the fingerprint with the host's own (ssh-keygen -lf /etc/ssh/ssh_host_${shortType(shown.type)}_key.pub), ` +
      `then run: ${scanKey(peer, shown)} >> ${file}`,
  });
}

const scanKey = ({ hostName, port }: SshPeer, { type }: ShownKey): string =>
  `ssh-keyscan ${portOption(port, "-p")}-t ${shortType(type)} ${hostName}`;

export function failChangedHostKey(failure: HostKeyFailure, recorded: KnownHostKey): SshError {
  const { peer, shown, known } = failure;
  return new SshError("host-key", {
    message: `the host key of "${peer.host}" has changed`,
    detail:
      `it shows ${shortType(shown.type)} key ${shown.fingerprint}, which is not the one in ${recorded.file}, line ${recorded.line}; ` +
      `another machine may pose as this host; ${describePeer(peer)}`,
    hint:
      `only if the host was given a new key, run: ssh-keygen -R '${known.name}' -f ${recorded.file}; ` +
      `${scanKey(peer, shown)} >> ${recorded.file}`,
  });
}

export function failRevokedHostKey({ peer, shown }: HostKeyFailure, revoked: KnownHostKey): SshError {
  return new SshError("host-key", {
    message: `the host key of "${peer.host}" is revoked`,
    detail: `${shortType(shown.type)} key ${shown.fingerprint} is marked so in ${revoked.file}, line ${revoked.line}; ${describePeer(peer)}`,
    hint: "give the host a new key, and record that one",
  });
}

/** What was offered to a server that refused it, and what could not be offered. */
export interface OfferedKeys {
  readonly agent: string | null;
  /** Comments of the agent's keys. */
  readonly fromAgent: readonly string[];
  readonly files: readonly string[];
  /** Keys with a passphrase that the agent does not hold. */
  readonly locked: readonly string[];
  readonly unusable: readonly { readonly path: string; readonly reason: string }[];
  /** What the configuration names, whether it is there or not. */
  readonly configured: readonly string[];
}

/** `said`: the words of the system's `ssh`, which may speak of a jump host; empty without. */
export function failAuthentication(peer: SshPeer, offered: OfferedKeys, said = ""): SshError {
  return new SshError("authentication", {
    message: `host "${peer.host}" does not let user "${peer.user}" in over SSH`,
    detail: [...(said === "" ? [] : [said]), describeOffered(offered), describePeer(peer)].join("; "),
    hint: adviseOnKeys(peer, offered),
  });
}

function describeOffered({ fromAgent, files, locked, unusable, configured }: OfferedKeys): string {
  const offered = [...fromAgent.map((comment) => `"${comment}" of the agent`), ...files];
  const parts = [
    offered.length > 0 ? `refused keys: ${offered.join(", ")}` : "no key to offer",
    ...(offered.length + locked.length + unusable.length === 0 && configured.length > 0
      ? [`none of these exists: ${configured.join(", ")}`]
      : []),
    ...(locked.length > 0 ? [`not offered, because of a passphrase: ${locked.join(", ")}`] : []),
    ...unusable.map(({ path, reason }) => `not offered: ${path} (${reason})`),
  ];
  return parts.join("; ");
}

function adviseOnKeys(peer: SshPeer, { agent, fromAgent, files, locked }: OfferedKeys): string {
  const to = `${portOption(peer.port, "-p")}${peer.user}@${peer.host}`;
  const [firstLocked] = locked;
  if (firstLocked !== undefined) {
    const start = agent === null ? "eval $(ssh-agent); " : "";
    return `nobody can be asked for a passphrase; run: ${start}ssh-add ${firstLocked}`;
  }
  const [file] = files;
  if (file !== undefined) return `run: ssh-copy-id -i ${file} ${to}`;
  if (fromAgent.length > 0) return `run: ssh-copy-id ${to}`;
  return `make a key with ssh-keygen -t ed25519 and allow it there with: ssh-copy-id ${to}`;
}

/** A connection that broke under a command, which may still run there. */
export function failLost(peer: SshPeer, reason: string, cause?: unknown): SshError {
  const problem = {
    message: `lost the SSH connection to host "${peer.host}"`,
    detail: `${reason}; what was started there may still run; ${describePeer(peer)}`,
    hint: `try: ${trySsh(peer)}`,
  };
  return new SshError("lost", problem, cause);
}

/** The connection stands, and the host opens no further session on it. */
export function failSession(peer: SshPeer, reason: string, cause?: unknown): SshError {
  const problem = {
    message: `host "${peer.host}" did not start a command over SSH`,
    detail: `${reason}; ${describePeer(peer)}`,
    hint: `check "MaxSessions" in its sshd_config; try: ${trySsh(peer)}`,
  };
  return new SshError("no-shell", problem, cause);
}

export function failNoShell(peer: SshPeer, output: string): SshError {
  return new SshError("no-shell", {
    message: `the account of user "${peer.user}" on host "${peer.host}" ran no command`,
    detail: `its login shell answered: ${output.trim().split("\n").slice(-3).join(" / ") || "nothing"}; ${describePeer(peer)}`,
    hint: `check the login shell and its start-up files there; try: ${trySsh(peer)}`,
  });
}

const opensshWords: readonly (readonly [RegExp, SshErrorKind])[] = [
  [/HOST IDENTIFICATION HAS CHANGED|Host key verification failed|No \S+ host key is known/i, "host-key"],
  [/Permission denied|Too many authentication failures|No more authentication methods/i, "authentication"],
];

/** What the system's `ssh` said when it gave up. `readOffer` tells which keys there are, once they matter. */
export async function failOpenssh(
  peer: SshPeer,
  stderr: string,
  readOffer: () => Promise<OfferedKeys>,
): Promise<SshError> {
  const lines = stderr
    .trim()
    .split(/\r?\n/)
    .filter((line) => !/^@*$/.test(line));
  const said = lines.slice(-4).join(" / ") || "ssh gave no reason";
  switch (opensshWords.find(([pattern]) => pattern.test(stderr))?.[1]) {
    case "host-key":
      return new SshError("host-key", {
        message: `the host key of "${peer.host}" is not known, or has changed`,
        detail: `${said}; ${describePeer(peer)}`,
        hint:
          "compare the fingerprint with the host's own, then run: " +
          `ssh-keyscan ${portOption(peer.port, "-p")}${peer.hostName} >> ~/.ssh/known_hosts`,
      });
    case "authentication":
      return failAuthentication(peer, await readOffer(), said);
    default:
      return failUnreachable(peer, said);
  }
}
