import { isRecognisedPrimary } from "../../../src/decide/lineage.js";
import { followLag, measureLag, noLag, type LagRecord } from "../../../src/decide/sync-lag.js";
import { decidePreferredStep, type PreferredFacts } from "../../../src/decide/sync-preferred.js";
import type { DaemonState } from "../../../src/decide/watch-types.js";
import type { Lsn } from "../../../src/model/lsn.js";
import type { ServerReport } from "../../../src/model/member-report.js";
import type { NodeId } from "../../../src/model/node-record.js";
import type { SyncExclusion } from "../../../src/model/sync-exclusion.js";
import { renderSyncState, type SyncLook, type SyncStep } from "../../../src/model/sync-state.js";
import type { Cluster, RpcAnswer } from "./cluster.js";
import { noMessage, readSyncState, type ModelServer } from "./model-server.js";

const TIMEOUT_MS = 2000;
const WITNESS_WITHIN_MS = 1000;

interface Driven {
  readonly nodeId: NodeId;
  readonly state: DaemonState | null;
  readonly isFrozen: boolean;
}

/** The weakened witness does not look into its database, */
export function asSeen({ scenario }: Cluster, report: ServerReport): ServerReport {
  return scenario.weakening?.forgetsExclusions === true ? { ...report, exclusion: null } : report;
}

/** and keeps nothing in mind. */
export function asRemembered({ scenario }: Cluster, state: DaemonState): DaemonState {
  if (scenario.weakening?.forgetsExclusions !== true) return state;
  return { ...state, memory: { ...state.memory, exclusion: null } };
}

/** A write that fails is tried again at the next look. */
export function recordExclusion(witness: ModelServer, exclusion: SyncExclusion): void {
  if (witness.isUp && !witness.isFrozen) witness.exclusion = { ...exclusion, since: "" };
}

/** What leads a primary to the names of its set in `sync_mode=preferred`. */
export class ModelSyncDriver {
  #lag: LagRecord = noLag;
  #seen: { readonly what: string; readonly lsn: Lsn } | null = null;

  constructor(
    readonly cluster: Cluster,
    readonly daemon: Driven,
    readonly pulse: () => { readonly life: number; readonly now: number },
  ) {}

  start(life: number): void {
    this.#lag = noLag;
    this.#seen = null;
    this.#next(life);
  }

  #next(life: number): void {
    this.cluster.time.after(this.cluster.random.between(150, 600), () => {
      if (life === this.pulse().life) this.#turn(life);
    });
  }

  #term(): number | null {
    const state = this.daemon.state;
    const server = this.cluster.server(this.daemon.nodeId);
    if (state === null || this.daemon.isFrozen || !server.isUp || server.isFrozen || server.inRecovery)
      return null;
    const { watch, local } = state;
    if (watch.role !== "primary" || watch.state.kind !== "leading" || local === null) return null;
    return isRecognisedPrimary(this.daemon.nodeId, local) && local.termRow >= watch.state.term
      ? watch.state.term
      : null;
  }

  #turn(life: number): void {
    if (this.#term() === null) {
      this.#lag = noLag;
      this.#seen = null;
      this.#next(life);
      return;
    }
    let isOver = false;
    const judge = (witness: PreferredFacts["witness"]): void => {
      if (isOver || life !== this.pulse().life) return;
      isOver = true;
      const term = this.#term();
      if (term !== null) this.#judge(term, witness);
      this.#next(life);
    };
    this.#callWitness(null, (answer) =>
      judge(answer.kind === "answered" ? { record: answer.server.exclusion ?? null } : null),
    );
    this.cluster.time.after(WITNESS_WITHIN_MS, () => judge(null));
  }

  /** Asks the witness, and leaves the wish in the session there. */
  #callWitness(wish: SyncExclusion | null, receive: (answer: RpcAnswer) => void): void {
    const { cluster } = this;
    const { nodeId } = this.daemon;
    const witness = cluster.scenario.members.find(({ type }) => type === "witness")?.nodeId;
    if (witness === undefined) return;
    const held = cluster.server(witness).sessions.get(nodeId) ?? noMessage;
    cluster.call(nodeId, witness, { session: { ...held, exclusion: wish ?? held.exclusion }, receive });
  }

  #judge(term: number, witness: PreferredFacts["witness"]): void {
    const { cluster, daemon } = this;
    const look = this.#look();
    const what = `${look.names} ${look.state === null ? "" : renderSyncState(look.state)}`;
    const since = this.#seen?.what === what ? this.#seen.lsn : null;
    if (since === null) this.#seen = { what, lsn: look.lsn };
    const sync = { ...look, self: daemon.nodeId, since, unsound: new Set<NodeId>() };
    const now = this.pulse().now;
    this.#lag = followLag(this.#lag, sync, { now, keepMs: 2 * TIMEOUT_MS });
    const ids = look.nodes.map(({ nodeId }) => nodeId);
    const lagMs = measureLag(this.#lag, ids, now);
    const told: PreferredFacts = { ...sync, term, witness, lagMs, mayExclude: true, timeoutMs: TIMEOUT_MS };
    const { weakening } = cluster.scenario;
    const facts = weakening?.alterSync?.(told) ?? told;
    const step = decidePreferredStep(facts);
    this.#take(weakening?.alterSyncStep?.(step, facts) ?? step);
  }

  #look(): SyncLook {
    const { cluster, daemon } = this;
    const server = cluster.server(daemon.nodeId);
    const others = cluster.dataNodes.filter(({ nodeId }) => nodeId !== daemon.nodeId);
    return {
      state: readSyncState(server.log),
      names: server.names,
      lsn: BigInt(server.log.end) as Lsn,
      nodes: cluster.dataNodes.map(({ nodeId }) => ({
        nodeId,
        nodeName: `n${nodeId}`,
        slotName: null,
        address: null,
      })),
      senders: others.flatMap(({ nodeId }) => {
        const flushed = server.flushed.get(nodeId);
        if (flushed?.branch !== server.log.branch || !cluster.isAttached(nodeId, server)) return [];
        const flushLsn = BigInt(flushed.end) as Lsn;
        return [{ name: `n${nodeId}`, state: "streaming", flushLsn, slotName: null, address: null }];
      }),
    };
  }

  /** A statement that was sent to a server which freezes is executed when it thaws. */
  #take(step: SyncStep): void {
    const { cluster, daemon } = this;
    const server = cluster.server(daemon.nodeId);
    const { life } = server;
    const execute = (): void => {
      if (server.life !== life || !server.isUp || server.inRecovery) return;
      if (server.isFrozen) server.waiting.push(execute);
      else if (step.kind === "write-state")
        cluster.writeRow(daemon.nodeId, { kind: "sync-state", state: step.state });
      else if (step.kind === "set-names") {
        server.names = step.names;
        cluster.note(daemon.nodeId, () => `names '${step.names}'`);
      }
    };
    if (step.kind === "ask-witness") {
      cluster.note(daemon.nodeId, () => `asks the witness ${JSON.stringify(step.wish)}`);
      const wish = cluster.scenario.weakening?.alterWish?.(step.wish) ?? step.wish;
      // A session that broke leaves its message on the server, where it may be found late.
      const isLate = cluster.random.chance(0.3) || cluster.scenario.weakening?.liftsAreLate === true;
      const delay = wish.node === null && isLate ? cluster.random.between(0, 5000) : 0;
      cluster.time.after(delay, () => this.#callWitness(wish, () => undefined));
    } else if (step.kind === "write-state" || step.kind === "set-names")
      cluster.time.after(cluster.random.between(1, 100), execute);
  }
}
