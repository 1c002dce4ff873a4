import type { Files } from "../system/files.js";
import type { Processes } from "../system/processes.js";
import type { HostKeyStrictness, SshSettings } from "./ssh-settings.js";

/** A line of a known_hosts file that matches a host. */
export interface KnownHostKey {
  readonly marker: "none" | "revoked" | "cert-authority";
  readonly type: string;
  /** The key itself, as it travels, in base64. */
  readonly base64: string;
  readonly file: string;
  readonly line: number;
}

/** What the known_hosts files say about a host. */
export interface KnownHost {
  /** The name under which the host is looked up: `[host]:port` for another port than 22. */
  readonly name: string;
  readonly keys: readonly KnownHostKey[];
  /** Keys under the bare name: OpenSSH takes them for any port, but a different one proves nothing. */
  readonly keysOfAnyPort: readonly KnownHostKey[];
}

export type HostKeyVerdict =
  | { readonly kind: "known" }
  /** The user's configuration says to go on. `recorded`: OpenSSH would write the key down. */
  | { readonly kind: "accepted"; readonly warning: string | null; readonly recorded: boolean }
  | { readonly kind: "unknown" }
  | { readonly kind: "changed"; readonly known: KnownHostKey }
  | { readonly kind: "revoked"; readonly known: KnownHostKey };

/** Looks the host up with `ssh-keygen -F`, which knows hashed names and patterns. */
export async function findKnownHost(
  { processes, files }: { readonly processes: Processes; readonly files: Files },
  settings: Pick<SshSettings, "hostKeyAlias" | "hostName" | "port" | "knownHostsFiles">,
): Promise<KnownHost> {
  const bareName = (settings.hostKeyAlias ?? settings.hostName).toLowerCase();
  const hasPort = settings.hostKeyAlias === null && settings.port !== 22;
  const name = hasPort ? `[${bareName}]:${settings.port}` : bareName;
  const existing = settings.knownHostsFiles
    .filter((path) => path !== "/dev/null" && files.exists(path))
    .map((path) => ({ path, read: files.readFile(path, LARGEST_PLAIN_FILE) }));
  const lookUp = async (wanted: string): Promise<readonly KnownHostKey[]> => {
    const found = await Promise.all(
      existing.map(async ({ path, read }) => {
        if (read.ok && !mayName(Buffer.from(read.value).toString("latin1"), wanted)) return [];
        const { stdout } = await processes.run("ssh-keygen", ["-F", wanted, "-f", path]);
        return parseKnownHostKeys(stdout, path);
      }),
    );
    return found.flat();
  };
  const [keys, keysOfAnyPort] = await Promise.all([lookUp(name), hasPort ? lookUp(bareName) : []]);
  return { name, keys, keysOfAnyPort };
}

const LARGEST_PLAIN_FILE = 256 * 1024;

/**
 * Whether a known_hosts file can have lines for a name in lower case: one that names other hosts only, and has neither
 * hashed names nor patterns, need not be searched.
 */
export function mayName(text: string, name: string): boolean {
  return text.split("\n").some((row) => {
    const [first = "", second = ""] = row.trim().split(/\s+/);
    if (first.startsWith("#")) return false;
    const hosts = first.startsWith("@") ? second : first;
    return hosts.split(",").some((host) => /[|*?!]/.test(host) || host.toLowerCase() === name);
  });
}

/** Reads what `ssh-keygen -F` prints: a comment with the number of the line, then the line. */
export function parseKnownHostKeys(text: string, file: string): readonly KnownHostKey[] {
  let line = 0;
  const keys: KnownHostKey[] = [];
  for (const row of text.split("\n")) {
    const number = /^# Host .* found: line (\d+)/.exec(row)?.[1];
    if (number !== undefined) line = Number(number);
    if (row.startsWith("#") || row.trim() === "") continue;
    const words = row.trim().split(/\s+/);
    const marker = words[0]?.startsWith("@") === true ? words.shift() : undefined;
    const [, type, base64] = words;
    if (type === undefined || base64 === undefined) continue;
    keys.push({ marker: readMarker(marker), type, base64, file, line });
  }
  return keys;
}

function readMarker(word: string | undefined): KnownHostKey["marker"] {
  if (word === "@revoked") return "revoked";
  return word === "@cert-authority" ? "cert-authority" : "none";
}

/** Judges the key that a host shows as OpenSSH does in batch mode: what nobody has confirmed is refused. */
export function judgeHostKey(
  shown: { readonly type: string; readonly base64: string },
  { keys, keysOfAnyPort }: KnownHost,
  settings: { readonly strictness: HostKeyStrictness; readonly knownHostsFiles: readonly string[] },
): HostKeyVerdict {
  const isShown = ({ base64 }: KnownHostKey): boolean => base64 === shown.base64;
  const revoked = [...keys, ...keysOfAnyPort].find((key) => key.marker === "revoked" && isShown(key));
  if (revoked !== undefined) return { kind: "revoked", known: revoked };
  const plain = keys.filter(({ marker }) => marker === "none");
  if (plain.some(isShown)) return { kind: "known" };
  if (keysOfAnyPort.some((key) => key.marker === "none" && isShown(key))) return { kind: "known" };
  // A key of another type is no contradiction: a host has one of each.
  const other = plain.find(({ type }) => type === shown.type);
  if (other !== undefined) {
    if (settings.strictness !== "accept-any") return { kind: "changed", known: other };
    const place = `${other.file}, line ${other.line}`;
    return {
      kind: "accepted",
      warning: `differs from the one in ${place}; StrictHostKeyChecking=no accepts it`,
      recorded: false,
    };
  }
  if (settings.strictness === "refuse-unknown") return { kind: "unknown" };
  const [first] = settings.knownHostsFiles;
  return { kind: "accepted", warning: null, recorded: first !== undefined && first !== "/dev/null" };
}

/** The order in which to ask for a host key: the types that are known come first, so that they can be compared. */
export function orderHostKeyAlgorithms(
  algorithms: readonly string[],
  known: readonly KnownHostKey[],
): readonly string[] {
  const types = new Set(known.map(({ type }) => type));
  const isKnown = (algorithm: string): boolean => types.has(keyTypeOf(algorithm));
  return [...algorithms.filter(isKnown), ...algorithms.filter((algorithm) => !isKnown(algorithm))];
}

/** RSA keys sign in several ways; the key is of one type. */
const keyTypeOf = (algorithm: string): string =>
  /^rsa-sha2-(256|512)$/.test(algorithm) ? "ssh-rsa" : algorithm;
