import type { FailoverSettings } from "../../../src/decide/failover-settings.js";
import type { DaemonState } from "../../../src/decide/watch-types.js";
import type { MemberAnswer, Membership, ServerReport } from "../../../src/model/member-report.js";
import type { SyncExclusion } from "../../../src/model/sync-exclusion.js";
import type { SyncStep } from "../../../src/model/sync-state.js";
import type { PreferredFacts } from "../../../src/decide/sync-preferred.js";
import type { VoteRequest } from "../../../src/model/vote.js";
import type { ModelMember } from "./model-server.js";
import { nodeId } from "../../../src/model/node-record.js";

/** Takes one rule away from around the product: what its daemons are told, remember or are set to. */
export interface Weakening {
  readonly settings?: Partial<FailoverSettings>;
  /** The state file is empty after each start of the daemon. */
  readonly forgetsVotes?: true;
  /** What a starting daemon takes its past for. */
  readonly alterStart?: (state: DaemonState) => DaemonState;
  readonly alterMembership?: (membership: Membership) => Membership;
  readonly alterReport?: (report: ServerReport) => ServerReport;
  readonly alterRequest?: (request: VoteRequest) => VoteRequest;
  /** What a daemon hears of the others, by what it knows. */
  readonly alterAnswer?: (answer: MemberAnswer, state: DaemonState) => MemberAnswer;
  readonly hasNoGuard?: true;
  /** How many standbys must have a row before it is acknowledged; without it, half of the registered data nodes. */
  readonly quorumOf?: (facts: { readonly attached: number; readonly isRecorded: boolean }) => number;
  /** The promote command pays no heed to its deadline, and nobody aborts it. */
  readonly ignoresDeadline?: true;
  /** The witness keeps nothing of what the primary asks, and yet says that it does. */
  readonly forgetsExclusions?: true;
  /** Each request to vote for a standby again is on its way for long. */
  readonly liftsAreLate?: true;
  readonly alterWish?: (wish: SyncExclusion) => SyncExclusion;
  /** By what a primary takes its next step towards the names of its set. */
  readonly alterSync?: (facts: PreferredFacts) => PreferredFacts;
  readonly alterSyncStep?: (step: SyncStep, facts: PreferredFacts) => SyncStep;
}

/** A cluster and what may happen to it. */
export interface Scenario {
  readonly name: string;
  readonly members: readonly ModelMember[];
  readonly settings: FailoverSettings;
  readonly faults: readonly FaultKind[];
  readonly weakening?: Weakening;
}

export type FaultKind =
  | "cut"
  | "one-way-cut"
  | "isolate"
  | "split"
  | "kill-server"
  | "kill-daemon"
  | "reboot"
  | "freeze-daemon"
  | "freeze-server"
  | "freeze-node";

export const allFaults: readonly FaultKind[] = [
  "cut",
  "one-way-cut",
  "isolate",
  "split",
  "kill-server",
  "kill-daemon",
  "reboot",
  "freeze-daemon",
  "freeze-server",
  "freeze-node",
];

export const withoutFreezes = allFaults.filter((fault) => !fault.startsWith("freeze"));

/** The defaults of `repmgr.conf`, at a pace that suits a history of half a minute. */
export const quickSettings: FailoverSettings = {
  failover: "automatic",
  monitor_interval_secs: 1000,
  reconnect_attempts: 2,
  reconnect_interval: 1000,
  primary_notification_timeout: 60_000,
  primary_visibility_consensus: false,
  always_promote: false,
  failover_validation_command: "",
  election_rerun_interval: 15_000,
  failover_quorum: "auto",
  failover_location_rule: "auto",
  vote_timeout: 3000,
  vote_hold: 5000,
  primary_isolation_timeout: null,
  fence_on: "superseded",
  auto_rejoin: true,
  local_restart_attempts: 0,
  sync_mode: "off",
};

/** `count` data nodes, the first one their primary, and a witness behind them. */
export function clusterOf(
  count: number,
  { hasWitness = false, isCascaded = false }: { hasWitness?: boolean; isCascaded?: boolean } = {},
): readonly ModelMember[] {
  const data = Array.from({ length: count }, (_, index): ModelMember => {
    const id = nodeId(index + 1);
    if (index === 0) return { nodeId: id, type: "primary", upstreamNodeId: null, priority: 100 };
    const upstream = isCascaded && index === count - 1 && count > 2 ? 2 : 1;
    return { nodeId: id, type: "standby", upstreamNodeId: nodeId(upstream), priority: 100 };
  });
  if (!hasWitness) return data;
  return [...data, { nodeId: nodeId(count + 1), type: "witness", upstreamNodeId: nodeId(1), priority: 0 }];
}

/** How the commands of one history behave. */
export interface CommandTemper {
  readonly isForeign: boolean;
  readonly failureRate: number;
  readonly hangRate: number;
  readonly slowRate: number;
  /** From then on a command does what it should: a cluster in which none ever does has no end to find. */
  readonly isMendedAt: number;
}
