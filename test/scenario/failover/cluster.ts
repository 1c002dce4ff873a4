import { makeSyncSet } from "../../../src/decide/sync-set.js";
import type { NodeId } from "../../../src/model/node-record.js";
import type { Beacon, Membership, ServerReport } from "../../../src/model/member-report.js";
import { BLOCKED_NAMES } from "../../../src/model/sync-state.js";
import { Guarantees } from "./guarantees.js";
import { firstLog, fork, holds, streamFrom, write, type LogRow, type ModelLog } from "./model-log.js";
import {
  createServer,
  readMembership,
  readSyncState,
  report,
  type ModelServer,
  type PeerSession,
} from "./model-server.js";
import { seededRandom, type Random } from "./random.js";
import type { Scenario } from "./scenario.js";
import { VirtualTime } from "./virtual-time.js";

const WRITE_EVERY_MS = 50;
const STREAM_EVERY_MS = 100;
const GUARD_EVERY_MS = 100;

export type RpcAnswer =
  | { readonly kind: "answered"; readonly server: ServerReport; readonly beacon: Beacon | null }
  | { readonly kind: "refused" };

/** The servers and the network between them, in virtual time. */
export class Cluster {
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly servers: ReadonlyMap<NodeId, ModelServer>;
  readonly guarantees: Guarantees;
  readonly trace: string[] = [];
  readonly firstPrimary: NodeId;
  /** Nodes whose machine is off. */
  readonly off = new Set<NodeId>();
  /** Rows that leave out a standby. */
  exclusions = 0;
  readonly #cuts = new Set<number>();
  readonly #lossRate: number;
  readonly #isTraced: boolean;

  constructor(
    readonly scenario: Scenario,
    seed: number,
    isTraced: boolean,
  ) {
    this.random = seededRandom(seed);
    this.#isTraced = isTraced;
    this.#lossRate = this.random.chance(0.3) ? 0.02 : 0;
    const log = firstLog();
    const { members } = scenario;
    this.firstPrimary = members.find(({ type }) => type === "primary")?.nodeId ?? (1 as NodeId);
    this.servers = new Map(
      members.map(({ nodeId, upstreamNodeId, type }) => {
        const server = createServer(nodeId, log, upstreamNodeId);
        if (type === "witness") Object.assign(server, { inRecovery: false, startsAsStandby: false });
        return [nodeId, server];
      }),
    );
    this.guarantees = new Guarantees(this);
    for (const server of this.servers.values()) {
      if (this.isWitness(server.nodeId)) continue;
      this.#every(STREAM_EVERY_MS, () => this.#stream(server));
      this.#every(WRITE_EVERY_MS, () => this.#write(server));
      if (scenario.settings.primary_isolation_timeout !== null && scenario.weakening?.hasNoGuard !== true)
        this.#every(GUARD_EVERY_MS, () => this.#guard(server));
    }
  }

  get dataNodes(): readonly ModelServer[] {
    return [...this.servers.values()].filter(({ nodeId }) => !this.isWitness(nodeId));
  }

  get isPreferred(): boolean {
    return this.scenario.settings.sync_mode === "preferred";
  }

  server(id: NodeId): ModelServer {
    const server = this.servers.get(id);
    if (server === undefined) throw new RangeError(`no node ${id}`);
    return server;
  }

  isWitness(id: NodeId): boolean {
    return this.scenario.members.find(({ nodeId }) => nodeId === id)?.type === "witness";
  }

  note(node: NodeId | null, text: () => string): void {
    if (!this.#isTraced) return;
    const said = text();
    if (said === "") return;
    const who = node === null ? "cluster" : `node ${node}`;
    this.trace.push(`${(this.time.now / 1000).toFixed(3).padStart(8)} ${who.padEnd(8)} ${said}`);
  }

  #every(period: number, run: () => void): void {
    const turn = (): void => {
      run();
      this.time.after(period, turn);
    };
    this.time.after(this.random.between(0, period), turn);
  }

  // Network

