import { createNamedSession, type NamedSession } from "../coordination/named-session.js";
import { lostAnswerLimitMs } from "../decide/check-pace.js";
import { insistsOnAnswers } from "../decide/asking.js";
import { beaconOf, watchedUpstream } from "../decide/transitions.js";
import type { Action, LongCommand } from "../decide/watch-types.js";
import { writePromotion } from "../metadata/cluster-record.js";
import { renderLease, renderVoteRequest } from "../model/beacon.js";
import { parseConninfo } from "../model/conninfo.js";
import { findForkPoint } from "../model/timeline.js";
import { parseLsn } from "../model/lsn.js";
import type { MemberAnswer } from "../model/member-report.js";
import { describeNode, type NodeId, type NodeRecord } from "../model/node-record.js";
import type { LeaseRequest, VoteRequest } from "../model/vote.js";
import { lookAtServer, type ServerLook } from "../coordination/look-at-server.js";
import type { Database } from "../postgres/database.js";
import { recordExclusion } from "./record-exclusion.js";
import { describeFailure } from "../system/directories.js";
import { removeGuardNote } from "./guard-note.js";
import { describeAnnouncement } from "./announcements.js";
import type { Brain } from "./brain.js";
import type { ReceiverPause } from "./receiver-pause.js";
import { publish } from "./heartbeat.js";
import { toMemberAnswer, type Histories } from "../coordination/member-answers.js";
import {
  abortPromotion,
  fence,
  runFollowCommand,
  runPromoteCommand,
  runRejoinCommand,
  runValidationCommand,
  startOwnServer,
} from "./run-commands.js";
import { createPoolerNotice } from "./pooler-notice.js";
import { reportBug } from "./start-loop.js";
import type { SynchronousMode } from "./synchronous-mode.js";
import { ownRecord, queryTimeoutMs, type Runtime } from "./runtime.js";

/** What the design gives a member for its answer. */
const MEMBER_WITHIN_MS = 1000;
/**
 * Nodes lose their primary at the same moment. So long each shows that it is willing before it looks for a better
 * candidate, or all of them would stand and none of them win.
 */
const SHOW_BEFORE_ASKING_MS = 60;
const MESSAGE_IDLE_MS = 60_000;
/** A standby asks at every third. */
const MESSAGE_IDLE_INTERVALS = 10;
/** What an answer may be old when a candidate is chosen by it: others have lost their primary meanwhile. */
const OLD_ANSWER_MS = 50;

/** Turns decisions into deeds. */
export interface Hands {
  /** `now`: when it was decided, by the monotonic clock. */
  carryOut(action: Action, now: number): Promise<boolean>;
  /** A promote_command is at work: `standby.signal` tells the watcher of its deadline whether it has succeeded. */
  readonly isPromoting: boolean;
  /** Others could neither hear nor follow it. */
  isThroughPooler(id: NodeId): boolean;
  /** Waits for the command under way: one that was cut off could leave the server down. */
  close(): Promise<void>;
}

