import type { ServerRole } from "../decide/register-primary.js";
import { ConninfoError, parseConninfo } from "../model/conninfo.js";
import type { NodeRecord } from "../model/node-record.js";
import { ConnectionError } from "../postgres/connection-error.js";
import { isInRecovery } from "../postgres/server-state.js";
import { openDatabase } from "./connect-local.js";
import type { CommandContext } from "./define-command.js";

/** Asks the server of a node for its role. A placeholder record has no conninfo, which would lead to any local server. */
export async function readServerRole(context: CommandContext, node: NodeRecord): Promise<ServerRole> {
  if (node.conninfo.trim() === "") return "unreachable";
  try {
    const database = await openDatabase(context, parseConninfo(node.conninfo));
    return (await isInRecovery(database)) ? "standby" : "primary";
  } catch (error) {
    if (error instanceof ConnectionError || error instanceof ConninfoError) return "unreachable";
    throw error;
  }
}