  #wire(from: NodeId, to: NodeId): number {
    return from * 100 + to;
  }

  cut(from: NodeId, to: NodeId): void {
    this.#cuts.add(this.#wire(from, to));
  }

  heal(from: NodeId, to: NodeId): void {
    this.#cuts.delete(this.#wire(from, to));
  }

  healAll(): void {
    this.#cuts.clear();
  }

  isConnected(from: NodeId, to: NodeId): boolean {
    return from === to || !this.#cuts.has(this.#wire(from, to));
  }

  #arrives(from: NodeId, to: NodeId): boolean {
    return (
      this.isConnected(from, to) && !(from !== to && this.#lossRate > 0 && this.random.chance(this.#lossRate))
    );
  }

  #delay(): number {
    return this.random.chance(0.02) ? this.random.between(9, 150) : this.random.between(1, 9);
  }

  /** A statement of `from`'s daemon on the server of `to`. The answer may never come; what arrived is executed. */
  call(
    from: NodeId,
    to: NodeId,
    { session, receive }: { session: PeerSession; receive: (answer: RpcAnswer) => void },
  ): void {
    if (!this.#arrives(from, to) || this.off.has(to)) return;
    this.time.after(this.#delay(), () => {
      const server = this.server(to);
      if (this.off.has(to)) return;
      const reply = (answer: RpcAnswer): void => {
        if (!this.#arrives(to, from)) return;
        this.time.after(this.#delay(), () => receive(answer));
      };
      if (!server.isUp) {
        reply({ kind: "refused" });
        return;
      }
      const execute = (): void => {
        server.sessions.set(from, session);
        reply({ kind: "answered", server: this.report(to), beacon: server.beacon });
      };
      if (server.isFrozen) server.waiting.push(execute);
      else execute();
    });
  }

  // What a server says

  report(id: NodeId): ServerReport {
    const said = report(this.server(id), this.firstPrimary, this.time.now);
    return this.scenario.weakening?.alterReport?.(said) ?? said;
  }

  membership(id: NodeId): Membership {
    const members = makeSyncSet(this.dataNodes.map(({ nodeId }) => nodeId));
    const syncState = this.isPreferred
      ? readSyncState(this.server(id).log)
      : { version: 1, current: members, pending: null };
    const rows = { ...readMembership(this.server(id).log, this.scenario.members), syncState };
    return this.scenario.weakening?.alterMembership?.(rows) ?? rows;
  }

  // What servers do

  #stream(server: ModelServer): void {
    const { upstream, nodeId } = server;
    if (!server.isUp || server.isFrozen || !server.inRecovery || upstream === null || this.off.has(nodeId))
      return;
    const source = this.server(upstream);
    const isThere = source.isUp && !source.isFrozen && !this.off.has(upstream);
    if (!isThere || !this.isConnected(upstream, nodeId)) return;
    const outcome = streamFrom(server.log, source.log);
    if (outcome !== "streams") return;
    server.log = source.log;
    if (this.isConnected(nodeId, upstream)) {
      source.flushed.set(nodeId, server.log);
      this.#acknowledge(source);
    }
  }

  #write(server: ModelServer): void {
    if (!server.isUp || server.isFrozen || server.inRecovery) return;
    server.log = write(server.log);
    if (this.scenario.settings.sync_mode === "off") this.guarantees.acknowledged(server, server.log);
    else this.#acknowledge(server);
  }

  /** ANY q of the other data nodes; before the term row is there, nobody's word counts (B.6 rule 3). */
  #acknowledge(server: ModelServer): void {
    if (this.scenario.settings.sync_mode === "off" || server.inRecovery || !server.isUp || server.isFrozen)
      return;
    const { promotion, timeline } = report(server, this.firstPrimary, this.time.now);
    const isRecorded =
      timeline === 1 || (promotion?.node === server.nodeId && promotion.timeline === timeline);
    const confirmed = [...server.flushed]
      .filter(([id, log]) => log.branch === server.log.branch && this.isAttached(id, server))
      .map(([, { end }]) => end);
    const { quorumOf } = this.scenario.weakening ?? {};
    const registered = isRecorded ? Math.floor(this.dataNodes.length / 2) : Infinity;
    const quorum = this.isPreferred
      ? quorumByNames(server.names)
      : (quorumOf?.({ attached: confirmed.length, isRecorded }) ?? registered);
    const upTo = quorum === 0 ? server.log.end : confirmed.sort((x, y) => y - x)[quorum - 1];
    if (upTo !== undefined) this.guarantees.acknowledged(server, { branch: server.log.branch, end: upTo });
  }

  isAttached(id: NodeId, primary: ModelServer): boolean {
    const { isUp, upstream } = this.server(id);
    return isUp && upstream === primary.nodeId && this.isConnected(id, primary.nodeId);
  }

  #guard(server: ModelServer): void {
    if (!server.isUp || server.isFrozen || server.inRecovery || this.time.now <= server.guardUntil) return;
    this.note(server.nodeId, () => "the guard stops the server");
    server.startsAsStandby = true;
    const { timeline, termRow } = report(server, this.firstPrimary, this.time.now);
    server.stoppedByGuard = { timeline, term: termRow };
    this.stopServer(server.nodeId);
  }

  stopServer(id: NodeId): void {
    const server = this.server(id);
    server.life++;
    server.isUp = false;
    server.isFrozen = false;
    server.waiting = [];
    server.sessions = new Map();
    server.beacon = null;
    server.flushed = new Map();
  }

  startServer(id: NodeId): void {
    const server = this.server(id);
    if (server.isUp || this.off.has(id)) return;
    const { settings } = this.scenario;
    const isArmed = settings.primary_isolation_timeout !== null || settings.sync_mode !== "off";
    server.life++;
    server.isUp = true;
    if (!this.isWitness(id)) server.inRecovery = server.startsAsStandby || isArmed;
    server.startsAsStandby = server.inRecovery;
    server.guardUntil = Infinity;
    server.replaysUntil = this.time.now + this.random.between(0, 2500);
    this.note(id, () => `the server starts ${server.inRecovery ? "as a standby" : "writable"}`);
  }

  thaw(id: NodeId): void {
    const server = this.server(id);
    if (!server.isFrozen) return;
    server.isFrozen = false;
    server.thawedAt = this.time.now;
    const { life } = server;
    for (const statement of server.waiting.splice(0)) {
      if (server.life === life) statement();
    }
  }

  /** The promote statement was executed; recovery ends a little later. */
  promoteServer(id: NodeId, ended: () => void): void {
    const server = this.server(id);
    server.names = BLOCKED_NAMES;
    const wasFrozen = this.time.now === server.thawedAt;
    if (!server.isUp || !server.inRecovery) {
      ended();
      return;
    }
    const { life } = server;
    server.wasFrozenInPromotion = wasFrozen;
    const finish = (): void => {
      if (server.life !== life) {
        ended();
        return;
      }
      if (server.isFrozen) {
        server.wasFrozenInPromotion = true;
        server.waiting.push(finish);
        return;
      }
      server.inRecovery = false;
      server.startsAsStandby = false;
      server.upstream = null;
      server.log = fork(server.log);
      server.promotedAt = this.time.now;
      server.flushed = new Map();
      this.note(id, () => `out of recovery on timeline ${server.log.branch.timeline}`);
      this.guarantees.promoted(server);
      ended();
    };
    this.time.after(this.random.between(20, 300), finish);
  }

  writeRow(id: NodeId, row: LogRow): void {
    const server = this.server(id);
    if (!server.isUp || server.isFrozen || server.inRecovery) return;
    server.log = write(server.log, row);
    this.note(
      id,
      () =>
        `writes ${JSON.stringify(row, (_key, value: unknown) => (typeof value === "bigint" ? Number(value) : value))}`,
    );
    if (row.kind === "promotion") this.guarantees.recorded(row.record);
    if (row.kind === "sync-state" && (row.state.exclusion?.node ?? null) !== null) this.exclusions++;
  }

  /** pg_rewind, or a new copy where that cannot do it. */
  copyFrom(id: NodeId, source: NodeId): void {
    const server = this.server(id);
    server.log = this.server(source).log;
    server.upstream = source;
    server.startsAsStandby = true;
  }

  // What an observer would say in the end

  writableServers(): readonly ModelServer[] {
    return this.dataNodes.filter(({ isUp, inRecovery }) => isUp && !inRecovery);
  }

  /** One primary, and everybody streams from it, however many steps away; a twin waits for a person, read-only. */
  isWhole(isTwin: (id: NodeId) => boolean): boolean {
    const [primary, second] = this.writableServers();
    if (primary === undefined || second !== undefined) return false;
    const recent: ModelLog = { branch: primary.log.branch, end: primary.log.end - 20 };
    return this.dataNodes.every(
      ({ isUp, isFrozen, log, nodeId }) => isUp && !isFrozen && (holds(log, recent) || isTwin(nodeId)),
    );
  }
}

/** How many of the standbys a commit waits for; there are no more names than standbys. */
function quorumByNames(names: string): number {
  if (names === BLOCKED_NAMES) return Infinity;
  return names === "" ? 0 : Number(/^ANY (\d+) /.exec(names)?.[1] ?? Infinity);
}
