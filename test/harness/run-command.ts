import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { testEnvironment } from "./test-run.js";

const execute = promisify(execFile);

/** Runs a tool of the test itself (initdb, pg_ctl, openssl …) and returns its standard output; throws when it fails. */
export async function runCommand(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout } = await execute(program, [...args], {
    env: { ...testEnvironment(), ...env },
    maxBuffer: 64 << 20,
  });
  return stdout;
}
