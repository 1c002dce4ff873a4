import type { Socket } from "node:net";
import type { Client } from "pg";
import type { Conninfo } from "../model/conninfo.js";
import { AttemptFailure, describeSystemError } from "./attempt-failure.js";
import { type AuthenticationRules, watchAuthentication } from "./authentication-rules.js";
import type { ConnectionErrorKind } from "./connection-error.js";
import { type OpenedSocket, serverHungUp } from "./open-socket.js";
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
export type SessionStart =
  | { readonly kind: "started"; readonly session: StartedSession }
  | { readonly kind: "failed"; readonly failure: AttemptFailure; readonly authenticationSeen: boolean };

/** Where repmgr writes `SET synchronous_commit TO 'local'` after connecting, the startup packet saves a round trip. */
const ORDINARY_OPTIONS = "-csearch_path= -csynchronous_commit=local";
const REPLICATION_OPTIONS = "-csearch_path=";

/** Logs in. The socket is destroyed when that fails. */
export async function startSession(opened: OpenedSocket, request: SessionRequest): Promise<SessionStart> {
  const { default: PgClient } = await import("pg/lib/client.js");
  const { conninfo } = request;
  let rules: AuthenticationRules | null = null;
  const client: Client = new PgClient({
    ...readStartupParameters(request),
    stream: () => asUnconnected(opened.socket),
    ssl: false,
    sslnegotiation: "postgres",
    enableChannelBinding: opened.encrypted && conninfo.get("channel_binding") !== "disable",
    scramMaxIterations: 0,
    // A function keeps pg from looking for passwords itself.
    password: () => {
      rules?.check();
      if (request.password === null)
        throw new AttemptFailure("no-password", "fe_sendauth: no password supplied");
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
    return { kind: "failed", failure: describeStartFailure(error), authenticationSeen: rules.seen() };
  }
}

function readStartupParameters({ conninfo, replication, console }: SessionRequest): object {
  return {
    user: conninfo.get("user"),
    database: conninfo.get("dbname"),
    application_name: conninfo.get("application_name") || conninfo.get("fallback_application_name"),
    // pgbouncer ends a session that sends a parameter it does not know.
    ...(console ? {} : { options: replication ? REPLICATION_OPTIONS : ORDINARY_OPTIONS }),
    host: "localhost",
    port: 1,
    ...(replication ? { replication: "true" } : {}),
  };
}

/**
 * pg wants to connect its stream itself; ours is connected, encrypted where asked, and only has to say so, or that the
 * server has hung up meanwhile.
 */
function asUnconnected(socket: Socket): Socket {
  return Object.assign(socket, {
    connect: () => {
      queueMicrotask(() => socket.emit(socket.destroyed ? "close" : "connect"));
      return socket;
    },
  });
}

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
  if (message === "Connection terminated unexpectedly") return serverHungUp();
  return new AttemptFailure("protocol", message);
}

const CANNOT_CONNECT_NOW = "57P03";

function kindOfSqlState(sqlState: string): ConnectionErrorKind {
  return sqlState === CANNOT_CONNECT_NOW ? "starting-up" : "rejected";
}
