import { connectivity, type Connectivity } from "../../decide/connectivity.js";
import { ConninfoError, parseConninfo } from "../../model/conninfo.js";
import type { NodeId, NodeRecord } from "../../model/node-record.js";
import { ConnectionError } from "../../postgres/connection-error.js";
import type { CommandContext } from "../define-command.js";

type Context = Pick<
  CommandContext,
  "databases" | "interrupted" | "reporter" | "configFile" | "settings" | "cleanup"
>;

/**
 * Tries to log in at every node at once, each with the time of its own `connect_timeout`. The node whose records these
 * are has just let us in. The sessions end with the command: to end one takes a server about half as long as to begin it.
 */
export function reachNodes(
  context: Context,
  records: readonly NodeRecord[],
): ReadonlyMap<NodeId, Promise<Connectivity>> {
  return new Map(records.map((node) => [node.nodeId, reachNode(context, node)]));
}

async function reachNode(
  { databases, interrupted, reporter, configFile, settings, cleanup }: Context,
  node: NodeRecord,
): Promise<Connectivity> {
  if (configFile !== null && node.conninfo === settings.conninfo) return connectivity.reachable;
  try {
    const database = await databases.connect(parseConninfo(node.conninfo), { signal: interrupted });
    cleanup.pushFarewell(() => void database.close());
    return connectivity.reachable;
  } catch (error) {
    if (!(error instanceof ConnectionError || error instanceof ConninfoError)) throw error;
    if (reporter.isVerbose) reporter.error("connection to database failed", { detail: error.message });
    return connectivity.unreachable;
  }
}
