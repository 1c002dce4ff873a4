import { describe, expect, it } from "vitest";
import { decide } from "../../../src/decide/transitions.js";
import type { FailoverSettings } from "../../../src/decide/failover-settings.js";
import type { DaemonState, VoterState } from "../../../src/decide/watch-types.js";
import type { Lsn } from "../../../src/model/lsn.js";
import type { MemberAnswer } from "../../../src/model/member-report.js";
import { nodeId } from "../../../src/model/node-record.js";
import type { DaemonMemory } from "../../../src/model/vote.js";
import { quickSettings } from "../../scenario/failover/scenario.js";
import { situations } from "./grid-samples.js";

const [one, two, three] = [nodeId(1), nodeId(2), nodeId(3)];
const OWN_LSN = 1000n;
const upstream = { nodeId: one, isPrimary: true };

/** What another node says that lost the same primary: whom it has voted for in term 5, and whether it asks for votes. */
interface Other {
  readonly id: typeof one;
  readonly lsn: bigint;
  readonly votedFor: typeof one | null;
  readonly heldForMs: number;
}

function answerOf({ id, lsn, votedFor, heldForMs }: Other): MemberAnswer {
  const [situation] = situations("standby", { kind: "degraded" });
  const server = situation?.daemon.local;
  if (server === undefined || server === null) throw new Error("there is no server");
  return {
    kind: "answered",
    nodeId: id,
    server: { ...server, lsn: lsn as Lsn },
    beacon: {
      nodeId: id,
      upstreamNodeId: one,
      primarySeenAgoMs: null,
      isPaused: false,
      activity: "willing",
      vote: votedFor === null ? null : { term: 5, candidate: votedFor },
      leaseEcho: null,
      heldForMs,
    },
  };
}

/** Node 2, which hears the others once more. */
function hear(
  state: Readonly<Record<string, unknown>>,
  others: readonly MemberAnswer[],
  syncMode: "off" | "quorum" = "off",
) {
  const [situation] = situations("standby", { kind: "degraded", ...state });
  if (situation === undefined) throw new Error("there is no situation");
  const daemon: DaemonState = {
    ...situation.daemon,
    memory: { ...situation.daemon.memory, vote: { term: 5, candidate: two } },
    highestTerm: 5,
  };
  const settings = { ...quickSettings, sync_mode: syncMode };
  const answers = [{ kind: "unreachable" as const, nodeId: one }, ...others];
  const { now } = situation;
  return decide(daemon, { kind: "members-answered", answers, askedAt: now - 10 }, { settings, now });
}

const campaign = { term: 5, startedAt: 99_900, timeline: 1, isValidated: false };

describe("a candidate that hears another one", () => {
  const asking = (id: typeof one, lsn: bigint): Other => ({ id, lsn, votedFor: id, heldForMs: 6000 });
  it.each([
    { title: "has more of the log", other: asking(three, OWN_LSN + 1n), round: 0, becomes: "degraded" },
    { title: "goes before it by its id", other: asking(one, OWN_LSN), round: 0, becomes: "degraded" },
    { title: "has failed to win before", other: asking(one, OWN_LSN), round: 1, becomes: "term 5" },
    { title: "has failed twice", other: asking(one, OWN_LSN), round: 2, becomes: "degraded" },
    {
      title: "has failed, with more of the log",
      other: asking(three, OWN_LSN + 1n),
      round: 1,
      becomes: "degraded",
    },
    {
      title: "has failed three times, with more of the log",
      other: asking(three, OWN_LSN + 1n),
      round: 3,
      becomes: "term 5",
    },
    { title: "has less of the log", other: asking(one, OWN_LSN - 1n), round: 0, becomes: "term 6" },
    { title: "comes after it by its id", other: asking(three, OWN_LSN), round: 0, becomes: "term 6" },
    {
      title: "has given up",
      other: { ...asking(one, OWN_LSN), heldForMs: 0 },
      round: 0,
      becomes: "term 6",
    },
    {
      title: "has voted for nobody",
      other: { id: one, lsn: OWN_LSN, votedFor: null, heldForMs: 0 },
      round: 0,
      becomes: "term 5",
    },
  ])("which $title: $becomes", ({ other, round, becomes }) => {
    const { state } = hear({ kind: "campaigning", upstream, round, campaign }, [answerOf(other)]);
    const { state: watch } = state.watch;
    expect(watch.kind === "campaigning" ? `term ${watch.campaign.term}` : watch.kind).toBe(becomes);
  });
});

describe("a candidate that hears of votes for a better one", () => {
  const better: Other = { id: one, lsn: OWN_LSN, votedFor: one, heldForMs: 6000 };
  const voter: Other = { id: three, lsn: OWN_LSN, votedFor: one, heldForMs: 6000 };
  it.each([
    { title: "which has failed before", others: [better, voter], round: 1, becomes: "degraded" },
    { title: "which has failed three times", others: [better, voter], round: 3, becomes: "term 5" },
    {
      title: "which had not begun when it answered",
      others: [{ ...better, votedFor: null, heldForMs: 0 }, voter],
      round: 0,
      becomes: "degraded",
    },
    {
      title: "which are free again",
      others: [
        { ...better, heldForMs: 0 },
        { ...voter, heldForMs: 0 },
      ],
      round: 1,
      becomes: "term 6",
    },
  ])("$title: $becomes", ({ others, round, becomes }) => {
    const { state } = hear({ kind: "campaigning", upstream, round, campaign }, others.map(answerOf));
    const { state: watch } = state.watch;
    expect(watch.kind === "campaigning" ? `term ${watch.campaign.term}` : watch.kind).toBe(becomes);
  });
});

