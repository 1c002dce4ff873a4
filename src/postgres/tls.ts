import { join } from "node:path";
import { isIP, type Socket } from "node:net";
import type { ConnectionOptions, PeerCertificate, TLSSocket } from "node:tls";
import type { Conninfo } from "../model/conninfo.js";
import { inspectPath } from "../system/directories.js";
import { readOwnedFile } from "../system/owned-file.js";
import { AttemptFailure, describeSystemError } from "./attempt-failure.js";
import { refuseParameter } from "./connection-error.js";

const sslModes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;
export type SslMode = (typeof sslModes)[number];

const tlsVersions = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"] as const;

/** Bundles of trusted roots, where distributions keep them. */
const SYSTEM_ROOTS = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/cert.pem",
];

export function readSslMode(conninfo: Conninfo): SslMode {
  const text = conninfo.get("sslmode") ?? "prefer";
  const mode = sslModes.find((known) => known === text);
  if (mode === undefined) throw refuseParameter(`invalid sslmode value: "${text}"`);
  const verifiesName = mode === "verify-full";
  if (conninfo.get("sslrootcert") === "system" && !verifiesName) {
    throw refuseParameter(
      `weak sslmode "${mode}" may not be used with sslrootcert=system (use "verify-full")`,
    );
  }
  if (conninfo.get("sslnegotiation") === "direct" && ["disable", "allow", "prefer"].includes(mode)) {
    throw refuseParameter(
      `weak sslmode "${mode}" may not be used with sslnegotiation=direct (use "require", "verify-ca", or "verify-full")`,
    );
  }
  return mode;
}

/**
 * Certificates and rules for a TLS session, by libpq's rules and default places below `~/.postgresql`. Throws
 * AttemptFailure when a file that is needed is missing, unreadable or not private enough.
 */
export async function readTlsOptions(conninfo: Conninfo, homeDirectory: string): Promise<ConnectionOptions> {
  const mode = readSslMode(conninfo);
  const folder = join(homeDirectory, ".postgresql");
  const authority = await readRootCertificates(conninfo, mode, folder);
  const revoked = authority === null ? [] : await readRevocationLists(conninfo, folder);
  return {
    // An empty list keeps Node from reading all the roots that it brings, for nothing.
    ca: authority ?? [],
    ...(revoked.length === 0 ? {} : { crl: revoked }),
    ...(await readClientCertificate(conninfo, folder)),
    ...readVersions(conninfo),
    ...(conninfo.get("sslnegotiation") === "direct" ? { ALPNProtocols: ["postgresql"] } : {}),
    rejectUnauthorized: authority !== null || mode.startsWith("verify"),
  };
}

/** Null: the server's certificate is not verified. */
async function readRootCertificates(
  conninfo: Conninfo,
  mode: SslMode,
  folder: string,
): Promise<Buffer | null> {
  const given = conninfo.get("sslrootcert") ?? "";
  if (given === "system") return readSystemRoots();
  const path = given || join(folder, "root.crt");
  const file = await readOwnedFile(path);
  if (file.kind === "file") return file.content;
  if (file.kind !== "absent")
    throw new AttemptFailure("tls", `could not read root certificate file "${path}"`);
  if (!mode.startsWith("verify")) return null;
  throw new AttemptFailure(
    "tls",
    `root certificate file "${path}" does not exist\n` +
      "Either provide the file, use the system's trusted roots with sslrootcert=system, or change sslmode to disable server certificate verification.",
  );
}

async function readSystemRoots(): Promise<Buffer> {
  for (const path of SYSTEM_ROOTS) {
    const file = await readOwnedFile(path);
    if (file.kind === "file") return file.content;
  }
  throw new AttemptFailure(
    "tls",
    `could not load system root certificate paths: none of ${SYSTEM_ROOTS.join(", ")}`,
  );
}

async function readRevocationLists(conninfo: Conninfo, folder: string): Promise<Buffer[]> {
  const directory = conninfo.get("sslcrldir") ?? "";
  const facts = directory === "" ? null : await inspectPath(directory);
  const inDirectory = facts?.kind === "directory" ? facts.entries.map((name) => join(directory, name)) : [];
  const paths = [conninfo.get("sslcrl") || join(folder, "root.crl"), ...inDirectory];
  const files = await Promise.all(paths.map(readOwnedFile));
  return files.flatMap((file) => (file.kind === "file" ? [file.content] : []));
}

async function readClientCertificate(conninfo: Conninfo, folder: string): Promise<ConnectionOptions> {
  if (conninfo.get("sslcertmode") === "disable") return {};
  const certificatePath = conninfo.get("sslcert") || join(folder, "postgresql.crt");
  const certificate = await readOwnedFile(certificatePath);
  if (certificate.kind === "absent") return {};
  if (certificate.kind !== "file") {
    throw new AttemptFailure("tls", `could not open certificate file "${certificatePath}"`);
  }
  const keyPath = conninfo.get("sslkey") || join(folder, "postgresql.key");
  const passphrase = conninfo.get("sslpassword");
  return {
    cert: certificate.content,
    key: await readPrivateKey(keyPath),
    ...(passphrase === undefined ? {} : { passphrase }),
  };
}

