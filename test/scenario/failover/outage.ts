import { expect } from "vitest";
import type { NodeId } from "../../../src/model/node-record.js";
import { Cluster } from "./cluster.js";
import { ModelDaemon } from "./model-daemon.js";
import type { CommandTemper, Scenario } from "./scenario.js";

/** How long an outage is watched before it counts as one without an end. */
const WATCHED_MS = 60_000;

const obedient: CommandTemper = {
  isForeign: false,
  failureRate: 0,
  hangRate: 0,
  slowRate: 0,
  isMendedAt: 0,
};

interface Death {
  /** The host of the primary dies at some moment between these. */
  readonly betweenMs: readonly [number, number];
  /** The host of the candidate dies then too, as soon as the first voter has its vote on disk. */
  readonly takesCandidate?: boolean;
}

/** How long there is no primary after its host has died, in milliseconds; nothing that is promised may be broken. */
export function measureOutage(
  scenario: Scenario,
  seed: number,
  { betweenMs, takesCandidate = false }: Death,
): { readonly ms: number; readonly cluster: Cluster } {
  const cluster = new Cluster(scenario, seed, true);
  const { time, guarantees, off, firstPrimary } = cluster;
  const daemons = new Map(
    scenario.members.map(({ nodeId }) => [nodeId, new ModelDaemon(cluster, nodeId, obedient)] as const),
  );
  for (const daemon of daemons.values()) daemon.start();
  const die = (id: NodeId): void => {
    off.add(id);
    cluster.stopServer(id);
    daemons.get(id)?.kill();
    cluster.note(id, () => "the host dies");
  };
  guarantees.onVote = (voter, { candidate }) => {
    if (takesCandidate && voter !== candidate && off.size === 1 && off.has(firstPrimary)) die(candidate);
  };
  const diesAt = cluster.random.between(...betweenMs);
  time.runUntil(diesAt);
  die(firstPrimary);
  const deaths = takesCandidate ? 2 : 1;
  const isOver = (): boolean => off.size === deaths && cluster.writableServers().length > 0;
  while (!isOver() && time.now < diesAt + WATCHED_MS) time.runUntil(time.now + 50);
  expect([...guarantees.violations.values()]).toEqual([]);
  return { ms: isOver() ? time.now - diesAt : Infinity, cluster };
}