export function createHands(
  runtime: Runtime,
  {
    histories,
    brain,
    receiver,
    synchronous,
  }: { histories: Histories; brain: () => Brain; receiver: ReceiverPause; synchronous: SynchronousMode },
): Hands {
  const messages = new Map<string, NamedSession>();
  const poolers = createPoolerNotice(runtime.context);
  const underWay = new Set<Promise<void>>();
  let promotion = new AbortController();
  let isPromoting = false;
  const { context, guard } = runtime;
  const { reporter, clock } = context;

  const begin = (command: LongCommand, work: () => Promise<boolean>): true => {
    const run = async (): Promise<void> => {
      let succeeded = false;
      try {
        succeeded = await work();
      } catch (error) {
        reporter.error(`unable to carry out "${command}"`, { detail: describeFailure(error) });
      }
      await brain().submit({ kind: "command-ended", command, succeeded });
    };
    const running = run()
      .catch((error: unknown) => reportBug(reporter, error))
      .finally(() => underWay.delete(running));
    underWay.add(running);
    return true;
  };
  const withRecord = (id: NodeId, work: (record: NodeRecord) => Promise<boolean>): Promise<boolean> => {
    const record = runtime.records.find(({ nodeId }) => nodeId === id);
    return record === undefined ? Promise.resolve(false) : work(record);
  };
  const leave = async (
    record: NodeRecord,
    {
      what,
      name,
      withinMs,
      isAwaited,
    }: { what: "request" | "lease"; name: string | null; withinMs: number; isAwaited: boolean },
  ): Promise<void> => {
    const key = `${what} ${record.nodeId} ${record.conninfo}`;
    const known = messages.get(key);
    if (poolers.isThroughPooler(record.nodeId)) return;
    // The counter of before is old, and harmless; a new session could find no room on a voter.
    if (name === null && what === "lease" && brain().state().watch.role === "primary") return;
    if (name === null && (what === "lease" || !mayAskForVotes(runtime))) {
      messages.delete(key);
      void known?.close();
      return;
    }
    const session =
      known ??
      createNamedSession(context.databases, parseConninfo(record.conninfo), {
        idleTimeoutMs: Math.max(
          MESSAGE_IDLE_MS,
          MESSAGE_IDLE_INTERVALS * context.settings().monitor_interval_secs,
        ),
      });
    messages.set(key, session);
    const shown = name === null ? session.rest(withinMs) : session.show(name, withinMs);
    if (isAwaited) await shown;
    else shown.catch((error: unknown) => reportBug(reporter, error));
  };
  const ask = async (request: VoteRequest | null, lease: LeaseRequest | null): Promise<void> => {
    const isElecting = brain().state().watch.state.kind === "electing";
    const lost = isElecting ? watchedUpstream(brain().state()) : null;
    if (isElecting) {
      if (receiver.isStopping) return;
      await receiver.stop();
      await publish(runtime, beaconOf(brain().state(), clock.monotonic()));
      await clock.sleep(SHOW_BEFORE_ASKING_MS);
    }
    const lostWithinMs = lostAnswerLimitMs(runtime.shown.usualCheckMs, MEMBER_WITHIN_MS);
    const askedAt = clock.monotonic();
    const others = runtime.records.filter(({ nodeId }) => nodeId !== runtime.ownId);
    const insists = insistsOnAnswers(brain().state(), context.settings());
    const askOne = async (record: NodeRecord): Promise<MemberAnswer> => {
      const session = runtime.peers.of(record);
      const withinMs = record.nodeId === lost ? lostWithinMs : MEMBER_WITHIN_MS;
      const isNew = session.lost()?.aborted !== false;
      const look = (database: Database): Promise<ServerLook> => {
        if (isNew) reporter.debug(`a session on node ${describeNode(record)} is open`);
        return lookAtServer(database, record.nodeId);
      };
      const [answer] = await Promise.all([
        session.use(withinMs, look, { insists }),
        leave(record, {
          what: "request",
          name: request === null ? null : nameOfRequest(request),
          withinMs,
          // The answer may be that of a successor, behind a link that has just healed: it waits for no word of long ago.
          isAwaited: request !== null && !request.isAbandoned,
        }),
        leave(record, {
          what: "lease",
          name: lease === null ? null : renderLease(lease),
          withinMs,
          isAwaited: lease !== null,
        }),
      ]);
      poolers.take(record, answer);
      const heard = await toMemberAnswer({ record, answer }, histories);
      if (isNew && heard.kind === "answered") reporter.debug(`node ${describeNode(record)} has answered`);
      await brain().submit({ kind: "member-answered", answer: heard, askedAt });
      return heard;
    };
    const first = await Promise.all(others.map(askOne));
    const isOld = isElecting && clock.monotonic() - askedAt > OLD_ANSWER_MS;
    const again = (answer: MemberAnswer, record: NodeRecord | undefined): Promise<MemberAnswer> =>
      isOld && answer.kind === "answered" && record !== undefined ? askOne(record) : Promise.resolve(answer);
    const answers = await Promise.all(first.map((answer, index) => again(answer, others[index])));
    await brain().submit({ kind: "members-answered", answers, askedAt });
  };

  const carryOut = async (action: Action, now: number): Promise<boolean> => {
    switch (action.kind) {
      case "write-memory": {
        const { vote, wasPrimary, promotingTerm, exclusion, isPaused } = action.memory;
        const known = runtime.memory.state();
        try {
          await runtime.memory.change({
            votedTerm: vote?.term ?? 0,
            votedFor: vote?.candidate ?? null,
            ...(vote?.term === known.votedTerm ? {} : { votedAt: clock.now() }),
            wasPrimary,
            promotingTerm,
            exclusion,
            isPaused,
            ...(isPaused === known.isPaused ? {} : { pauseChangedAt: clock.now() }),
          });
          if (wasPrimary !== null) await removeGuardNote(context.settings().data_directory);
          return true;
        } catch (error) {
          reporter.error("the state file cannot be written, so nothing is promised", {
            detail: describeFailure(error),
            hint: 'make "state_directory" writable for the user of this daemon',
          });
          return false;
        }
      }
      case "ask-members":
        ask(action.request, action.lease).catch((error: unknown) => reportBug(reporter, error));
        return true;
      case "run-validation": {
        const seen = brain()
          .state()
          .answers.filter(({ kind }) => kind === "answered").length;
        return begin("validate", () => runValidationCommand(runtime, seen + 1));
      }
      case "run-promote": {
        const { term, deadline } = action;
        promotion = new AbortController();
        const { signal } = promotion;
        isPromoting = true;
        return begin("promote", async () => {
          try {
            return (
              (await synchronous.block()) && (await runPromoteCommand(runtime, { term, deadline, signal }))
            );
          } finally {
            isPromoting = false;
          }
        });
      }
      case "abort-promotion":
        promotion.abort();
        return begin("abort-promotion", () => abortPromotion(runtime));
      case "write-promotion":
        return (await synchronous.block()) && recordOwnPromotion(runtime, histories, action.term);
      case "run-follow":
        await receiver.restoreAfter(brain().state());
        return begin("follow", () => withRecord(action.primary, (to) => runFollowCommand(runtime, to)));
      case "run-rejoin":
        return begin("rejoin", () => withRecord(action.primary, (to) => runRejoinCommand(runtime, to)));
      case "fence":
        return begin("fence", () => fence(runtime, action.reason));
      case "start-server":
        return begin("start", () => startOwnServer(runtime, action.asStandby));
      case "start-guard":
        return guard.start(now + action.goodForMs);
      case "kick-guard":
        return guard.kick(now + action.goodForMs);
      case "release-guard":
        await guard.release();
        return true;
      case "detach-receiver":
        synchronous.beginDetaching();
        return true;
      case "record-exclusion":
        await recordExclusion(runtime, action.exclusion);
        return true;
      case "announce":
        runtime.events.raise(describeAnnouncement(runtime, action));
        return true;
    }
  };
  return {
    carryOut,
    get isPromoting() {
      return isPromoting;
    },
    isThroughPooler: (id) => poolers.isThroughPooler(id),
    close: async () => {
      await Promise.all(underWay);
      await Promise.all([...messages.values()].map((session) => session.close()));
    },
  };
}

/** Then its sessions for requests are kept in quiet times too: an election may find no room on a voter. */
function mayAskForVotes(runtime: Runtime): boolean {
  return ownRecord(runtime)?.type !== "witness" && runtime.context.settings().failover === "automatic";
}

const nameOfRequest = ({ membershipVersion, ...request }: VoteRequest): string =>
  renderVoteRequest({ ...request, membersVersion: membershipVersion, counter: 0 });

async function recordOwnPromotion(runtime: Runtime, histories: Histories, term: number): Promise<boolean> {
  const { own, ownId, context } = runtime;
  const written = await own.use(queryTimeoutMs(runtime), async (database) => {
    const { timeline } = await lookAtServer(database, ownId);
    const history = await histories.of(null, timeline ?? 0);
    const forkLsn = findForkPoint(history, history.at(-1)?.timeline ?? 0) ?? parseLsn("0/0");
    await writePromotion(database, { term, node: ownId, timeline: timeline ?? 0, forkLsn });
    await runtime.events.storeOn(database);
  });
  if (written.kind === "answered") {
    // Commits are acknowledged when the next look has found the term in the log.
    runtime.wake();
    return true;
  }
  context.reporter.error("unable to record the promotion in the metadata", { detail: written.reason });
  return false;
}
