import { findStateDirectory } from "../coordination/state-directory.js";
import { readState, stateFileOf } from "../coordination/state-file.js";
import { nodeId } from "../model/node-record.js";
import type { StopReason } from "../model/vote.js";
import { readControlFile } from "../postgres/control-file.js";
import type { DaemonContext } from "./daemon-context.js";
import { readGuardNote } from "./guard-note.js";
import { findPostmaster, makeStandbyOfNobody, startServer } from "./local-server.js";

/**
 * Starts the local server as a standby when it is down because it was stopped as a primary, by the dead-man session or
 * by the last daemon of this node: nobody else would, and this daemon learns from the server which node it is of.
 */
export async function startStoppedServer(context: DaemonContext): Promise<void> {
  if ((await findPostmaster(context)) !== null) return;
  const reason = await findStopReason(context);
  if (reason !== "isolated" && !(reason !== null && context.settings().auto_rejoin)) return;
  if (await makeStandbyOfNobody(context)) await startServer(context);
}

/** Null when it was not stopped so, or when the daemons are paused. */
async function findStopReason(context: DaemonContext): Promise<StopReason | null> {
  const { processes, environment } = context;
  const settings = context.settings();
  const { data_directory: dataDirectory, pg_bindir: binDirectory } = settings;
  const reading = await readControlFile(processes, { binDirectory, dataDirectory });
  if (reading.kind !== "read") return null;
  const { systemIdentifier } = reading.control;
  const owner = { systemIdentifier, nodeId: nodeId(settings.node_id) };
  const directory = await findStateDirectory(settings, environment);
  const state =
    directory.kind === "found" ? await readState(stateFileOf(directory.path, owner), owner) : null;
  if (state?.kind === "read" && state.state.isPaused) return null;
  const note = await readGuardNote(dataDirectory, { ownId: owner.nodeId, systemIdentifier });
  if (note !== null) return "isolated";
  return state?.kind === "read" ? (state.state.wasPrimary?.reason ?? null) : null;
}
