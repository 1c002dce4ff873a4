import type { Member, MemberAnswer, ServerReport } from "../../../src/model/member-report.js";
import type { Lsn } from "../../../src/model/lsn.js";
import { nodeId } from "../../../src/model/node-record.js";
import { startState } from "../../../src/decide/transitions.js";
import type { FailoverSettings } from "../../../src/decide/failover-settings.js";
import type { DaemonState, Situation, Watch } from "../../../src/decide/watch-types.js";
import { quickSettings } from "../../scenario/failover/scenario.js";

export type Role = "standby" | "primary" | "witness";

interface Kinded {
  readonly kind: string;
  readonly [field: string]: unknown;
}

const [one, two, three] = [nodeId(1), nodeId(2), nodeId(3)];
const NOW = 100_000;
const campaign = { term: 5, startedAt: NOW - 100, timeline: 1, isValidated: false };
const oldCampaign = { ...campaign, startedAt: NOW - 60_000 };
const upstream = { nodeId: one, isPrimary: true };
const searching = { upstream, round: 0 };
const lease = { counter: 1, sent: [], confirmed: new Map(), grantedAt: null, startedAt: NOW };
const oldLease = { ...lease, startedAt: 0 };
const isolated = { kind: "isolated" } as const;

const samples: Readonly<Record<Role, readonly Kinded[]>> = {
  standby: [
    { kind: "watching", upstream },
    { kind: "reconnecting", upstream, attempt: 1 },
    { kind: "reconnecting", upstream, attempt: 99 },
    { kind: "electing", ...searching, standsAsideUntil: null },
    { kind: "electing", ...searching, standsAsideUntil: NOW - 1 },
    { kind: "campaigning", ...searching, campaign },
    { kind: "campaigning", ...searching, campaign: oldCampaign },
    { kind: "validating", ...searching, campaign },
    { kind: "validating", ...searching, campaign: oldCampaign },
    { kind: "promoting", ...searching, campaign, deadline: NOW + 1000 },
    { kind: "promoting", ...searching, campaign, deadline: NOW - 1000 },
    { kind: "aborting", ...searching, campaign, retryAt: null, isStandby: false },
    { kind: "aborting", ...searching, campaign, retryAt: NOW - 1, isStandby: false },
    { kind: "aborting", ...searching, campaign, retryAt: null, isStandby: true },
    { kind: "attaching", primary: three, retryAt: null, ...searching },
    { kind: "attaching", primary: three, retryAt: NOW - 1, ...searching },
    { kind: "degraded", reason: "votes-refused", retryAt: NOW - 1, ...searching },
  ],
  primary: [
    { kind: "leading", term: 4, lease: null },
    { kind: "leading", term: 4, lease: oldLease },
    { kind: "leading", term: 9, lease: null },
    { kind: "reasserting", term: 4, lease: null, round: 0, campaign: null, retryAt: NOW - 1 },
    { kind: "reasserting", term: 4, lease: null, round: 0, campaign, retryAt: NOW },
    { kind: "reasserting", term: 4, lease: null, round: 0, campaign: oldCampaign, retryAt: NOW },
    { kind: "server-lost", term: 4, lease: null, restarts: 0, isStarting: false },
    { kind: "server-lost", term: 4, lease: oldLease, restarts: 0, isStarting: false },
    { kind: "fencing", reason: isolated, retryAt: NOW - 60_000 },
    { kind: "fenced", reason: "isolated", retryAt: NOW - 1 },
  ],
  witness: [
    { kind: "watching", upstream: one },
    { kind: "reconnecting", upstream: one, attempt: 1 },
    { kind: "reconnecting", upstream: one, attempt: 99 },
    { kind: "seeking", upstream: one, retryAt: NOW - 1 },
    { kind: "attaching", upstream: one, primary: three },
  ],
};

