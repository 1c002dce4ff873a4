import type { Conninfo } from "../model/conninfo.js";
import type { AttemptFailure } from "./attempt-failure.js";
import type { PasswordLookup } from "./credentials.js";
import { hostOfPasswordFile, type ServerAddress } from "./server-addresses.js";

/** What was tried when the attempt failed. */
export interface FailedRequest {
  readonly conninfo: Conninfo;
  readonly address: ServerAddress;
  readonly lookup: PasswordLookup & { readonly passfile: string | null };
  readonly replication: boolean;
}

/** What the user can do next about a failed attempt. */
export function hintFor(failure: AttemptFailure, request: FailedRequest): string | undefined {
  const { address } = request;
  switch (failure.kind) {
    case "refused":
    case "no-such-socket":
      return address.kind === "socket"
        ? 'start the server, or check "port" and its "unix_socket_directories"'
        : `start the server, or check that it listens on port ${address.port} ("listen_addresses", "port")`;
    case "unreachable":
    case "timeout":
      return "check that the host is up, and that no firewall drops packets to this port";
    case "no-password":
      return hintOnMissingPassword(request);
    case "unknown-method":
      return "this program has no such authentication: give its connections another method, such as scram-sha-256, in pg_hba.conf of that server";
    case "starting-up":
      return "wait until the server accepts connections; its log tells what it is doing";
    case "rejected":
      return hintOnRejection(failure, request);
    case "tls":
      return hintOnTls(failure);
    case "unresolvable":
    case "wrong-session":
    case "protocol":
    case "invalid-parameter":
      return undefined;
  }
}

function hintOnMissingPassword({ conninfo, address, lookup }: FailedRequest): string {
  const passfile = lookup.passfile ?? "";
  if (lookup.warning !== null) return `${lookup.warning}; make it a file of yours: chmod 600 "${passfile}"`;
  const fields = [
    hostOfPasswordFile(address.host),
    address.host.port,
    conninfo.get("dbname"),
    conninfo.get("user"),
  ];
  const escaped = fields.map((field) => String(field).replace(/[\\:]/g, "\\$&"));
  return `add the line "${escaped.join(":")}:PASSWORD" to "${passfile}" (mode 0600)`;
}

const sqlStates = {
  invalidAuthorization: "28000",
  invalidPassword: "28P01",
  unknownDatabase: "3D000",
  tooManyConnections: "53300",
} as const;

function hintOnRejection(failure: AttemptFailure, request: FailedRequest): string | undefined {
  const { conninfo, lookup } = request;
  switch (failure.sqlState) {
    case sqlStates.invalidAuthorization:
      return hintOnAccessFile(failure.message, request);
    case sqlStates.invalidPassword:
      return lookup.passfile === null
        ? "check the password in the connection string or in PGPASSWORD"
        : `check the entry for this server in "${lookup.passfile}"`;
    case sqlStates.unknownDatabase:
      return `create it: createdb --owner=${conninfo.get("user") ?? ""} ${conninfo.get("dbname") ?? ""}`;
    case sqlStates.tooManyConnections:
      return request.replication
        ? 'raise "max_wal_senders" on this server, or end a walsender that nobody needs'
        : 'raise "max_connections" on this server, or end idle sessions';
    default:
      return undefined;
  }
}

/** The line of pg_hba.conf that would let this session in. */
function hintOnAccessFile(
  message: string,
  { conninfo, address, replication }: FailedRequest,
): string | undefined {
  const refused = /pg_hba\.conf.*?host "([^"]+)"/.exec(message);
  if (!message.includes("pg_hba.conf")) return undefined;
  const client = refused?.[1] ?? "";
  const isNetwork = address.kind === "tcp" && /^[0-9a-f.:]+$/i.test(client);
  const line = [
    isNetwork ? "host" : "local",
    replication ? "replication" : (conninfo.get("dbname") ?? ""),
    conninfo.get("user") ?? "",
    ...(isNetwork ? [`${client}/${client.includes(":") ? 128 : 32}`] : []),
    "scram-sha-256",
  ].join(" ");
  const withTls = conninfo.get("sslmode") === "disable" ? 'leave out "sslmode=disable", or ' : "";
  return `${withTls}add the line "${line}" to pg_hba.conf of that server, then run there: SELECT pg_reload_conf()`;
}

function hintOnTls(failure: AttemptFailure): string | undefined {
  if (failure.message.includes("certificate verify failed")) {
    return 'check that "sslrootcert" names the authority that signed the certificate of this server';
  }
  if (failure.message.startsWith("root certificate file")) {
    return 'put the certificate of the authority that signed the certificate of this server there, or name it with "sslrootcert"';
  }
  if (failure.message.includes("does not match host name")) {
    return 'connect by a name that is in the certificate of this server, or use "sslmode=verify-ca"';
  }
  return undefined;
}
