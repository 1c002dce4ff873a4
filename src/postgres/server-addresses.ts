import { isIP } from "node:net";
import type { Conninfo } from "../model/conninfo.js";
import { systemFiles } from "../system/files.js";
import { AttemptFailure } from "./attempt-failure.js";
import { refuseParameter } from "./connection-error.js";

/** One entry of the host list. */
export interface ServerHost {
  /** As given, empty when only `hostaddr` was. Names the server to certificates and password files. */
  readonly name: string;
  /** `hostaddr`: spares the name look-up. */
  readonly addressGiven: string;
  readonly port: number;
}

export type ServerAddress =
  | { readonly kind: "tcp"; readonly host: ServerHost; readonly ip: string; readonly port: number }
  | { readonly kind: "socket"; readonly host: ServerHost; readonly path: string };

/** The directory that PostgreSQL's packages use, and the one of a PostgreSQL built from source. */
const SOCKET_DIRECTORIES = ["/var/run/postgresql", "/tmp"] as const;
/** Where libpq looks when nothing names a port. */
export const DEFAULT_PORT = "5432";

/** Pairs `host`, `hostaddr` and `port` as libpq does. Throws ConnectionError when their counts do not fit. */
export function listHosts(conninfo: Conninfo): readonly ServerHost[] {
  const names = splitList(conninfo.get("host"));
  const addresses = splitList(conninfo.get("hostaddr"));
  const ports = splitList(conninfo.get("port"));
  const count = Math.max(addresses.length || names.length, 1);
  if (names.length > 0 && names.length !== count) {
    throw refuseParameter(`could not match ${names.length} host names to ${count} hostaddr values`);
  }
  if (ports.length > 1 && ports.length !== count) {
    throw refuseParameter(`could not match ${ports.length} port numbers to ${count} hosts`);
  }
  const hosts = Array.from({ length: count }, (_, index) => ({
    name: names[index] ?? "",
    addressGiven: addresses[index] ?? "",
    port: parsePort((ports.length === 1 ? ports[0] : ports[index]) || DEFAULT_PORT),
  }));
  return isBalanced(conninfo) ? shuffle(hosts) : hosts;
}

/** The addresses of one host, in the order to try them. Throws AttemptFailure when its name cannot be resolved. */
export async function resolveHost(host: ServerHost, conninfo: Conninfo): Promise<readonly ServerAddress[]> {
  const target = host.addressGiven || host.name || defaultSocketDirectory();
  if (isSocketDirectory(target)) {
    return [{ kind: "socket", host, path: `${target}/.s.PGSQL.${host.port}` }];
  }
  const addresses = await resolveName(target);
  const ordered = isBalanced(conninfo) ? shuffle(addresses) : addresses;
  return ordered.map((ip) => ({ kind: "tcp", host, ip, port: host.port }));
}

/** How libpq begins the message of a failed attempt. */
export function describeAddress(address: ServerAddress): string {
  if (address.kind === "socket") return `connection to server on socket "${address.path}" failed: `;
  const shown = address.host.name || address.ip;
  const ip = shown === address.ip ? "" : ` (${address.ip})`;
  return `connection to server at "${shown}"${ip}, port ${address.port} failed: `;
}

/** The host name under which password files know this server. */
export function hostOfPasswordFile(host: ServerHost): string {
  const name = host.name || host.addressGiven;
  return name === "" || name === defaultSocketDirectory() ? "localhost" : name;
}

function isSocketDirectory(host: string): boolean {
  return host.startsWith("/") || host.startsWith("@");
}

function defaultSocketDirectory(): string {
  return SOCKET_DIRECTORIES.find((directory) => systemFiles.exists(directory)) ?? SOCKET_DIRECTORIES[1];
}

async function resolveName(name: string): Promise<readonly string[]> {
  if (isIP(name) !== 0) return [name];
  const { lookup } = await import("node:dns/promises");
  try {
    const found = await lookup(name, { all: true, order: "verbatim" });
    return [...new Set(found.map(({ address }) => address))];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason =
      code === "EAI_AGAIN" ? "Temporary failure in name resolution" : "Name or service not known";
    throw new AttemptFailure("unresolvable", `could not translate host name "${name}" to address: ${reason}`);
  }
}

function splitList(value = ""): readonly string[] {
  return value === "" ? [] : value.split(",");
}

function parsePort(text: string): number {
  if (!/^\s*[+-]?\d+\s*$/.test(text)) {
    throw refuseParameter(`invalid integer value "${text}" for connection option "port"`);
  }
  const port = Number(text);
  if (port < 1 || port > 65535) throw refuseParameter(`invalid port number: "${text}"`);
  return port;
}

function isBalanced(conninfo: Conninfo): boolean {
  return conninfo.get("load_balance_hosts") === "random";
}

function shuffle<T>(items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, rank: Math.random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}