async function readPrivateKey(path: string): Promise<Buffer> {
  const key = await readOwnedFile(path);
  if (key.kind === "absent") {
    throw new AttemptFailure("tls", `certificate present, but not private key file "${path}"`);
  }
  if (key.kind === "not-a-file")
    throw new AttemptFailure("tls", `private key file "${path}" is not a regular file`);
  if (key.kind === "unreadable") {
    throw new AttemptFailure("tls", `could not load private key file "${path}": ${key.reason}`);
  }
  const forbidden = key.ownerId === 0 ? 0o037 : 0o077;
  if ((key.mode & forbidden) !== 0) {
    throw new AttemptFailure(
      "tls",
      `private key file "${path}" has group or world access; file must have permissions u=rw (0600) or less if owned by the current user, or permissions u=rw,g=r (0640) or less if owned by root`,
    );
  }
  return key.content;
}

function readVersions(conninfo: Conninfo): ConnectionOptions {
  const read = (keyword: string): (typeof tlsVersions)[number] | undefined => {
    const text = conninfo.get(keyword) ?? "";
    const version = tlsVersions.find((known) => known.toLowerCase() === text.toLowerCase());
    if (version === undefined && text !== "") throw refuseParameter(`invalid "${keyword}" value: "${text}"`);
    return version;
  };
  const maxVersion = read("ssl_max_protocol_version");
  return {
    minVersion: read("ssl_min_protocol_version") ?? "TLSv1.2",
    ...(maxVersion === undefined ? {} : { maxVersion }),
  };
}

const UNEXPECTED_END = "SSL SYSCALL error: EOF detected";

/** Encrypts a connected socket. Throws AttemptFailure with the reason of a refused certificate. */
export async function startTls(
  socket: Socket,
  request: { readonly options: ConnectionOptions; readonly hostName: string; readonly conninfo: Conninfo },
): Promise<TLSSocket> {
  const { options, hostName, conninfo } = request;
  const verifiesName = readSslMode(conninfo) === "verify-full";
  if (verifiesName && hostName === "") {
    throw new AttemptFailure("tls", "host name must be specified for a verified SSL connection");
  }
  const tls = await import("node:tls");
  const checkServerIdentity = (_host: string, certificate: PeerCertificate): Error | undefined => {
    if (!verifiesName || tls.checkServerIdentity(hostName, certificate) === undefined) return undefined;
    return new AttemptFailure("tls", describeWrongName(certificate, hostName));
  };
  if (socket.destroyed) throw new AttemptFailure("tls", UNEXPECTED_END);
  const sendsName = hostName !== "" && isIP(hostName) === 0 && conninfo.get("sslsni") !== "0";
  return new Promise<TLSSocket>((fulfil, reject) => {
    // Throws for a malformed certificate or key, which rejects as well.
    const encrypted = tls.connect({
      ...options,
      socket,
      checkServerIdentity,
      ...(sendsName ? { servername: hostName } : {}),
    });
    encrypted.once("secureConnect", () => {
      encrypted.off("error", reject).on("error", () => {});
      fulfil(encrypted);
    });
    encrypted.once("error", reject);
    encrypted.once("close", () => reject(new AttemptFailure("tls", UNEXPECTED_END)));
  }).catch((error: unknown) => {
    throw describeTlsFailure(error);
  });
}

function describeWrongName(certificate: PeerCertificate, hostName: string): string {
  const alternatives = certificate.subjectaltname
    ?.split(", ")
    .map((name) => name.replace(/^\w+( Address)?:/, ""));
  const [first = "", ...others] = alternatives ?? [String(certificate.subject.CN)];
  const more =
    others.length === 0 ? "" : ` (and ${others.length} other name${others.length === 1 ? "" : "s"})`;
  return `server certificate for "${first}"${more} does not match host name "${hostName}"`;
}

const CERTIFICATE_REFUSED =
  /^(UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|CERT_|CRL_|INVALID_CA|PATH_LENGTH|HOSTNAME_)/;

/** An error of Node's TLS with the reason first, in OpenSSL's words. */
export function describeTlsFailure(error: unknown): AttemptFailure {
  if (error instanceof AttemptFailure) return error;
  const { code = "", message } = error as NodeJS.ErrnoException;
  if (CERTIFICATE_REFUSED.test(code)) {
    return new AttemptFailure("tls", `SSL error: certificate verify failed: ${message}`);
  }
  const openSslReason = (error as { readonly reason?: string }).reason;
  if (openSslReason !== undefined) return new AttemptFailure("tls", `SSL error: ${openSslReason}`);
  if (code === "ECONNRESET")
    return new AttemptFailure("tls", `SSL SYSCALL error: ${describeSystemError(error)}`);
  return new AttemptFailure("tls", `SSL error: ${message}`);
}
