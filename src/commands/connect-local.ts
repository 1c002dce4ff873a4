import { exitCodes, type ExitCode } from "../errors/exit-codes.js";
import { UserError } from "../errors/user-error.js";
import type { Conninfo } from "../model/conninfo.js";
import { parseConninfo } from "../model/conninfo.js";
import { ConnectionError } from "../postgres/connection-error.js";
import type { Database } from "../postgres/database.js";
import type { CommandContext } from "./define-command.js";

type Connecting = Pick<CommandContext, "databases" | "cleanup" | "interrupted">;

/** Opens a session that is closed when the command ends. Throws ConnectionError. */
export async function openDatabase(context: Connecting, conninfo: Conninfo): Promise<Database> {
  const { databases, interrupted } = context;
  const database = await databases.connect(conninfo, { signal: interrupted, interrupted });
  context.cleanup.push(() => database.close());
  return database;
}

/** As `openDatabase`, with the refusal as the error that the command ends with. */
export async function openDatabaseOrFail(
  context: Connecting,
  conninfo: Conninfo,
  failure: { readonly exitCode: ExitCode; readonly message: string; readonly hint?: string },
): Promise<Database> {
  try {
    return await openDatabase(context, conninfo);
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    const hint = error.hint ?? failure.hint;
    throw new UserError(
      failure.exitCode,
      { message: failure.message, detail: error.message, ...(hint === undefined ? {} : { hint }) },
      error,
    );
  }
}

/** The session on the server that `conninfo` of repmgr.conf names; without it the command ends with code 6. */
export function connectToLocalNode(
  context: Connecting & Pick<CommandContext, "settings">,
): Promise<Database> {
  return openDatabaseOrFail(context, parseConninfo(context.settings.conninfo), {
    exitCode: exitCodes.databaseConnection,
    message: "connection to database failed",
    hint: 'check that this server is running and that "conninfo" in repmgr.conf is right',
  });
}
