import { describe, expect, it } from "vitest";
import { nodeId } from "../../../src/model/node-record.js";
import { decide } from "../../../src/decide/transitions.js";
import { standbyWatch } from "../../../src/decide/standby-watch.js";
import type { Situation, StandbyState, Step } from "../../../src/decide/watch-types.js";
import { serverReport, situations } from "./grid-samples.js";

const [one, two, three] = [nodeId(1), nodeId(2), nodeId(3)];
const upstream = { nodeId: one, isPrimary: true };
const watching = { kind: "watching", upstream } as const;

interface Facts {
  readonly failover?: "manual" | "automatic";
  readonly isDetached?: boolean;
  readonly isPaused?: boolean;
}

/** Node 2 of three, a standby of node 1. */
function situationOf(state: StandbyState, { failover, isDetached, isPaused }: Facts = {}): Situation {
  const [situation] = situations("standby", { ...state });
  if (situation === undefined) throw new Error("there is no sample");
  const { daemon, settings } = situation;
  return {
    ...situation,
    settings: { ...settings, failover: failover ?? "automatic" },
    daemon: {
      ...daemon,
      memory: { ...daemon.memory, isPaused: isPaused ?? false },
      local: { ...serverReport(true), isDetached: isDetached ?? false },
    },
  };
}

const outcome = ({ watch, actions = [] }: Step): string =>
  [watch?.state.kind ?? "(stays)", ...actions.map(({ kind }) => kind)].join(" ");

describe("a standby that sees its own primary", () => {
  const see = (facts: Facts, attachment: "follow" | "rejoin" = "follow"): string => {
    const found = { kind: "primary-found", nodeId: one, attachment } as const;
    return outcome(standbyWatch.watching["primary-found"](watching, found, situationOf(watching, facts)));
  };

  it.each<{ title: string; facts: Facts; attachment?: "rejoin"; expected: string }>([
    { title: "stays while it streams", facts: {}, expected: "(stays)" },
    {
      title: "attaches again after a vote",
      facts: { isDetached: true },
      expected: "attaching run-follow",
    },
    {
      title: "does so where a person decides whom it follows",
      facts: { isDetached: true, failover: "manual" },
      expected: "attaching run-follow",
    },
    {
      title: "does not while it is paused",
      facts: { isDetached: true, failover: "manual", isPaused: true },
      expected: "(stays)",
    },
    {
      title: "is not rewound where a person decides",
      facts: { isDetached: true, failover: "manual" },
      attachment: "rejoin",
      expected: "(stays)",
    },
  ])("$title", ({ facts, attachment, expected }) => {
    expect(see(facts, attachment)).toBe(expected);
  });

  it.each([
    { isDetached: false, expected: "(stays)" },
    { isDetached: true, expected: "attaching run-follow" },
  ])(
    "follows another one, as a cascaded standby, when it is detached: $isDetached",
    ({ isDetached, expected }) => {
      const cascaded = { kind: "watching", upstream: { nodeId: one, isPrimary: false } } as const;
      const found = { kind: "primary-found", nodeId: three, attachment: "follow" } as const;
      const situation = situationOf(cascaded, { isDetached });
      expect(outcome(standbyWatch.watching["primary-found"](cascaded, found, situation))).toBe(expected);
    },
  );

  it("is not moved to another one where a person decides, detached or not", () => {
    const found = { kind: "primary-found", nodeId: three, attachment: "follow" } as const;
    for (const isDetached of [true, false]) {
      const situation = situationOf(watching, { failover: "manual", isDetached });
      expect(outcome(standbyWatch.watching["primary-found"](watching, found, situation))).toBe("(stays)");
    }
  });
});

describe("a standby whose own record gets another upstream", () => {
  const degraded = {
    kind: "degraded",
    upstream,
    round: 3,
    reason: "follow-by-hand",
    retryAt: Infinity,
  } as const;
  const attaching = { kind: "attaching", upstream, round: 0, primary: three, retryAt: null } as const;

  /** The own server is looked at, whose copy of the own record has this upstream. */
  const look = (situation: Situation, to: typeof one | null, isDrained = true): Situation => {
    const { daemon } = situation;
    const members = daemon.membership.members.map((member) =>
      member.nodeId === two ? { ...member, upstreamNodeId: to } : member,
    );
    const observation = {
      kind: "local-seen",
      server: { ...serverReport(true), isDrained },
      membership: { ...daemon.membership, members },
      sessions: { requests: [], leases: [], exclusions: [] },
    } as const;
    return { ...situation, daemon: decide(daemon, observation, situation).state };
  };
  const describeWatch = ({ daemon: { watch } }: Situation): string => {
    const watched = "upstream" in watch.state ? watch.state.upstream : null;
    return `${watch.state.kind} ${typeof watched === "object" ? watched?.nodeId : watched}`;
  };
  const upstreamAfter = (state: StandbyState, to: typeof one | null): string =>
    describeWatch(look(situationOf(state, { failover: "manual" }), to));

  it("waits until all that was received is replayed: the record may be an old one", () => {
    const before = situationOf(degraded, { failover: "manual" });
    const seen = look(before, three, false);
    expect(describeWatch(seen)).toBe("degraded 1");
    expect(describeWatch(look(seen, three))).toBe("watching 3");
    expect(describeWatch(look(look(seen, one, false), one))).toBe("degraded 1");
  });

  it("knows it still when it was a primary at that moment", () => {
    const { daemon, ...rest } = situationOf(watching, { failover: "manual" });
    const leading = { kind: "leading", term: 4, lease: null } as const;
    const first = look({ ...rest, daemon: { ...daemon, watch: { role: "primary", state: leading } } }, three);
    expect(describeWatch(first)).toBe("electing undefined");
    expect(describeWatch(look(first, three))).toBe("watching 3");
  });

  it.each<{ state: StandbyState; to: typeof one | null; expected: string }>([
    { state: watching, to: three, expected: "watching 3" },
    { state: degraded, to: three, expected: "watching 3" },
    { state: { kind: "reconnecting", upstream, attempt: 1 }, to: three, expected: "watching 3" },
    { state: attaching, to: three, expected: "attaching 1" },
    { state: watching, to: one, expected: "watching 1" },
    { state: degraded, to: one, expected: "degraded 1" },
    { state: degraded, to: null, expected: "degraded 1" },
  ])("is $expected when it is $state.kind and the record says $to", ({ state, to, expected }) => {
    expect(upstreamAfter(state, to)).toBe(expected);
  });
});
