import { lookAtServer, type ServerLook } from "../../../coordination/look-at-server.js";
import { createNamedSession, type NamedSession } from "../../../coordination/named-session.js";
import { createPeerSessions, type PeerSessions } from "../../../coordination/peer-sessions.js";
import { judgeHandPromotion, type HandPromotionFacts } from "../../../decide/sync-promotion.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { readExclusion } from "../../../metadata/cluster-record.js";
import { listNodes } from "../../../metadata/nodes.js";
import { renderVoteRequest } from "../../../model/beacon.js";
import { parseConninfo } from "../../../model/conninfo.js";
import { parseLsn } from "../../../model/lsn.js";
import type { NodeId, NodeRecord } from "../../../model/node-record.js";
import type { Problem } from "../../../model/problem.js";
import { BLOCKED_NAMES } from "../../../model/sync-state.js";
import type { LogPosition } from "../../../model/vote.js";
import type { Database } from "../../../postgres/database.js";
import { readStandbyNames, setStandbyNames } from "../../../postgres/synchronous-standbys.js";
import type { CommandContext } from "../../define-command.js";
import { isRunByDaemon } from "./daemon-order.js";

const ANSWER_WITHIN_MS = 1000;
/** A voter looks once a second, and takes a moment to detach. */
const VOTES_WITHIN_MS = 6000;
const POLL_MS = 200;
const MESSAGE_IDLE_MS = 60_000;

type Context = Pick<
  CommandContext,
  "settings" | "environment" | "clock" | "databases" | "interrupted" | "cleanup"
>;

/** Whether a person promotes in synchronous mode; the daemon has seen to all of it before it runs the command. */
export function isSynchronousByHand({
  settings,
  environment,
}: Pick<Context, "settings" | "environment">): boolean {
  return settings.sync_mode !== "off" && !isRunByDaemon(environment);
}

/**
 * Lets the other data nodes detach and vote for this one, so that nothing more is acknowledged and all that was can be
 * compared. Resolves to the reason against the promotion, or to null.
 */
export async function collectVotes(
  context: Context,
  local: Database,
  own: NodeRecord,
): Promise<Problem | null> {
  const { databases, clock, interrupted } = context;
  const records = await listNodes(local);
  const members = records.filter(({ nodeId }) => nodeId !== own.nodeId);
  const peers = createPeerSessions(databases);
  context.cleanup.push(() => peers.close());
  const sessions: NamedSession[] = [];
  context.cleanup.push(async () => {
    await Promise.all(sessions.map((session) => session.close()));
  });
  const look = await lookAtServer(local, own.nodeId);
  const answers = await peers.ask(members, ANSWER_WITHIN_MS);
  const term =
    highestTerm([
      look,
      ...answers.flatMap(({ answer }) => (answer.kind === "answered" ? [answer.value] : [])),
    ]) + 1;
  const position = positionOf(look);
  const show = async (isAbandoned: boolean): Promise<void> => {
    const name = renderVoteRequest({
      ...position,
      term,
      candidate: own.nodeId,
      membersVersion: look.membershipVersion,
      counter: 0,
      isAbandoned,
    });
    await Promise.all(sessions.map((session) => session.show(name, ANSWER_WITHIN_MS)));
  };
  for (const { conninfo } of members)
    sessions.push(createNamedSession(databases, parseConninfo(conninfo), { idleTimeoutMs: MESSAGE_IDLE_MS }));
  const dataNodes = records.filter(({ type }) => type !== "witness");
  const deadline = clock.monotonic() + VOTES_WITHIN_MS;
  for (;;) {
    await show(false);
    const heard = await peers.ask(
      members.filter(({ type }) => type !== "witness"),
      ANSWER_WITHIN_MS,
    );
    const others = heard.flatMap(({ record: { nodeId }, answer }) =>
      answer.kind === "answered"
        ? [
            {
              nodeId,
              position: positionOf(answer.value),
              hasGranted: hasVoted(answer.value, term, own.nodeId),
            },
          ]
        : [],
    );
    const witness = records.find(({ type }) => type === "witness");
    const problem = judgeHandPromotion({
      witness: witness === undefined ? null : await askWitness(context, peers, witness),
      own: { nodeId: own.nodeId, position: positionOf(await lookAtServer(local, own.nodeId)) },
      state: look.syncState,
      dataNodes,
      others,
    });
    if (problem === null) return null;
    if (clock.monotonic() > deadline) {
      await show(true);
      return problem;
    }
    await clock.sleep(POLL_MS, interrupted);
  }
}

/** A primary in `quorum` leaves out nobody: the word of its witness is heard, but not waited for. */
async function askWitness(
  { settings }: Pick<Context, "settings">,
  peers: PeerSessions,
  record: NodeRecord,
): Promise<HandPromotionFacts["witness"]> {
  const answer = await peers.of(record).use(ANSWER_WITHIN_MS, readExclusion);
  const isAnswering = answer.kind === "answered";
  if (!isAnswering && settings.sync_mode === "quorum") return null;
  return {
    nodeName: record.nodeName,
    isAnswering,
    excluded: isAnswering ? (answer.value?.node ?? null) : null,
  };
}

const positionOf = ({ termRow, lsn }: ServerLook): LogPosition => ({
  termRow: termRow ?? 0,
  lsn: lsn ?? parseLsn("0/0"),
});

function hasVoted(look: ServerLook, term: number, candidate: NodeId): boolean {
  const isDetached = look.inRecovery && look.isWithoutUpstream === true && look.walReceiverPid === null;
  return isDetached && look.vote?.votedTerm === term && look.vote.votedFor === candidate;
}

function highestTerm(looks: readonly ServerLook[]): number {
  return Math.max(
    0,
    ...looks.flatMap(({ termRow, vote, requests }) => [
      termRow ?? 0,
      vote?.votedTerm ?? 0,
      ...requests.map(({ term }) => term),
    ]),
  );
}

/** The highest term that any node knows of: followers attach to no primary of a lower one than they have voted in. */
export async function readHighestTerm(
  { databases }: Pick<Context, "databases">,
  records: readonly NodeRecord[],
): Promise<number> {
  const peers = createPeerSessions(databases);
  try {
    const answers = await peers.ask(records, ANSWER_WITHIN_MS);
    return highestTerm(answers.flatMap(({ answer }) => (answer.kind === "answered" ? [answer.value] : [])));
  } finally {
    await peers.close();
  }
}

/** Nothing is acknowledged after the promotion before the standbys have its first rows. Throws UserError. */
export async function blockCommits({ clock }: Pick<Context, "clock">, local: Database): Promise<void> {
  if ((await readStandbyNames(local)) === BLOCKED_NAMES) return;
  if (local.isSuperuser) return setStandbyNames(local, clock, BLOCKED_NAMES);
  throw new UserError(exitCodes.promotionFailed, {
    message: "unable to block commits before the promotion",
    detail: `"sync_mode" needs ALTER SYSTEM SET synchronous_standby_names = '${BLOCKED_NAMES}'`,
    hint: 'make the user of "conninfo" a superuser, or start the daemon of this node, which does it',
  });
}
