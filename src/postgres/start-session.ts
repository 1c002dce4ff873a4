import type { Client } from "pg";
import type { Conninfo } from "../model/conninfo.js";
import { AttemptFailure, describeSystemError } from "./attempt-failure.js";
import { type AuthenticationRules, watchAuthentication } from "./authentication-rules.js";
import type { ConnectionErrorKind } from "./connection-error.js";
import { type OpenedSocket, serverHungUp } from "./open-socket.js";
import { loadClient } from "./load-pg.js";
import { asPgStream } from "./pg-stream.js";
import { describeTlsFailure } from "./tls.js";

export interface SessionRequest {
  readonly conninfo: Conninfo;
  readonly replication: boolean;
  readonly console: boolean;
  /** Null when there is none; asked only when the server wants one. */
  readonly password: string | null;
}

export interface StartedSession {
  readonly client: Client;
  /** What the server reported of itself: `server_version`, `is_superuser`, `in_hot_standby` … */
  readonly parameters: ReadonlyMap<string, string>;
}

/** How an attempt over an open socket ended. */
export type SessionStart<Session> =
  | { readonly kind: "started"; readonly session: Session }
  | { readonly kind: "failed"; readonly failure: AttemptFailure; readonly authenticationSeen: boolean };

/** Where repmgr writes `SET synchronous_commit TO 'local'` after connecting, the startup packet saves a round trip. */
const ORDINARY_OPTIONS = "-csearch_path= -csynchronous_commit=local";
const REPLICATION_OPTIONS = "-csearch_path=";

/** Logs in. The socket is destroyed when that fails. */
export async function startSession(
  opened: OpenedSocket,
  request: SessionRequest,
): Promise<SessionStart<StartedSession>> {
  const { default: PgClient } = await loadClient();
  const { conninfo } = request;
  let rules: AuthenticationRules | null = null;
  const client: Client = new PgClient({
    ...readStartupParameters(request),
    host: "localhost",
    port: 1,
    stream: () => asPgStream(opened.socket),
    ssl: false,
    sslnegotiation: "postgres",
    enableChannelBinding: opened.encrypted && conninfo.get("channel_binding") !== "disable",
    scramMaxIterations: 0,
    // A function keeps pg from looking for passwords itself.
    password: () => {
      rules?.check();
      if (request.password === null) throw noPasswordSupplied();
      return request.password;
    },
  } as ConstructorParameters<typeof PgClient>[0]);
  const parameters = new Map<string, string>();
  client.connection.on("parameterStatus", (status: { parameterName: string; parameterValue: string }) => {
    parameters.set(status.parameterName, status.parameterValue);
  });
  rules = watchAuthentication(client.connection, conninfo, opened.encrypted);
  // Without a listener, a session that breaks while idle would end the process.
  client.on("error", () => {});
  try {
    await client.connect();
    rules.check();
    return { kind: "started", session: { client, parameters } };
  } catch (error) {
    opened.socket.destroy();
    return failedStart(error, rules.seen());
  }
}

/** What the first message of a session says. */
export function readStartupParameters({
  conninfo,
  replication,
  console,
}: SessionRequest): Readonly<Record<string, string>> {
  return {
    user: conninfo.get("user") ?? "",
    database: conninfo.get("dbname") ?? "",
    application_name: conninfo.get("application_name") || conninfo.get("fallback_application_name") || "",
    // pgbouncer ends a session that sends a parameter it does not know.
    ...(console ? {} : { options: replication ? REPLICATION_OPTIONS : ORDINARY_OPTIONS }),
    ...(replication ? { replication: "true" } : {}),
  };
}

export const noPasswordSupplied = (): AttemptFailure =>
  new AttemptFailure("no-password", "fe_sendauth: no password supplied");

interface ServerMessage {
  readonly severity: string;
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
}

function isServerMessage(error: unknown): error is ServerMessage {
  return (
    error instanceof Error && "severity" in error && typeof error.severity === "string" && "code" in error
  );
}

export function failedStart(error: unknown, authenticationSeen: boolean): SessionStart<never> {
  const failure = describeStartFailure(error);
  // Its request was not understood, but it was one.
  return {
    kind: "failed",
    failure,
    authenticationSeen: authenticationSeen || failure.kind === "unknown-method",
  };
}

/** The request codes of methods that pg does not know; it has no error of its own for them. */
const UNKNOWN_METHOD = /^Unknown authenticationOk message type (\d+)$/;
const methodNames: Readonly<Record<string, string>> = { 2: "Kerberos 5", 7: "GSSAPI", 9: "SSPI" };

function describeStartFailure(error: unknown): AttemptFailure {
  if (error instanceof AttemptFailure) return error;
  if (isServerMessage(error)) {
    const lines = [
      `${error.severity}:  ${error.message}`,
      ...(error.detail === undefined ? [] : [`DETAIL:  ${error.detail}`]),
      ...(error.hint === undefined ? [] : [`HINT:  ${error.hint}`]),
    ];
    return new AttemptFailure(kindOfSqlState(error.code), lines.join("\n"), error.code);
  }
  const { code = "", message } = error as NodeJS.ErrnoException;
  if (code.startsWith("ERR_SSL_")) return describeTlsFailure(error);
  if (code === "EPIPE" || code === "ECONNRESET") {
    return new AttemptFailure(
      "protocol",
      `could not receive data from server: ${describeSystemError(error)}`,
    );
  }
  const method = UNKNOWN_METHOD.exec(message)?.[1];
  if (method !== undefined) {
    const name = methodNames[method];
    return new AttemptFailure(
      "unknown-method",
      name === undefined
        ? `authentication method ${method} not supported`
        : `${name} authentication not supported`,
    );
  }
  if (message === "Connection terminated unexpectedly") return serverHungUp();
  return new AttemptFailure("protocol", message);
}

const CANNOT_CONNECT_NOW = "57P03";

function kindOfSqlState(sqlState: string): ConnectionErrorKind {
  return sqlState === CANNOT_CONNECT_NOW ? "starting-up" : "rejected";
}
