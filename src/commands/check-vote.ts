import { lookAtServer } from "../coordination/look-at-server.js";
import { locateStateDirectory } from "../coordination/state-directory.js";
import { readState, stateFileOf } from "../coordination/state-file.js";
import type { AttachPurpose } from "../decide/attach.js";
import { judgeVote } from "../decide/attach-vote.js";
import { DatabaseError } from "../errors/database-error.js";
import type { NodeRecord } from "../model/node-record.js";
import type { Problem } from "../model/problem.js";
import type { Database } from "../postgres/database.js";
import type { CommandContext } from "./define-command.js";

/** The daemon sets it for its follow_command and rejoin_command. */
const BY_DAEMON = "TSREPMGR_BY_DAEMON";

interface Attaching {
  readonly own: NodeRecord;
  readonly systemIdentifier: string;
  readonly primaryDatabase: Database;
}

/** Why the vote of this node forbids it to attach to that primary's cluster; null when it does not. */
export async function checkVote(
  { settings, environment, clock }: CommandContext,
  { own, systemIdentifier, primaryDatabase }: Attaching,
  purpose: AttachPurpose,
): Promise<Problem | null> {
  // The daemon has judged it, and knows better how old its vote is.
  if (environment.variables[BY_DAEMON] !== undefined) return null;
  const directory = await locateStateDirectory(settings, environment);
  if (directory.kind === "missing") return null;
  const owner = { nodeId: own.nodeId, systemIdentifier };
  const reading = await readState(stateFileOf(directory.path, owner), owner);
  if (reading.kind !== "read") return null;
  const { votedTerm, votedAt } = reading.state;
  return judgeVote(
    {
      votedTerm,
      votedAgoMs: votedAt === 0 ? null : clock.now() - votedAt,
      termRow: await readTermRow(primaryDatabase),
    },
    { isSynchronous: settings.sync_mode !== "off", holdMs: settings.vote_hold },
    purpose,
  );
}

async function readTermRow(database: Database): Promise<number | null> {
  try {
    return (await lookAtServer(database)).termRow;
  } catch (error) {
    if (error instanceof DatabaseError) return null;
    throw error;
  }
}
