import type { OpenedSocket } from "./open-socket.js";
import { asPgStream } from "./pg-stream.js";
import {
  failedStart,
  noPasswordSupplied,
  readStartupParameters,
  type SessionRequest,
  type SessionStart,
} from "./start-session.js";

const PASSWORD_REQUESTS = [
  "authenticationCleartextPassword",
  "authenticationMD5Password",
  "authenticationSASL",
] as const;

/**
 * Logs in until the server is ready or wants a password, and hangs up: what PQping tells, for a part of what a session
 * costs.
 */
export async function probeServer(
  { socket }: OpenedSocket,
  request: SessionRequest,
): Promise<SessionStart<null>> {
  const { default: PgConnection } = await loadConnection();
  const connection = new PgConnection({ stream: asPgStream(socket), ssl: false });
  return new Promise((resolve) => {
    let authenticationSeen = false;
    const see = (): void => {
      authenticationSeen = true;
    };
    const fail = (error: unknown): void => {
      socket.destroy();
      resolve(failedStart(error, authenticationSeen));
    };
    connection.once("connect", () => connection.startup(readStartupParameters(request)));
    connection.once("authenticationOk", see);
    for (const message of PASSWORD_REQUESTS)
      connection.once(message, () => {
        see();
        fail(noPasswordSupplied());
      });
    connection.once("readyForQuery", () => {
      connection.end();
      resolve({ kind: "started", session: null });
    });
    connection.on("errorMessage", fail);
    connection.on("error", fail);
    connection.once("end", () => fail(new Error("Connection terminated unexpectedly")));
    connection.connect(1, "localhost");
  });
}

let loading: Promise<typeof import("pg/lib/connection.js")> | null = null;
const loadConnection = (): Promise<typeof import("pg/lib/connection.js")> =>
  (loading ??= import("pg/lib/connection.js"));
