import type { OpenSSHAgent, ParsedKey } from "ssh2";
import type { Files } from "../system/files.js";
import type { Ssh2 } from "./load-ssh2.js";
import type { OfferedKeys } from "./ssh-failures.js";
import type { SshSettings } from "./ssh-settings.js";

/** A private key file of the configuration that exists. */
export type Identity =
  | { readonly kind: "usable"; readonly path: string; readonly publicKey: string; readonly text: Buffer }
  /** `publicKey` null: there is no .pub file that tells it. */
  | { readonly kind: "locked"; readonly path: string; readonly publicKey: string | null }
  | { readonly kind: "public-only"; readonly path: string; readonly publicKey: string }
  /** Of a kind that only OpenSSH can use. */
  | { readonly kind: "for-openssh"; readonly path: string; readonly reason: string }
  | { readonly kind: "unreadable"; readonly path: string; readonly reason: string };

const LARGEST_KEY_FILE = 64 * 1024;

/** Reads the key files that exist, in the order of the configuration. */
function readIdentities(
  ssh2: Pick<Ssh2, "utils">,
  files: Files,
  { identityFiles }: Pick<SshSettings, "identityFiles">,
): readonly Identity[] {
  return [...new Set(identityFiles)].flatMap((path) => readIdentity(ssh2, files, path) ?? []);
}

function readIdentity({ utils }: Pick<Ssh2, "utils">, files: Files, path: string): Identity | null {
  if (files.exists(`${path}-cert.pub`)) return { kind: "for-openssh", path, reason: "certificate" };
  const read = files.readFile(path, LARGEST_KEY_FILE);
  if (!read.ok && read.code === "ENOENT") return readPublicHalf({ utils }, files, path);
  if (!read.ok) return { kind: "unreadable", path, reason: read.reason };
  const text = Buffer.from(read.value);
  const parsed = utils.parseKey(text);
  if (parsed instanceof Error) {
    if (/encrypted/i.test(parsed.message)) {
      const half = readPublicHalf({ utils }, files, path);
      return { kind: "locked", path, publicKey: half?.publicKey ?? null };
    }
    return { kind: "for-openssh", path, reason: parsed.message };
  }
  const publicKey = encodePublicKey(parsed);
  return parsed.isPrivateKey()
    ? { kind: "usable", path, publicKey, text }
    : { kind: "public-only", path, publicKey };
}

function readPublicHalf({ utils }: Pick<Ssh2, "utils">, files: Files, path: string) {
  const read = files.readFile(`${path}.pub`, LARGEST_KEY_FILE);
  if (!read.ok) return null;
  const parsed = utils.parseKey(Buffer.from(read.value));
  return parsed instanceof Error
    ? null
    : { kind: "public-only" as const, path, publicKey: encodePublicKey(parsed) };
}

function encodePublicKey(key: ParsedKey): string {
  return key.getPublicSSH().toString("base64");
}

/** The agent's keys that will be offered, and the files after them. */
export interface OfferOrder<Key extends { readonly publicKey: string }> {
  readonly fromAgent: readonly Key[];
  readonly files: readonly (Identity & { readonly kind: "usable" })[];
  readonly locked: readonly string[];
}

/** OpenSSH's order: keys of the agent that the configuration names, its other keys, files that it does not hold. */
export function orderKeys<Key extends { readonly publicKey: string }>(
  agentKeys: readonly Key[],
  identities: readonly Identity[],
  identitiesOnly: boolean,
): OfferOrder<Key> {
  const named = new Set(
    identities.flatMap((identity) => ("publicKey" in identity ? (identity.publicKey ?? []) : [])),
  );
  const held = new Set(agentKeys.map(({ publicKey }) => publicKey));
  const isNamed = ({ publicKey }: Key): boolean => named.has(publicKey);
  return {
    fromAgent: [
      ...agentKeys.filter(isNamed),
      ...(identitiesOnly ? [] : agentKeys.filter((key) => !isNamed(key))),
    ],
    files: identities
      .filter((identity) => identity.kind === "usable")
      .filter(({ publicKey }) => !held.has(publicKey)),
    locked: identities
      .filter((identity) => identity.kind === "locked")
      .filter(({ publicKey }) => publicKey === null || !held.has(publicKey))
      .map(({ path }) => path),
  };
}

export interface AgentKey {
  readonly publicKey: string;
  readonly comment: string;
  readonly key: ParsedKey;
}

/** The keys for a host, and what can be said about them when it lets nobody in. */
export interface Keys extends OfferOrder<AgentKey> {
  readonly agent: OpenSSHAgent | null;
  /** A key of the configuration that only OpenSSH can use. */
  readonly foreign: (Identity & { readonly kind: "for-openssh" }) | null;
  readonly agentKeyCount: number;
  readonly offered: OfferedKeys;
}

/** Reads the key files and asks the agent. */
export async function gatherKeys(
  { OpenSSHAgent, utils }: Ssh2,
  files: Files,
  settings: Pick<SshSettings, "identityFiles" | "identitiesOnly" | "agent">,
): Promise<Keys> {
  const identities = readIdentities({ utils }, files, settings);
  const agent = settings.agent === null ? null : new OpenSSHAgent(settings.agent);
  const agentKeys = agent === null ? [] : await listAgentKeys(agent);
  const order = orderKeys(agentKeys, identities, settings.identitiesOnly);
  const foreign = identities.filter((identity) => identity.kind === "for-openssh");
  return {
    ...order,
    agent,
    foreign: foreign[0] ?? null,
    agentKeyCount: agentKeys.length,
    offered: {
      agent: settings.agent,
      fromAgent: order.fromAgent.map(({ comment }) => comment),
      files: [...order.files, ...foreign].map(({ path }) => path),
      locked: order.locked,
      unusable: identities.filter((identity) => identity.kind === "unreadable"),
      configured: settings.identityFiles,
    },
  };
}

/** The keys that an agent holds and ssh2 understands; none when no agent answers. */
async function listAgentKeys(agent: OpenSSHAgent): Promise<readonly AgentKey[]> {
  return new Promise((fulfil) => {
    agent.getIdentities((error, keys = []) => {
      // ssh2 gives keys that it has parsed, whatever else its types allow.
      const held = error instanceof Error ? [] : (keys as readonly ParsedKey[]);
      fulfil(held.map((key) => ({ key, publicKey: encodePublicKey(key), comment: key.comment })));
    });
  });
}

/** An agent that shows only these keys, in this order. */
export function narrowAgent(agent: OpenSSHAgent, keys: readonly AgentKey[]): OpenSSHAgent {
  const getIdentities: OpenSSHAgent["getIdentities"] = (callback) =>
    callback(
      undefined,
      keys.map(({ key }) => key),
    );
  return Object.create(agent, { getIdentities: { value: getIdentities } }) as OpenSSHAgent;
}
