import type { Processes } from "../system/processes.js";
import { SshError } from "./ssh-error.js";

/** A host as the user names it, with the options that `ssh` gets for it. */
export interface SshTarget {
  readonly host: string;
  /** `-R/--remote-user`; null leaves it to the user's configuration. */
  readonly user: string | null;
  /** The words of `ssh_options`. */
  readonly options: readonly string[];
}

export type HostKeyStrictness = "refuse-unknown" | "accept-new" | "accept-any";

/** What OpenSSH has resolved for a host from the command line, `~/.ssh/config` and `/etc/ssh/ssh_config`. */
export interface SshSettings {
  readonly hostName: string;
  readonly port: number;
  readonly user: string;
  /** Under which the key of the host is looked up, instead of its name and port. */
  readonly hostKeyAlias: string | null;
  readonly identityFiles: readonly string[];
  /** Only keys named in the configuration are offered, whatever the agent holds. */
  readonly identitiesOnly: boolean;
  /** Path of the agent's socket. */
  readonly agent: string | null;
  readonly forwardAgent: boolean;
  /** Those of the user first: a new key is recorded in the first. */
  readonly knownHostsFiles: readonly string[];
  readonly strictness: HostKeyStrictness;
  /** Null: none is configured. */
  readonly connectTimeoutMs: number | null;
  /** 0: none is configured. */
  readonly keepaliveIntervalMs: number;
  readonly keepaliveCountMax: number;
  readonly addressFamily: "any" | "inet" | "inet6";
  readonly bindAddress: string | null;
  readonly algorithms: {
    readonly kex: readonly string[];
    readonly hostKey: readonly string[];
    readonly cipher: readonly string[];
    readonly mac: readonly string[];
  };
  /** GSSAPI or host-based authentication may let in a user without a key. */
  readonly otherAuthentication: boolean;
  /** Settings that the client in this program does not honour, by their name in `ssh_config`. */
  readonly beyondUs: readonly string[];
}

export interface SettingsSurroundings {
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** The home directory in the password database, where OpenSSH looks, whatever HOME says. */
  readonly homeDirectory: string;
  readonly osUser: string;
}

/** `ssh -G` runs the user's `Match exec` commands: they are not waited for without an end. */
const RESOLVE_TIMEOUT_MS = 10_000;

/** Asks OpenSSH what it would do for this host; nothing is connected. Throws SshError. */
export async function readSshSettings(
  processes: Processes,
  target: SshTarget,
  surroundings: SettingsSurroundings & { readonly signal: AbortSignal },
): Promise<SshSettings> {
  const { signal } = surroundings;
  const args = ["-T", "-G", ...target.options, ...userArguments(target), "--", target.host];
  const result = await processes.run("ssh", args, { timeoutMs: RESOLVE_TIMEOUT_MS, signal });
  signal.throwIfAborted();
  if (result.exitCode === 0) return parseSshSettings(result.stdout, target, surroundings);
  if (result.startFailure !== null) {
    throw new SshError("configuration", {
      message: 'unable to run "ssh"',
      detail: result.startFailure === "ENOENT" ? "there is no such program in PATH" : result.startFailure,
      hint: "install the client of OpenSSH (package openssh-client or openssh-clients)",
    });
  }
  throw new SshError("configuration", {
    message: `OpenSSH does not accept its configuration for host "${target.host}"`,
    detail: result.timedOut ? "ssh -G did not end within 10 s" : result.stderr.trim(),
    hint: `check "ssh_options" in repmgr.conf and ~/.ssh/config with: ${["ssh", ...args].join(" ")}`,
  });
}

export function userArguments({ user }: SshTarget): readonly string[] {
  return user === null ? [] : ["-l", user];
}

/** Reads the output of `ssh -G`: a keyword in lower case and its value on each line, some keywords several times. */
export function parseSshSettings(
  text: string,
  target: Pick<SshTarget, "host">,
  surroundings: SettingsSurroundings,
): SshSettings {
  const values = collectValues(text);
  const one = (keyword: string): string | null => {
    const value = values.get(keyword)?.[0] ?? "";
    return value === "" || value === "none" ? null : value;
  };
  const is = (keyword: string): boolean => ["yes", "true"].includes(one(keyword) ?? "");
  const names = { hostName: one("hostname") ?? target.host, user: one("user") ?? surroundings.osUser };
  const port = Number(one("port") ?? "22");
  const expand = (path: string): string =>
    expandPath(path, { ...surroundings, ...names, port, host: target.host });
  const agent = readAgent(values.get("identityagent")?.[0], surroundings, expand);
  return {
    ...names,
    port,
    hostKeyAlias: one("hostkeyalias"),
    identityFiles: (values.get("identityfile") ?? []).filter((path) => path !== "none").map(expand),
    identitiesOnly: is("identitiesonly"),
    agent,
    forwardAgent: is("forwardagent"),
    knownHostsFiles: ["userknownhostsfile", "globalknownhostsfile"]
      .flatMap((keyword) => splitWords(one(keyword)))
      .map(expand),
    strictness: readStrictness(one("stricthostkeychecking")),
    connectTimeoutMs: readSeconds(one("connecttimeout")) || null,
    keepaliveIntervalMs: readSeconds(one("serveraliveinterval")),
    keepaliveCountMax: Number(one("serveralivecountmax") ?? "3"),
    addressFamily: readAddressFamily(one("addressfamily")),
    bindAddress: one("bindaddress"),
    algorithms: {
      kex: splitList(one("kexalgorithms")),
      hostKey: splitList(one("hostkeyalgorithms")),
      cipher: splitList(one("ciphers")),
      mac: splitList(one("macs")),
    },
    otherAuthentication: is("gssapiauthentication") || is("hostbasedauthentication"),
    beyondUs: listBeyondUs(values, one),
  };
}

