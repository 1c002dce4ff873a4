import { ConninfoError, parseConninfo, type Conninfo } from "../model/conninfo.js";
import type { NodeId, NodeRecord } from "../model/node-record.js";
import type { Databases } from "../postgres/database.js";
import { lookAtServer, type ServerLook } from "./look-at-server.js";
import { createStandingSession, type SessionAnswer, type StandingSession } from "./standing-session.js";

/** What a node answered when it was asked for everything that an election needs. */
export interface PeerAnswer {
  readonly record: NodeRecord;
  readonly answer: SessionAnswer<ServerLook>;
}

/**
 * One open session on each node, kept in quiet times too: when all connection slots of a voter are taken, a new one
 * would come too late.
 */
export interface PeerSessions {
  /** Asks all nodes at once; each has `timeoutMs`. The answers come in the order of the nodes. */
  ask(records: readonly NodeRecord[], timeoutMs: number): Promise<readonly PeerAnswer[]>;
  /** The session of one node. */
  of(record: NodeRecord): StandingSession;
  close(): Promise<void>;
}

export function createPeerSessions(databases: Databases): PeerSessions {
  const sessions = new Map<NodeId, { readonly conninfo: string; readonly session: StandingSession }>();
  const of = (record: NodeRecord): StandingSession => {
    const known = sessions.get(record.nodeId);
    if (known?.conninfo === record.conninfo) return known.session;
    void known?.session.close();
    const session = makeSession(databases, record);
    sessions.set(record.nodeId, { conninfo: record.conninfo, session });
    return session;
  };
  return {
    of,
    ask: (records, timeoutMs) =>
      Promise.all(
        records.map(async (record) => ({
          record,
          answer: await of(record).use(timeoutMs, (database) => lookAtServer(database, record.nodeId)),
        })),
      ),
    close: async () => {
      await Promise.all([...sessions.values()].map(({ session }) => session.close()));
      sessions.clear();
    },
  };
}

function makeSession(databases: Databases, { conninfo }: NodeRecord): StandingSession {
  const parsed = parseRecorded(conninfo);
  if (typeof parsed !== "string") return createStandingSession({ databases, conninfo: parsed });
  return {
    use: () => Promise.resolve({ kind: "unreachable", reason: parsed }),
    givesSign: () => Promise.resolve(true),
    lost: () => null,
    close: () => Promise.resolve(),
  };
}

/** The reason when the record has none that can be used: an empty one would lead wherever the environment says. */
function parseRecorded(conninfo: string): Conninfo | string {
  if (conninfo.trim() === "") return "the node record has no conninfo";
  try {
    return parseConninfo(conninfo);
  } catch (error) {
    if (!(error instanceof ConninfoError)) throw error;
    return error.message;
  }
}
