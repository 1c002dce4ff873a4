import type { UserError } from "../errors/user-error.js";

/** The JSON document of a command that failed, described in docs/json.md. */
export function describeFailedCommand(commandName: string, error: UserError): object {
  const { message, detail, hint, exitCode } = error;
  return {
    command: commandName,
    exit_code: exitCode,
    error: { message, detail: detail ?? null, hint: hint ?? null },
  };
}

/** DETAIL and HINT of an error, as far as it has them. */
export function continuationOf({ detail, hint }: UserError): { detail?: string; hint?: string } {
  return { ...(detail === undefined ? {} : { detail }), ...(hint === undefined ? {} : { hint }) };
}
