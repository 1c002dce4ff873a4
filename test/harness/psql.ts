import { execFile } from "node:child_process";
import { join } from "node:path";
import { choosePostgres } from "./postgres-versions.js";
import { testEnvironment } from "./test-run.js";

/** What psql, and so libpq, says to a connection string: null when it connects, otherwise its message. */
export function askPsql(
  conninfo: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string | null> {
  return new Promise((fulfil) => {
    execFile(
      join(choosePostgres().binDirectory, "psql"),
      ["-X", "-w", "-c", "SELECT 1", conninfo],
      { env: { ...testEnvironment(), ...env } },
      (error, _stdout, stderr) =>
        fulfil(error === null ? null : stderr.replace(/^psql: error: /m, "").replace(/\n$/, "")),
    );
  });
}