describe("a node that has lost its primary", () => {
  it.each<{
    title: string;
    voter?: Partial<VoterState>;
    exclusion?: DaemonMemory["exclusion"];
    round: number;
  }>([
    { title: "its vote is held for another", voter: { holdUntil: Infinity }, round: 2 },
    {
      title: "the primary was seen just now",
      voter: { primarySeen: { nodeId: one, at: 100_000 } },
      round: 2,
    },
    {
      title: "a lease may be running",
      voter: { leasesHeard: new Map([[one, { holder: one, term: 4, counter: 1, at: 99_000 }]]) },
      round: 2,
    },
    {
      title: "it was left out of the set",
      exclusion: { epoch: 1, node: two, holder: one, term: 4 },
      round: 3,
    },
  ])("counts an attempt that failed, not one that comes too early: $title", ({ voter, exclusion, round }) => {
    const electing = { kind: "electing", upstream, round: 2, standsAsideUntil: 1 } as const;
    const [situation] = situations("standby", electing);
    if (situation === undefined) throw new Error("there is no situation");
    const { daemon: sample, now } = situation;
    const daemon: DaemonState = {
      ...sample,
      memory: { ...sample.memory, vote: { term: 5, candidate: three }, exclusion: exclusion ?? null },
      voter: { ...sample.voter, ...voter },
      highestTerm: 5,
      lastTurnAt: now - 100,
    };
    const answers: readonly MemberAnswer[] = [
      { kind: "unreachable", nodeId: one },
      answerOf({ id: three, lsn: OWN_LSN, votedFor: null, heldForMs: 0 }),
    ];
    const settings: FailoverSettings = {
      ...quickSettings,
      ...(exclusion === undefined ? { primary_isolation_timeout: 5000 } : { sync_mode: "preferred" }),
    };
    const heard = { kind: "members-answered", answers, askedAt: now - 10 } as const;
    const { state } = decide(daemon, heard, { settings, now });
    expect(state.watch.state).toMatchObject({ kind: "degraded", reason: "votes-refused", round });
  });

  const electing = { kind: "electing", upstream, round: 0, standsAsideUntil: null };
  const later = { id: three, lsn: OWN_LSN, votedFor: three, heldForMs: 6000 };
  it.each([
    { title: "one that asks for votes already", other: later, standsAside: true },
    { title: "one that asks and lacks a part of the log", other: { ...later, lsn: 1n }, standsAside: false },
    { title: "one that comes after it", other: { ...later, heldForMs: 0 }, standsAside: false },
  ])("stands aside for $title: $standsAside", ({ other, standsAside }) => {
    const { state } = hear(electing, [answerOf(other)]);
    expect(state.watch.state.kind).toBe(standsAside ? "electing" : "campaigning");
  });

  it.each([
    { syncMode: "quorum", detaches: true },
    { syncMode: "off", detaches: false },
  ] as const)(
    "detaches its receiver for the vote with sync_mode=$syncMode: $detaches",
    ({ syncMode, detaches }) => {
      const { actions } = hear(electing, [answerOf(later)], syncMode);
      expect(actions.some(({ kind }) => kind === "detach-receiver")).toBe(detaches);
    },
  );
});

describe("a voter", () => {
  const degraded = { kind: "degraded", upstream, round: 1, reason: "votes-refused", retryAt: Infinity };
  it.each([
    { candidate: three, sinceMs: 1000, isDue: true },
    { candidate: three, sinceMs: 10_000, isDue: false },
    { candidate: two, sinceMs: 1000, isDue: false },
  ])(
    "of node $candidate looks for its candidate $sinceMs ms later: $isDue",
    ({ candidate, sinceMs, isDue }) => {
      const [situation] = situations("standby", degraded);
      if (situation === undefined) throw new Error("there is no situation");
      const settings = { ...quickSettings, vote_hold: 12_000, vote_timeout: 5000 };
      const { now } = situation;
      const daemon: DaemonState = {
        ...situation.daemon,
        memory: { ...situation.daemon.memory, vote: { term: 5, candidate } },
        voter: { ...situation.daemon.voter, holdUntil: now - sinceMs + settings.vote_hold },
        membersAskedAt: now - 300,
        lastTurnAt: now - 100,
      };
      const { actions } = decide(daemon, { kind: "tick" }, { settings, now });
      expect(actions.some(({ kind }) => kind === "ask-members")).toBe(isDue);
    },
  );
});

describe("a standby whose upstream is not recorded", () => {
  it.each([
    { alwaysPromote: false, becomes: "degraded" },
    { alwaysPromote: true, becomes: "campaigning" },
  ])("is $becomes with always_promote=$alwaysPromote", ({ alwaysPromote, becomes }) => {
    const electing = { kind: "electing", upstream: null, round: 0, standsAsideUntil: null };
    const [situation] = situations("standby", electing);
    if (situation === undefined) throw new Error("there is no situation");
    const { daemon, settings, now } = situation;
    const members = daemon.membership.members.map((member) => ({ ...member, upstreamNodeId: null }));
    const answers = daemon.answers.filter(({ nodeId: id }) => id !== one);
    const { state } = decide(
      { ...daemon, membership: { ...daemon.membership, members } },
      {
        kind: "members-answered",
        answers: [{ kind: "unreachable", nodeId: one }, ...answers],
        askedAt: now - 10,
      },
      { settings: { ...settings, always_promote: alwaysPromote }, now },
    );
    expect(state.watch.state.kind).toBe(becomes);
  });
});
