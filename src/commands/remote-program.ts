import type { NodeRecord } from "../model/node-record.js";
import type { Problem } from "../model/problem.js";
import { MissingProgramError } from "../remote/missing-program.js";
import type { ProgramVersion } from "../remote/program-version.js";
import { connectRemoteNode, type RemoteNode } from "../remote/remote-node.js";
import type { CommandContext } from "./define-command.js";

/** A node's host with the program found on it. */
export interface RemoteProgramThere extends RemoteNode {
  readonly version: ProgramVersion;
}

/** What was found on the hosts of this command: each is asked for its version once. */
const found = new WeakMap<
  CommandContext["remoteHosts"],
  Map<number, { readonly programName: string; readonly version: ProgramVersion }>
>();

/**
 * Reaches the host of a node and finds the program there, under our own name or the other one of `tsrepmgr` and
 * `repmgr`. Throws UserError.
 */
export async function reachProgram(
  context: CommandContext,
  node: Pick<NodeRecord, "nodeId" | "nodeName" | "conninfo" | "configFile">,
): Promise<RemoteProgramThere> {
  const { remoteHosts, settings, environment } = context;
  const programs =
    found.get(remoteHosts) ?? new Map<number, { programName: string; version: ProgramVersion }>();
  found.set(remoteHosts, programs);
  const { repmgr_bindir: repmgrBindir, pg_bindir: pgBindir } = settings;
  const reach = async (programName: string): Promise<RemoteProgramThere> => {
    const there = await connectRemoteNode(remoteHosts, node, { programName, repmgrBindir, pgBindir });
    const version = programs.get(node.nodeId)?.version ?? (await there.readVersion());
    programs.set(node.nodeId, { programName, version });
    return { ...there, version };
  };
  const known = programs.get(node.nodeId);
  if (known !== undefined) return reach(known.programName);
  try {
    return await reach(environment.programName);
  } catch (error) {
    if (!(error instanceof MissingProgramError)) throw error;
    try {
      return await reach(environment.programName === "repmgr" ? "tsrepmgr" : "repmgr");
    } catch {
      throw error;
    }
  }
}

/** An error as the problem that it describes. */
export const problemOf = ({ message, detail, hint }: Problem): Problem => ({
  message,
  ...(detail === undefined ? {} : { detail }),
  ...(hint === undefined ? {} : { hint }),
});

/** What a program on another host said last, for a message. */
export function quoteRemoteOutput({
  exitCode,
  stdout,
  stderr,
}: {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}): string {
  const said = (stderr.trim() || stdout.trim()).split("\n").slice(-6).join("\n");
  const ending = exitCode === null ? "it was ended by a signal" : `exit code ${exitCode}`;
  return said === "" ? ending : `${ending}: ${said}`;
}
