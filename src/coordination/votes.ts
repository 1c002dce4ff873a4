import { renderVoteRequest, type ShownVoteRequest } from "../model/beacon.js";
import { parseConninfo } from "../model/conninfo.js";
import type { NodeId, NodeRecord } from "../model/node-record.js";
import type { Databases } from "../postgres/database.js";
import { createNamedSession, type NamedSession } from "./named-session.js";
import type { PeerAnswer } from "./peer-sessions.js";

/** The requests of one candidate: a session on the server of each voter, whose daemon answers in its beacon. */
export interface VoteRequests {
  /** Shows the request on all servers at once; a server that does not take it is simply not asked. */
  send(voters: readonly NodeRecord[], request: ShownVoteRequest, timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

export function createVoteRequests(
  databases: Databases,
  { idleTimeoutMs }: { readonly idleTimeoutMs: number },
): VoteRequests {
  const sessions = new Map<NodeId, NamedSession>();
  const of = ({ nodeId, conninfo }: NodeRecord): NamedSession => {
    const session =
      sessions.get(nodeId) ?? createNamedSession(databases, parseConninfo(conninfo), { idleTimeoutMs });
    sessions.set(nodeId, session);
    return session;
  };
  return {
    send: async (voters, request, timeoutMs) => {
      const name = renderVoteRequest(request);
      await Promise.all(voters.map((voter) => of(voter).show(name, timeoutMs)));
    },
    close: async () => {
      await Promise.all([...sessions.values()].map((session) => session.close()));
      sessions.clear();
    },
  };
}

/** Who has voted for this candidate in this term, by what their daemons show. */
export function readGrants(
  answers: readonly PeerAnswer[],
  { term, candidate }: Pick<ShownVoteRequest, "term" | "candidate">,
): readonly NodeId[] {
  return answers
    .filter(
      ({ record, answer }) =>
        answer.kind === "answered" &&
        answer.value.vote?.votedTerm === term &&
        answer.value.vote.votedFor === candidate &&
        answer.value.beacon?.nodeId === record.nodeId,
    )
    .map(({ record }) => record.nodeId);
}