function collectValues(text: string): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [, keyword, value] = /^(\S+) (.*)$/.exec(line) ?? [];
    if (keyword === undefined || value === undefined) continue;
    values.set(keyword.toLowerCase(), [...(values.get(keyword.toLowerCase()) ?? []), value]);
  }
  return values;
}

const splitWords = (text: string | null): readonly string[] => text?.split(/\s+/).filter(Boolean) ?? [];
const splitList = (text: string | null): readonly string[] => text?.split(",").filter(Boolean) ?? [];
const readSeconds = (text: string | null): number => (/^\d+$/.test(text ?? "") ? Number(text) * 1000 : 0);

function readStrictness(value: string | null): HostKeyStrictness {
  if (value === "accept-new") return "accept-new";
  return value === "no" || value === "off" || value === "false" ? "accept-any" : "refuse-unknown";
}

function readAddressFamily(value: string | null): SshSettings["addressFamily"] {
  return value === "inet" || value === "inet6" ? value : "any";
}

/** `none`, `SSH_AUTH_SOCK`, `$VARIABLE` or a path (ssh_config(5), IdentityAgent). */
function readAgent(
  value: string | undefined,
  { variables }: SettingsSurroundings,
  expand: (path: string) => string,
): string | null {
  if (value === "none") return null;
  if (value === undefined || value === "SSH_AUTH_SOCK") return variables["SSH_AUTH_SOCK"] || null;
  if (value.startsWith("$")) return variables[value.replace(/^\$\{?|\}$/g, "")] || null;
  return expand(value);
}

/** Keywords whose being set at all, or set to these values, needs OpenSSH itself. */
const BEYOND_US: readonly (readonly [keyword: string, name: string, values?: readonly string[]])[] = [
  ["proxyjump", "ProxyJump"],
  ["proxycommand", "ProxyCommand"],
  ["certificatefile", "CertificateFile"],
  ["pkcs11provider", "PKCS11Provider"],
  ["knownhostscommand", "KnownHostsCommand"],
  ["bindinterface", "BindInterface"],
  ["setenv", "SetEnv"],
  ["verifyhostkeydns", "VerifyHostKeyDNS", ["yes", "true"]],
  ["nohostauthenticationforlocalhost", "NoHostAuthenticationForLocalhost", ["yes", "true"]],
  ["pubkeyauthentication", "PubkeyAuthentication", ["no", "false"]],
];

function listBeyondUs(
  values: ReadonlyMap<string, readonly string[]>,
  one: (keyword: string) => string | null,
): readonly string[] {
  const set = BEYOND_US.filter(([keyword, , wanted]) => {
    const value = one(keyword);
    return value !== null && (wanted === undefined || wanted.includes(value));
  }).map(([, name]) => name);
  const forward = one("forwardagent");
  if (forward !== null && !["yes", "no", "true", "false"].includes(forward)) set.push("ForwardAgent");
  // The list is printed without quotes, so that a blank in a path cannot be told from the end of the path.
  const files = ["userknownhostsfile", "globalknownhostsfile"].flatMap((keyword) => splitWords(one(keyword)));
  if (files.some((path) => !/^[/~%]/.test(path) && path !== "none")) set.push("UserKnownHostsFile");
  if ((values.get("identityfile") ?? []).some(hasUnknownToken)) set.push("IdentityFile");
  return set;
}

const hasUnknownToken = (path: string): boolean => /%[^%dhnpriu]/.test(path) || path.includes("${");

interface TokenValues extends SettingsSurroundings {
  readonly hostName: string;
  readonly host: string;
  readonly user: string;
  readonly port: number;
}

/** `~` and the tokens of ssh_config(5) that `ssh -G` leaves in paths. */
function expandPath(path: string, values: TokenValues): string {
  const tokens: Readonly<Record<string, string>> = {
    "%": "%",
    d: values.homeDirectory,
    h: values.hostName,
    n: values.host,
    p: String(values.port),
    r: values.user,
    u: values.osUser,
  };
  return path
    .replace(/^~(?=\/|$)/, values.homeDirectory)
    .replace(/%(.)/g, (token, letter: string) => tokens[letter] ?? token);
}
