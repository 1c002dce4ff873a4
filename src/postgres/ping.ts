import { ConnectionError } from "./connection-error.js";
import type { PingAnswer } from "./database.js";

/** Answers as PQping does: a server that asks for a password accepts connections. */
export async function judgePing(connect: () => Promise<null>): Promise<PingAnswer> {
  try {
    await connect();
    return "accepting";
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    const last = error.attempts.at(-1);
    if (error.kind === "invalid-parameter") return "no-attempt";
    if (error.kind === "starting-up") return "rejecting";
    return last?.authenticationSeen === true || error.sqlState !== null ? "accepting" : "no-response";
  }
}
