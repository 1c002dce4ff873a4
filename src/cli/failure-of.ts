import { ConninfoError } from "../model/conninfo.js";
import { DatabaseError } from "../errors/database-error.js";
import { exitCodes } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";
import { ConnectionError } from "../postgres/connection-error.js";

/**
 * What a user is told about an error that no command expected at its place: a server that refuses a query or a
 * connection is a fact about the server; anything else is a bug of ours, whose stack `-v` shows.
 */
export function failureOf(error: unknown, { isVerbose }: { readonly isVerbose: boolean }): UserError {
  if (error instanceof UserError) return error;
  if (error instanceof DatabaseError) {
    const hint = error.hint ?? hintOn(error.meaning);
    return new UserError(
      exitCodes.databaseQuery,
      { message: "a query failed", detail: error.message, ...(hint === undefined ? {} : { hint }) },
      error,
    );
  }
  if (error instanceof ConnectionError || error instanceof ConninfoError) {
    const hint = error instanceof ConnectionError ? error.hint : undefined;
    return new UserError(
      exitCodes.databaseConnection,
      {
        message: "connection to database failed",
        detail: error.message,
        ...(hint === undefined ? {} : { hint }),
      },
      error,
    );
  }
  const described = error instanceof Error ? error : new Error(String(error));
  return new UserError(
    exitCodes.internal,
    {
      message: `internal error: ${described.message}`,
      ...(isVerbose && described.stack !== undefined ? { detail: described.stack } : {}),
      hint: isVerbose
        ? "please report this, with the command line and the lines above"
        : "please report this; execute with --verbose to see where it happened",
    },
    error,
  );
}

function hintOn(meaning: DatabaseError["meaning"]): string | undefined {
  switch (meaning) {
    case "insufficient-privilege":
      return 'grant the rights that README lists under "Without a superuser" to the user of conninfo';
    case "undefined-object":
      return 'the metadata are missing or incomplete: execute "primary register" on the primary';
    default:
      return undefined;
  }
}
