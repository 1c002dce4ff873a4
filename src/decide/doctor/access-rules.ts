import type { AccessRule } from "./facts.js";
import { isInNetwork } from "./addresses.js";

/** A session as pg_hba.conf sees it. */
export interface AccessRequest {
  readonly user: string;
  /** `replication` is a walsender session, which the keyword `all` does not cover. */
  readonly database: { readonly kind: "replication" } | { readonly kind: "database"; readonly name: string };
  readonly address: string;
  /** The host name of the client, for rules that name one. */
  readonly hostName: string | null;
  /** Whether the server offers TLS. */
  readonly isTlsOffered: boolean;
}

export type AccessVerdict =
  | { readonly kind: "admitted"; readonly rule: AccessRule }
  | { readonly kind: "refused"; readonly rule: AccessRule | null };

/**
 * The first line that fits decides, as in the server. What cannot be decided from here (roles by membership, patterns,
 * `samenet`) is taken to fit: a refusal that is shown is one.
 */
export function judgeAccess(rules: readonly AccessRule[], request: AccessRequest): AccessVerdict {
  const rule = rules.find((candidate) => candidate.error === null && fits(candidate, request)) ?? null;
  if (rule === null || rule.method === "reject") return { kind: "refused", rule };
  return { kind: "admitted", rule };
}

function fits(rule: AccessRule, request: AccessRequest): boolean {
  return (
    fitsType(rule, request) &&
    rule.databases.some((name) => fitsDatabase(name, request)) &&
    rule.users.some((name) => fitsUser(name, request)) &&
    fitsAddress(rule, request)
  );
}

function fitsType({ type }: AccessRule, { isTlsOffered }: AccessRequest): boolean {
  return type === "host" || type === "hostnossl" || (type === "hostssl" && isTlsOffered);
}

const isPattern = (name: string): boolean => name.startsWith("/");

function fitsDatabase(name: string, { database, user }: AccessRequest): boolean {
  if (database.kind === "replication") return name === "replication";
  if (name === "all" || name === "samerole" || name === "samegroup" || isPattern(name)) return true;
  return name === "sameuser" ? database.name === user : name === database.name;
}

function fitsUser(name: string, { user }: AccessRequest): boolean {
  return name === "all" || name.startsWith("+") || isPattern(name) || name === user;
}

function fitsAddress({ address, netmask }: AccessRule, request: AccessRequest): boolean {
  if (address === null) return false;
  if (["all", "samehost", "samenet"].includes(address)) return true;
  if (isInNetwork(request.address, address, netmask)) return true;
  const host = request.hostName?.toLowerCase() ?? "";
  const wanted = address.toLowerCase();
  return wanted.startsWith(".") ? host.endsWith(wanted) : host === wanted;
}

/** The line that would let the session in. */
export function accessLineFor({ user, database, address }: AccessRequest): string {
  const name = database.kind === "replication" ? "replication" : database.name;
  return `host ${name} ${user} ${address}/${address.includes(":") ? 128 : 32} scram-sha-256`;
}
