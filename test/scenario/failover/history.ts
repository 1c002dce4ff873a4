import type { NodeId } from "../../../src/model/node-record.js";
import { Cluster } from "./cluster.js";
import { Faults } from "./faults.js";
import type { Violation } from "./guarantees.js";
import { ModelDaemon } from "./model-daemon.js";
import type { CommandTemper, Scenario } from "./scenario.js";

const FAULTS_MS = 25_000;
/** Two back-offs, a hold and a failed promotion, several times over. */
const HEALING_MS = 150_000;
const QUIET_MS = 3000;

export interface History {
  readonly seed: number;
  readonly violations: ReadonlyMap<Violation, string>;
  readonly overlapMs: number;
  readonly promotions: number;
  /** How often a standby was left out. */
  readonly exclusions: number;
  readonly trace: readonly string[];
}

/** One random history of a cluster: faults for a while, then healing until all is well or it should long have been. */
export function runHistory(scenario: Scenario, seed: number, { isTraced = false } = {}): History {
  const cluster = new Cluster(scenario, seed, isTraced);
  const { random, time, guarantees } = cluster;
  const isRough = random.chance(0.4);
  const temper: CommandTemper = {
    isForeign: random.chance(0.5),
    failureRate: isRough ? 0.2 : 0,
    hangRate: isRough ? 0.1 : 0,
    slowRate: isRough ? 0.3 : 0,
    isMendedAt: FAULTS_MS + HEALING_MS / 2,
  };
  const daemons = new Map(
    scenario.members.map(({ nodeId }) => [nodeId, new ModelDaemon(cluster, nodeId, temper)]),
  );
  for (const daemon of daemons.values()) daemon.start();
  const faults = new Faults(cluster, daemons, FAULTS_MS);
  guarantees.onVote = (voter, vote) => {
    if (time.now > FAULTS_MS || !random.chance(0.15)) return;
    const delay = random.between(0, 600);
    const target = random.chance(0.5) ? voter : vote.candidate;
    const isServer = random.chance(0.5);
    time.after(delay, () => {
      cluster.note(target, () => `killed after a vote: its ${isServer ? "server" : "daemon"}`);
      if (isServer) faults.killServer(target, random.between(200, 4000));
      else faults.killDaemon(target, random.between(100, 4000));
    });
  };
  time.runUntil(FAULTS_MS);
  cluster.note(null, () => "all faults are mended");
  faults.healAll();
  const isTwin = (id: NodeId): boolean =>
    scenario.members.length === 2 && daemons.get(id)?.memory?.wasPrimary?.reason === "equal-term";
  let wholeSince: number | null = null;
  const isOver = (): boolean => {
    const isWhole = cluster.isWhole(isTwin);
    wholeSince = isWhole ? (wholeSince ?? time.now) : null;
    return wholeSince !== null && time.now - wholeSince >= QUIET_MS;
  };
  let isEnded = false;
  while (!isEnded && time.now < FAULTS_MS + HEALING_MS) {
    time.runUntil(time.now + 250);
    // Faults that were under way may have stopped something after the mending.
    for (const daemon of daemons.values()) daemon.start();
    isEnded = isOver();
  }
  guarantees.ended(isEnded);
  return {
    seed,
    violations: guarantees.violations,
    overlapMs: guarantees.overlapMs,
    promotions: guarantees.promotionCount,
    exclusions: cluster.exclusions,
    trace: cluster.trace,
  };
}
