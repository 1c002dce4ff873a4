import { renderKnownCluster, toKnownCluster, writeKnownCluster } from "../coordination/known-cluster.js";
import { lookAtServer } from "../coordination/look-at-server.js";
import { findStateDirectory } from "../coordination/state-directory.js";
import { DatabaseError } from "../errors/database-error.js";
import { listNodes } from "../metadata/nodes.js";
import { nodeId } from "../model/node-record.js";
import type { Database } from "../postgres/database.js";
import { describeFailure, systemCode } from "../system/directories.js";
import type { CommandContext } from "./define-command.js";

/**
 * Keeps what is known of the cluster for `node guard`; the daemon does it all the time, so no failure counts. `primary`
 * has newer records than the own server.
 */
export async function keepKnownCluster(
  { settings, environment, reporter }: CommandContext,
  local: Database,
  primary: Database = local,
): Promise<void> {
  try {
    const directory = await findStateDirectory(settings, environment);
    if (directory.kind === "missing") return;
    const look = await lookAtServer(local);
    const owner = { nodeId: nodeId(settings.node_id), systemIdentifier: look.systemIdentifier };
    const cluster = toKnownCluster(look, await listNodes(primary));
    await writeKnownCluster(directory.path, owner, renderKnownCluster(owner, cluster));
  } catch (error) {
    if (!(error instanceof DatabaseError) && systemCode(error) === null) throw error;
    reporter.debug("what is known of the cluster was not kept", { detail: describeFailure(error) });
  }
}
