import { isSecretKeyword } from "../model/conninfo-keywords.js";
import type { Conninfo } from "../model/conninfo.js";

/** A connection string that may stand in a command line, and the variables that complete it. */
export interface ChildConnection {
  readonly conninfo: Conninfo;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Takes the secrets out of the connection string for a program of PostgreSQL: the password goes through the environment,
 * a password file stays named. libpq has no variable for `sslpassword`, so an encrypted client key cannot be passed on.
 */
export function childEnvironment(conninfo: Conninfo): ChildConnection {
  const password = conninfo.get("password") ?? "";
  return {
    conninfo: new Map([...conninfo].filter(([keyword]) => !isSecretKeyword(keyword))),
    env: password === "" ? {} : { PGPASSWORD: password },
  };
}
