import type { PreferredFacts } from "../../../src/decide/sync-preferred.js";
import { makeSyncSet } from "../../../src/decide/sync-set.js";
import type { DaemonState } from "../../../src/decide/watch-types.js";
import type { MemberAnswer, Membership, ServerReport } from "../../../src/model/member-report.js";
import type { SyncStep } from "../../../src/model/sync-state.js";
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
const preferred = { ...quickSettings, sync_mode: "preferred" as const };
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
      name: "three nodes and a witness, synchronous",
      members: clusterOf(3, { hasWitness: true }),
      settings: synchronous,
      faults: allFaults,
    },
    allows: [],
    share: 0.05,
  },
  {
    scenario: {
      name: "two nodes and a witness, synchronous",
      members: clusterOf(2, { hasWitness: true }),
      settings: synchronous,
      faults: allFaults,
    },
    allows: [],
    share: 0.05,
  },
  {
    scenario: {
      name: "two nodes and a witness, synchronous where possible",
      members: clusterOf(2, { hasWitness: true }),
      settings: preferred,
      faults: allFaults,
    },
    allows: [],
    share: 0.2,
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

function raiseTermOfPrimary(answer: MemberAnswer, { memory, watch }: DaemonState): MemberAnswer {
  if (answer.kind !== "answered" || answer.server.inRecovery || watch.role !== "standby") return answer;
  const termRow = Math.max(answer.server.termRow, memory.vote?.term ?? 0);
  return { ...answer, server: { ...answer.server, termRow } };
}

/** All members may be missing. */
function withoutSyncSet(membership: Membership): Membership {
  const members = membership.members.map(({ nodeId }) => nodeId);
  const current = { members, quorum: members.length };
  return { ...membership, syncState: { version: 1, current, pending: null } };
}

const unseenExclusion = (answer: MemberAnswer): MemberAnswer =>
  answer.kind === "answered" ? { ...answer, server: { ...answer.server, exclusion: null } } : answer;

/** The primary takes the permission for given. */
function grantedUnasked(facts: PreferredFacts): PreferredFacts {
  const { self, term, state } = facts;
  const other = facts.nodes.find(({ nodeId }) => nodeId !== self)?.nodeId ?? null;
  const { epoch, node } = state?.exclusion ?? { epoch: 0, node: null };
  return {
    ...facts,
    witness: {
      record: { epoch: node === null ? epoch + 1 : epoch, node: node ?? other, holder: self, term },
    },
  };
}

/** A standby that was left out counts as if it had everything. */
function takeForComplete(facts: PreferredFacts): PreferredFacts {
  const { nodes, self, lsn, state } = facts;
  if (state?.exclusion === undefined) return facts;
  const others = nodes.filter(({ nodeId }) => nodeId !== self);
  const senders = others.map(({ nodeName: name }) => ({
    name,
    state: "streaming",
    flushLsn: lsn,
    slotName: null,
    address: null,
  }));
  return { ...facts, senders, lagMs: new Map(others.map(({ nodeId }) => [nodeId, 0])) };
}

/** What the witness has said once is not asked again while it is made use of; standbys come and go quickly. */
function takeForRecorded(told: PreferredFacts): PreferredFacts {
  const { state, self, term } = told;
  const facts = { ...told, timeoutMs: 400 };
  const { epoch, node } = state?.exclusion ?? { epoch: 0, node: null };
  return node === null ? facts : { ...facts, witness: { record: { epoch, node, holder: self, term } } };
}

/** What was granted once is made use of again, though it may be taken back at any moment. */
function reuseRecord(step: SyncStep, { witness, state, self }: PreferredFacts): SyncStep {
  const record = witness?.record ?? null;
  if (step.kind !== "ask-witness" || step.wish.node === null || state === null) return step;
  if (record?.node !== step.wish.node) return step;
  const exclusion = { epoch: record.epoch, node: record.node };
  return { kind: "write-state", state: { ...state, pending: makeSyncSet([self]), exclusion } };
}

function leadOutside(step: SyncStep, { state, self, names }: PreferredFacts): SyncStep {
  const isOutside = state !== null && state.current.quorum === 0 && !state.current.members.includes(self);
  return isOutside && names !== "" ? { kind: "set-names", names: "" } : step;
}

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
  weak(
    "the wait for the end of replay: what a restarted standby says at first counts",
    "an acknowledged row is lost",
    { alterReport: (report) => ({ ...report, isDrained: true }) },
    synchronous,
  ),
  weak(
    "the term of the vote: a follower goes back to a primary of a lower one",
    "an acknowledged row is lost",
    { alterAnswer: raiseTermOfPrimary },
    synchronous,
  ),
  weak(
    "registered nodes in the names: those that are attached count",
    "an acknowledged row is lost",
    { quorumOf: ({ attached, isRecorded }) => (isRecorded ? Math.floor((attached + 1) / 2) : Infinity) },
    synchronous,
  ),
  weak(
    "the block of a promoted server: it acknowledges before its term is on record",
    "an acknowledged row is lost",
    { quorumOf: ({ isRecorded }) => (isRecorded ? 1 : 0) },
    synchronous,
  ),
  weak(
    "the votes of data nodes: a witness may make up the majority",
    "an acknowledged row is lost",
    { alterMembership: withoutSyncSet },
    synchronous,
    clusterOf(3, { hasWitness: true }),
  ),
  weakPreferred("the witness's refusal of a standby that was left out", "an acknowledged row is lost", {
    forgetsExclusions: true,
    alterAnswer: unseenExclusion,
  }),
  weakPreferred(
    "the witness's refusal of a primary against which it has voted",
    "an acknowledged row is lost",
    { alterWish: (wish) => ({ ...wish, term: 1_000_000 }) },
  ),
  weakPreferred("the witness's permission before the list changes", "an acknowledged row is lost", {
    alterSync: grantedUnasked,
  }),
  weakPreferred(
    "the wait until a standby that returns has everything before it may be voted for",
    "an acknowledged row is lost",
    { alterSync: takeForComplete },
  ),
  // Rare: the standby has to be away again while the word that it is back is on its way.
  onlyCut(
    weakPreferred("a new permission for each time", "an acknowledged row is lost", {
      alterSync: takeForRecorded,
      alterSyncStep: reuseRecord,
      liftsAreLate: true,
    }),
  ),
  weakPreferred("the word of a member for a primary that is none of the set", "an acknowledged row is lost", {
    alterSyncStep: leadOutside,
  }),
];

function weakPreferred(rule: string, finds: Violation, weakening: Weakening): WeakCase {
  return weak(rule, finds, weakening, preferred, clusterOf(2, { hasWitness: true }));
}

function onlyCut(one: WeakCase): WeakCase {
  return { ...one, scenario: { ...one.scenario, faults: ["cut"] } };
}

function weak(
  rule: string,
  finds: Violation,
  weakening: Weakening,
  settings = quickSettings,
  members = clusterOf(3),
): WeakCase {
  return {
    rule,
    finds,
    within: 3000,
    scenario: { name: `without ${rule}`, members, settings, faults: allFaults, weakening },
  };
}