const commands = ["validate", "promote", "abort-promotion", "follow", "rejoin", "fence", "start"];
const ended = commands.flatMap((command) =>
  [true, false].map((succeeded) => ({ kind: "command-ended", command, succeeded })),
);
const seenByFollowers: readonly Kinded[] = [
  { kind: "upstream-seen", inRecovery: false },
  { kind: "upstream-seen", inRecovery: true },
  { kind: "upstream-lost" },
  { kind: "primary-found", nodeId: three, attachment: "follow" },
  { kind: "primary-found", nodeId: three, attachment: "rejoin" },
  { kind: "primary-alive" },
  { kind: "no-primary" },
  { kind: "member-seen" },
  ...ended,
  { kind: "tick" },
];

export const statesOf = (role: Role): readonly Kinded[] => samples[role];

export function observationsOf(role: Role): readonly Kinded[] {
  if (role === "witness") return seenByFollowers;
  if (role === "standby")
    return [...seenByFollowers, { kind: "moved", to: three }, { kind: "out-of-recovery" }];
  return [
    { kind: "superseded", by: two, term: 9 },
    { kind: "equal-term", other: two, givesWay: true },
    { kind: "suspicion", other: two },
    { kind: "outvoted" },
    { kind: "undisputed" },
    { kind: "out-of-recovery" },
    { kind: "in-recovery" },
    { kind: "local-lost" },
    ...ended,
    { kind: "tick" },
  ];
}

export function serverReport(inRecovery: boolean): ServerReport {
  return {
    systemIdentifier: "7",
    inRecovery,
    timeline: 1,
    history: [],
    termRow: 4,
    lsn: 1000n as Lsn,
    promotion: null,
    promotions: [],
    isRecordedPrimary: !inRecovery,
    isDrained: true,
    isDetached: false,
  };
}

const members: readonly Member[] = [one, two, three].map((id) => ({
  nodeId: id,
  type: id === one ? "primary" : "standby",
  upstreamNodeId: id === one ? null : one,
  active: true,
  priority: 100,
  location: "default",
}));

export function answerOf(
  id: typeof one,
  { votes, isWilling }: { votes: boolean; isWilling: boolean },
): MemberAnswer {
  return {
    kind: "answered",
    nodeId: id,
    server: { ...serverReport(true), lsn: 2000n as Lsn },
    beacon: {
      nodeId: id,
      upstreamNodeId: one,
      primarySeenAgoMs: null,
      isPaused: false,
      activity: isWilling ? "willing" : "watching",
      vote: votes ? { term: 5, candidate: two } : null,
      leaseEcho: null,
      heldForMs: 0,
    },
  };
}

/** Node 2 of three; with and without votes, a majority, a better candidate, a lease, a validation command, restarts. */
export function situations(role: Role, state: Kinded): readonly Situation[] {
  const answers: readonly (readonly MemberAnswer[])[] = [
    [{ kind: "unreachable", nodeId: one }, answerOf(three, { votes: true, isWilling: false })],
    [answerOf(three, { votes: false, isWilling: true })],
    [answerOf(three, { votes: false, isWilling: false })],
    [],
  ];
  const settings: readonly FailoverSettings[] = [
    { ...quickSettings, local_restart_attempts: 1 },
    { ...quickSettings, failover_validation_command: "check", primary_isolation_timeout: 5000 },
  ];
  const memory = { vote: null, wasPrimary: null, promotingTerm: null, exclusion: null, isPaused: false };
  return settings.flatMap((one_) =>
    answers.map((list) => {
      const fresh = startState(two, { memory, leaseSeed: 1, settings: one_, now: 0 });
      const daemon: DaemonState = {
        ...fresh,
        voter: { ...fresh.voter, holdUntil: 0 },
        watch: { role, state } as unknown as Watch,
        local: serverReport(role !== "primary"),
        membership: { version: 1, members },
        answers: list,
        highestTerm: 4,
      };
      return { daemon, settings: one_, now: NOW };
    }),
  );
}
