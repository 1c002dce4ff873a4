import type { PeerSessions, ServerReport } from "../model/member-report.js";
import { compareLogPositions, type LeaseRequest, type VoteRequest } from "../model/vote.js";
import { findBar, findMember, isWitness } from "./election.js";
import { judgeRequest } from "./votes.js";
import type { DaemonState, Situation, Step, VoterState } from "./watch-types.js";

/** The voter's part of a look at the own server, in any state of the grid: hears leases, and gives at most one vote. */
export function answerRequests(
  situation: Situation,
  { server, sessions }: { server: ServerReport; sessions: PeerSessions },
): Step {
  const { daemon, settings, now } = situation;
  const requests = sessions.requests.filter(({ candidate }) => candidate !== daemon.nodeId);
  const voter = releaseVote(daemon, hearLeases(daemon, sessions.leases, now), requests);
  for (const request of [...requests].sort(compareRequests)) {
    const decision = judgeRequest(
      {
        self: daemon.nodeId,
        request,
        memory: daemon.memory,
        voter,
        server,
        membership: daemon.membership,
        primaryTermRow: primaryTermRow(daemon),
        isReconnecting: isReconnecting(daemon),
        isNoCandidate: isNoCandidate(situation),
        now,
      },
      settings,
    );
    if (decision.kind !== "grant" || isMoving(situation)) continue;
    if (mustDetachFirst(situation, server)) return { voter, actions: [{ kind: "detach-receiver" }] };
    return giveVote(situation, voter, request);
  }
  return { voter };
}

function giveVote({ daemon, settings, now }: Situation, voter: VoterState, request: VoteRequest): Step {
  const { term, candidate } = request;
  const lease = { holder: candidate, term, counter: -1, at: now };
  return {
    memory: { ...daemon.memory, vote: { term, candidate } },
    voter: {
      ...voter,
      holdUntil: now + settings.vote_hold,
      leasesHeard: new Map(voter.leasesHeard).set(candidate, lease),
    },
  };
}

/** Furthest log first, so that of two requests seen at once the better one gets the vote. */
function compareRequests(a: VoteRequest, b: VoteRequest): number {
  return compareLogPositions(b, a) || b.term - a.term || a.candidate - b.candidate;
}

function primaryTermRow({ voter, answers }: DaemonState): number | null {
  const answer = answers.find(({ nodeId }) => nodeId === voter.primarySeen?.nodeId);
  return answer?.kind === "answered" ? answer.server.termRow : null;
}

/** A node whose upstream is no primary has not lost the primary with it. */
function isReconnecting({ watch }: DaemonState): boolean {
  if (watch.role === "standby") return watch.state.kind === "reconnecting" && watch.state.upstream.isPrimary;
  return watch.role === "witness" && watch.state.kind === "reconnecting";
}

/** Who is soon done with its replay makes the better candidate, and is waited for in so many rounds. */
const PATIENT_ROUNDS = 3;

function isNoCandidate({ daemon, settings }: Situation): boolean {
  const { watch } = daemon;
  const own = findMember(daemon, daemon.nodeId);
  if (own !== undefined && findBar(own, settings) !== null) return true;
  if (watch.role !== "standby" || watch.state.kind !== "degraded") return false;
  return watch.state.reason === "replay-pending" && watch.state.round >= PATIENT_ROUNDS;
}

/** Whoever is about to attach would stream again after its vote, from a primary of a lower term. */
function isMoving({ daemon: { watch }, settings }: Situation): boolean {
  return settings.sync_mode !== "off" && watch.state.kind === "attaching";
}

/** A voter that still streams could help the old primary to acknowledge what its vote did not account for. */
function mustDetachFirst({ daemon, settings }: Situation, server: ServerReport): boolean {
  return settings.sync_mode !== "off" && !isWitness(daemon) && !server.isDetached;
}

/** A candidate that has given up cannot be promoted any more: its voter is free, for others and to stand itself. */
function releaseVote(
  { memory: { vote } }: DaemonState,
  voter: VoterState,
  requests: readonly VoteRequest[],
): VoterState {
  const isReleased = requests.some(
    ({ candidate, term, isAbandoned }) =>
      isAbandoned && vote !== null && candidate === vote.candidate && term >= vote.term,
  );
  return isReleased ? { ...voter, holdUntil: -Infinity } : voter;
}

/** A lease of a term below the own vote is void: its holder has to ask for votes again before it is echoed. */
function hearLeases(daemon: DaemonState, leases: readonly LeaseRequest[], now: number): VoterState {
  const { voter, memory } = daemon;
  const fresh = leases.filter(
    ({ holder, term, counter }) =>
      findMember(daemon, holder) !== undefined &&
      (memory.vote === null || term >= memory.vote.term) &&
      voter.leasesHeard.get(holder)?.counter !== counter,
  );
  if (fresh.length === 0) return voter;
  const leasesHeard = new Map(voter.leasesHeard);
  for (const lease of fresh) leasesHeard.set(lease.holder, { ...lease, at: now });
  return { ...voter, leasesHeard };
}

/** What the beacon repeats: the newest counter that counts. */
export function echoLease({ voter, memory }: DaemonState): LeaseRequest | null {
  const heard = [...voter.leasesHeard.values()]
    .filter(({ counter, term }) => counter >= 0 && term >= (memory.vote?.term ?? 0))
    .sort((a, b) => b.at - a.at)[0];
  return heard === undefined ? null : { holder: heard.holder, term: heard.term, counter: heard.counter };
}
