import type { ServerReport } from "../../../src/model/member-report.js";
import type { Violation } from "./guarantees.js";
import {
  allFaults,
  clusterOf,
  quickSettings,
  withoutFreezes,
  type Scenario,
  type Weakening,
} from "./scenario.js";

export interface Case {
  readonly scenario: Scenario;
  /** What this mode does not promise. */
  readonly allows: readonly Violation[];
  /** Its part of the histories of one run. */
  readonly share: number;
}

const lease = { ...quickSettings, primary_isolation_timeout: 5000 };
const synchronous = { ...quickSettings, sync_mode: "quorum" as const };
const overlap = ["two servers acknowledge at once"] as const;
/** Two nodes cannot have a majority: both sides of a cut promote. */
const twoNodes = [...overlap, "same term twice", "two promotions at once"] as const;

/** The modes of a cluster, each with what safety needs of it. */
export const cases: readonly Case[] = [
  { scenario: asynchronous("two nodes", clusterOf(2)), allows: twoNodes, share: 0.1 },
  {
    scenario: asynchronous("two nodes and a witness", clusterOf(2, { hasWitness: true })),
    allows: overlap,
    share: 0.15,
  },
  { scenario: asynchronous("three nodes", clusterOf(3)), allows: overlap, share: 0.2 },
  {
    scenario: asynchronous("three nodes, one of them cascaded", clusterOf(3, { isCascaded: true })),
    allows: overlap,
    share: 0.1,
  },
  {
    scenario: asynchronous("three nodes and a witness", clusterOf(3, { hasWitness: true })),
    allows: overlap,
    share: 0.05,
  },
  { scenario: asynchronous("four nodes", clusterOf(4)), allows: overlap, share: 0.04 },
  { scenario: asynchronous("five nodes", clusterOf(5)), allows: overlap, share: 0.03 },
  { scenario: asynchronous("seven nodes", clusterOf(7)), allows: overlap, share: 0.01 },
  {
    scenario: { name: "three nodes with a lease", members: clusterOf(3), settings: lease, faults: allFaults },
    allows: [],
    share: 0.1,
  },
  {
    scenario: {
      name: "two nodes and a witness with a lease, nothing freezes",
      members: clusterOf(2, { hasWitness: true }),
      settings: lease,
      faults: withoutFreezes,
    },
    allows: [],
    share: 0.05,
  },
  {
    scenario: {
      name: "three nodes, synchronous",
      members: clusterOf(3),
      settings: synchronous,
      faults: allFaults,
    },
    allows: [],
    share: 0.15,
  },
  {
    scenario: {
      name: "five nodes, synchronous",
      members: clusterOf(5),
      settings: synchronous,
      faults: allFaults,
    },
    allows: [],
    share: 0.02,
  },
];

function asynchronous(name: string, members: Scenario["members"]): Scenario {
  return { name, members, settings: quickSettings, faults: allFaults };
}

export interface WeakCase {
  readonly rule: string;
  readonly scenario: Scenario;
  /** What comes to light without the rule. */
  readonly finds: Violation;
  /** It must be found within so many histories. */
  readonly within: number;
}

const withoutTerm = (report: ServerReport): ServerReport =>
  report.inRecovery ? { ...report, termRow: 1 } : report;

/** Each rule taken away once, and the hole that it closes. */
export const weakCases: readonly WeakCase[] = [
  weak("votes: the count of visible nodes decides, as in repmgr", "promoted without a majority", {
    settings: { failover_quorum: "visible" },
  }),
  weak("the state file: votes are forgotten with the daemon", "two votes in one term", {
    forgetsVotes: true,
    alterStart: (state) => ({ ...state, voter: { ...state.voter, holdUntil: 0 } }),
  }),
  weak("the hold: a vote is free again at once", "two promotions at once", {
    settings: { vote_hold: 0 },
    ignoresDeadline: true,
  }),
  weak("registered nodes as denominator: the lost ones do not count", "promoted without a majority", {
    alterMembership: ({ version, members }) => ({ version, members: members.filter(({ active }) => active) }),
  }),
  weak("fencing of a superseded primary", "no end: not one primary with all others behind it", {
    settings: { fence_on: "never" },
  }),
  weak(
    "promotion records: timelines alone tell who belongs together",
    "a twin follows its twin",
    {
      alterReport: (report) =>
        report.inRecovery ? { ...report, promotion: null } : { ...report, promotions: [] },
    },
    lease,
  ),
  weak("the lease", "two servers acknowledge at once", {}),
  weak("the dead-man session in the server", "two servers acknowledge at once", { hasNoGuard: true }, lease),
  weak(
    "detaching before the vote",
    "an acknowledged row is lost",
    { alterReport: (report) => ({ ...report, isDetached: true }) },
    synchronous,
  ),
  weak(
    "the term in the ranking: the longer log wins",
    "an acknowledged row is lost",
    {
      alterReport: withoutTerm,
    },
    synchronous,
  ),
];

function weak(rule: string, finds: Violation, weakening: Weakening, settings = quickSettings): WeakCase {
  const members = clusterOf(3);
  return {
    rule,
    finds,
    within: 400,
    scenario: { name: `without ${rule}`, members, settings, faults: allFaults, weakening },
  };
}
