import { describe, expect, it } from "vitest";
import { decideSyncStep, coversAcknowledged, syncSetsOf } from "../../src/decide/sync-set.js";
import type { Lsn } from "../../src/model/lsn.js";
import { nodeId, type NodeId } from "../../src/model/node-record.js";
import { renderSyncState, type SyncLook, type SyncState } from "../../src/model/sync-state.js";
import { seededRandom, type Random } from "./failover/random.js";

const histories = Number(process.env.SIMULATION_HISTORIES ?? 5000) / 5;
const timeout = Math.max(60_000, histories * 50);
const self = nodeId(1);

/** What the driver or a candidate does without one of the rules. */
interface Weakening {
  readonly sinceNow?: true;
  readonly ignoresPending?: true;
}

interface Entry {
  readonly state?: SyncState;
  readonly nodes?: readonly NodeId[];
}

/**
 * A primary under load whose standbys come and go, with its log, how far each standby has flushed it, and the names in
 * force. After each move it is asked whether any group of nodes could promote a server that lacks an acknowledged row.
 */
class SyncHistory {
  readonly #random: Random;
  readonly #log: Entry[] = [{ nodes: [1, 2, 3].map(nodeId) }];
  readonly #flushed = new Map<NodeId, number>([2, 3, 4, 5].map((id) => [nodeId(id), 0]));
  #names = "";
  #seen: { readonly what: string; readonly lsn: Lsn } | null = null;
  #acknowledged = 0;
  #isBegun = false;
  readonly moves: string[] = [];

  constructor(
    seed: number,
    readonly weakening: Weakening,
  ) {
    this.#random = seededRandom(seed);
  }

  /** Null, or how an acknowledged row could be lost. */
  run(): string | null {
    for (let count = 0; count < 120; count += 1) {
      this.#random.pick([this.#write, this.#flush, this.#flush, this.#lead, this.#lead, this.#register])();
      this.#acknowledge();
      const lost = this.#findLoss();
      if (lost !== null) return lost;
    }
    return null;
  }

