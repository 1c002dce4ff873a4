import type { ConnectionError } from "../postgres/connection-error.js";

const CANNOT_CONNECT_NOW = "57P03";

/** What PQping makes of an attempt: a server that is starting up or shutting down is not there yet, or any more. */
export function isServerThere({ attempts }: ConnectionError): boolean {
  return attempts.some(
    ({ kind, authenticationSeen, sqlState }) =>
      kind !== "timeout" && (authenticationSeen || (sqlState !== null && sqlState !== CANNOT_CONNECT_NOW)),
  );
}
