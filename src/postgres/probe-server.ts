import { passwordRequests, watchAuthentication } from "./authentication-rules.js";
import { loadConnection } from "./load-pg.js";
import type { OpenedSocket } from "./open-socket.js";
import { asPgStream } from "./pg-stream.js";
import {
  failedStart,
  noPasswordSupplied,
  readStartupParameters,
  type SessionRequest,
  type SessionStart,
} from "./start-session.js";

/**
 * Logs in until the server is ready or wants a password, and hangs up: what PQping tells, for a part of what a session
 * costs. Throws ConnectionError for parameters that make every attempt impossible.
 */
export async function probeServer(
  { socket, encrypted }: OpenedSocket,
  request: SessionRequest,
): Promise<SessionStart<null>> {
  const { default: PgConnection } = await loadConnection();
  const connection = new PgConnection({ stream: asPgStream(socket), ssl: false });
  const rules = watchAuthentication(connection, request.conninfo, encrypted);
  return new Promise((resolve) => {
    const fail = (error: unknown): void => {
      socket.destroy();
      resolve(failedStart(error, rules.seen()));
    };
    connection.once("connect", () => connection.startup(readStartupParameters(request)));
    for (const message of passwordRequests) connection.once(message, () => fail(noPasswordSupplied()));
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