  get #nodes(): readonly NodeId[] {
    return this.#log.findLast(({ nodes }) => nodes !== undefined)?.nodes ?? [];
  }

  #append(entry: Entry): void {
    this.#log.push(entry);
    this.moves.push(
      entry.state !== undefined
        ? renderSyncState(entry.state)
        : entry.nodes === undefined
          ? "row"
          : `nodes ${entry.nodes.join(",")}`,
    );
  }

  readonly #write = (): void => this.#append({});

  readonly #flush = (): void => {
    const id = nodeId(Math.floor(this.#random.between(2, 6)));
    const from = this.#flushed.get(id) ?? 0;
    if (!this.#nodes.includes(id) && this.#random.chance(0.5)) return;
    const to = this.#random.chance(0.5)
      ? this.#log.length
      : Math.floor(this.#random.between(from, this.#log.length + 1));
    this.#flushed.set(id, to);
    this.moves.push(`n${id} has ${to}`);
  };

  /** One at a time: the last change has reached more than half of the nodes before it. */
  readonly #register = (): void => {
    const at = this.#log.findLastIndex(({ nodes }) => nodes !== undefined);
    const before = this.#log.slice(0, at).findLast(({ nodes }) => nodes !== undefined)?.nodes ?? [self];
    const reached = before.filter((id) => id === self || (this.#flushed.get(id) ?? 0) > at);
    if (reached.length * 2 <= before.length) return;
    const nodes = this.#nodes;
    const id = nodeId(Math.floor(this.#random.between(2, 6)));
    this.#append({
      nodes: nodes.includes(id) ? nodes.filter((one) => one !== id) : [...nodes, id].sort((a, b) => a - b),
    });
  };

  #stateAt(end: number): SyncState | null {
    return this.#log.slice(0, end).findLast(({ state }) => state !== undefined)?.state ?? null;
  }

  readonly #lead = (): void => {
    const state = this.#stateAt(this.#log.length);
    const lsn = BigInt(this.#log.length) as Lsn;
    const what = `${this.#names} ${state === null ? "" : renderSyncState(state)}`;
    const since = this.#seen?.what === what ? this.#seen.lsn : null;
    if (since === null) this.#seen = { what, lsn };
    const look: SyncLook = {
      state,
      names: this.#names,
      lsn,
      nodes: this.#nodes.map((id) => ({ nodeId: id, nodeName: `n${id}`, slotName: null, address: null })),
      senders: this.#nodes
        .filter((id) => id !== self)
        .map((id) => ({
          name: `n${id}`,
          state: "streaming",
          flushLsn: BigInt(this.#flushed.get(id) ?? 0) as Lsn,
          slotName: null,
          address: null,
        })),
    };
    const step = decideSyncStep({
      ...look,
      self,
      since: this.weakening.sinceNow === true ? (0n as Lsn) : since,
      unsound: new Set(),
    });
    if (step.kind === "write-state") this.#append({ state: step.state });
    if (step.kind === "set-names") {
      this.#names = step.names;
      this.moves.push(`names ${step.names}`);
    }
  };

  #acknowledge(): void {
    const match = /^ANY (\d+) \((.*)\)$/.exec(this.#names);
    // Before the first set nothing is promised.
    if (match === null) {
      if (this.#isBegun) this.#acknowledged = this.#log.length;
      return;
    }
    this.#isBegun = true;
    const positions = (match[2] ?? "")
      .split(",")
      .map((name) => this.#flushed.get(nodeId(Number(/\d+/.exec(name)?.[0] ?? 99))) ?? 0)
      .sort((a, b) => b - a);
    const upTo = positions[Number(match[1]) - 1] ?? 0;
    this.#acknowledged = Math.max(this.#acknowledged, upTo);
  }

  /** All groups without the primary. */
  #findLoss(): string | null {
    for (let mask = 1; mask < 16; mask += 1) {
      const group = [2, 3, 4, 5].filter((_, index) => (mask & (1 << index)) !== 0).map(nodeId);
      const lost = this.#loseBy(group);
      if (lost !== null) return lost;
    }
    return null;
  }

  #loseBy(group: readonly NodeId[]): string | null {
    const endOf = (id: NodeId): number => this.#flushed.get(id) ?? 0;
    const [candidate] = [...group].sort((a, b) => endOf(b) - endOf(a));
    if (candidate === undefined) return null;
    const end = endOf(candidate);
    const viewOf = (id: NodeId): number =>
      this.#log.slice(0, endOf(id)).findLastIndex(({ nodes }) => nodes !== undefined);
    const view = viewOf(candidate);
    const members = this.#log[view]?.nodes ?? [];
    const isGranted = group.every((id) => members.includes(id) && viewOf(id) <= view);
    if (!isGranted || group.length * 2 <= members.length) return null;
    const state = this.#stateAt(end);
    const known =
      this.weakening.ignoresPending === true && state !== null ? { ...state, pending: null } : state;
    if (!coversAcknowledged(syncSetsOf(known, members), new Set(group))) return null;
    return end >= this.#acknowledged
      ? null
      : `nodes ${group.join(",")} promote node ${candidate} at ${end}, acknowledged are ${this.#acknowledged}`;
  }
}

function findLoss(weakening: Weakening): string | null {
  for (let seed = 1; seed <= histories; seed += 1) {
    const history = new SyncHistory(seed, weakening);
    const lost = history.run();
    if (lost !== null) return `${lost} (seed ${seed})\n${history.moves.slice(-60).join("\n")}`;
  }
  return null;
}

describe("nodes that are registered and removed under load in synchronous mode", () => {
  it("leave no group that could promote a server without an acknowledged row", { timeout }, () => {
    expect(findLoss({})).toBeNull();
  });

  it.each([
    ["the wait until a set has the row that names it", { sinceNow: true }],
    ["the pending set in the count of a candidate", { ignoresPending: true }],
  ] as const)("lose one without %s", (_rule, weakening) => {
    expect(findLoss(weakening)).not.toBeNull();
  });
});
