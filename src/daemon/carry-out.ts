import { createNamedSession, type NamedSession } from "../coordination/named-session.js";
import { beaconOf } from "../decide/transitions.js";
import type { Action, LongCommand } from "../decide/watch-types.js";
import { writePromotion } from "../metadata/cluster-record.js";
import { renderLease, renderVoteRequest } from "../model/beacon.js";
import { parseConninfo } from "../model/conninfo.js";
import { findForkPoint } from "../model/timeline.js";
import { parseLsn } from "../model/lsn.js";
import type { MemberAnswer } from "../model/member-report.js";
import type { NodeId, NodeRecord } from "../model/node-record.js";
import type { LeaseRequest, VoteRequest } from "../model/vote.js";
import { lookAtServer } from "../coordination/look-at-server.js";
import { describeFailure } from "../system/directories.js";
import { describeAnnouncement } from "./announcements.js";
import type { Brain } from "./brain.js";
import type { ReceiverPause } from "./receiver-pause.js";
import { publish } from "./heartbeat.js";
import { toMemberAnswer, type Histories } from "./observe.js";
import {
  abortPromotion,
  fence,
  runFollowCommand,
  runPromoteCommand,
  runRejoinCommand,
  runValidationCommand,
  startOwnServer,
} from "./run-commands.js";
import { reportBug } from "./start-loop.js";
import { queryTimeoutMs, type Runtime } from "./runtime.js";

/** What the design gives a member for its answer. */
const MEMBER_WITHIN_MS = 1000;
/**
 * Nodes lose their primary at the same moment. So long each shows that it is willing before it looks for a better
 * candidate, or all of them would stand and none of them win.
 */
const SHOW_BEFORE_ASKING_MS = 60;
const MESSAGE_IDLE_MS = 60_000;

/** Turns decisions into deeds. */
export interface Hands {
  carryOut(action: Action): Promise<boolean>;
  /** Waits for the command under way: one that was cut off could leave the server down. */
  close(): Promise<void>;
}

export function createHands(
  runtime: Runtime,
  { histories, brain, receiver }: { histories: Histories; brain: () => Brain; receiver: ReceiverPause },
): Hands {
  const messages = new Map<string, NamedSession>();
  const underWay = new Set<Promise<void>>();
  const { context } = runtime;
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
  const leave = async (record: NodeRecord, what: "request" | "lease", name: string | null): Promise<void> => {
    const key = `${what} ${record.nodeId} ${record.conninfo}`;
    const known = messages.get(key);
    if (name === null) {
      messages.delete(key);
      void known?.close();
      return;
    }
    const session =
      known ??
      createNamedSession(context.databases, parseConninfo(record.conninfo), {
        idleTimeoutMs: MESSAGE_IDLE_MS,
      });
    messages.set(key, session);
    await session.show(name, MEMBER_WITHIN_MS);
  };
  const ask = async (request: VoteRequest | null, lease: LeaseRequest | null): Promise<void> => {
    if (brain().state().watch.state.kind === "electing") {
      if (receiver.isStopping) return;
      await receiver.stop();
      await publish(runtime, beaconOf(brain().state(), clock.monotonic()));
      await clock.sleep(SHOW_BEFORE_ASKING_MS);
    }
    const askedAt = clock.monotonic();
    const others = runtime.records.filter(({ nodeId }) => nodeId !== runtime.ownId);
    const askOne = async (record: NodeRecord): Promise<MemberAnswer> => {
      const session = runtime.peers.of(record);
      const [answer] = await Promise.all([
        session.use(MEMBER_WITHIN_MS, (database) => lookAtServer(database, record.nodeId)),
        leave(record, "request", request === null ? null : nameOfRequest(request)),
        leave(record, "lease", lease === null ? null : renderLease(lease)),
      ]);
      const heard = await toMemberAnswer({ record, answer }, histories);
      await brain().submit({ kind: "member-answered", answer: heard, askedAt });
      return heard;
    };
    const answers = await Promise.all(others.map(askOne));
    await brain().submit({ kind: "members-answered", answers, askedAt });
  };

  const carryOut = async (action: Action): Promise<boolean> => {
    switch (action.kind) {
      case "write-memory": {
        const { vote, wasPrimary, promotingTerm, isPaused } = action.memory;
        const known = runtime.memory.state();
        try {
          await runtime.memory.change({
            votedTerm: vote?.term ?? 0,
            votedFor: vote?.candidate ?? null,
            wasPrimary,
            promotingTerm,
            isPaused,
            ...(isPaused === known.isPaused ? {} : { pauseChangedAt: clock.now() }),
          });
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
        return begin("promote", () =>
          runPromoteCommand(runtime, { term, remainingMs: deadline - clock.monotonic() }),
        );
      }
      case "abort-promotion":
        return begin("abort-promotion", () => abortPromotion(runtime));
      case "write-promotion":
        return recordOwnPromotion(runtime, histories, action.term);
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
      case "kick-guard":
      case "detach-receiver":
        // Of the lease's dead-man session and of synchronous mode, which are not there yet.
        return true;
      case "announce":
        runtime.events.raise(describeAnnouncement(runtime, action));
        return true;
    }
  };
  return {
    carryOut,
    close: async () => {
      await Promise.all(underWay);
      await Promise.all([...messages.values()].map((session) => session.close()));
    },
  };
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
  if (written.kind === "answered") return true;
  context.reporter.error("unable to record the promotion in the metadata", { detail: written.reason });
  return false;
}
