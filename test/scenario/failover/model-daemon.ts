import { lostAnswerLimitMs } from "../../../src/decide/check-pace.js";
import { beaconOf, decide, isUrgent, startState, watchedUpstream } from "../../../src/decide/transitions.js";
import type { Action, DaemonState, LongCommand, Observation } from "../../../src/decide/watch-types.js";
import type { MemberAnswer } from "../../../src/model/member-report.js";
import type { NodeId } from "../../../src/model/node-record.js";
import { emptyMemory, type DaemonMemory } from "../../../src/model/vote.js";
import type { FailoverSettings } from "../../../src/decide/failover-settings.js";
import type { Lsn } from "../../../src/model/lsn.js";
import type { Cluster, RpcAnswer } from "./cluster.js";
import { streamFrom } from "./model-log.js";
import type { CommandTemper } from "./scenario.js";
import { asRemembered, asSeen, ModelSyncDriver, recordExclusion } from "./model-sync-driver.js";
import { describeTransition } from "./describe-transition.js";
import { noMessage } from "./model-server.js";
import { BLOCKED_NAMES } from "../../../src/model/sync-state.js";

const ASK_MS = 1000;

/** One tsrepmgrd: the product's judgement, and a loop around it in virtual time. */
export class ModelDaemon {
  /** What the state file holds; it survives the daemon. */
  memory: DaemonMemory | null = emptyMemory;
  state: DaemonState | null = null;
  isFrozen = false;
  readonly #rate: number;
  readonly #settings: FailoverSettings;
  #life = 0;
  #isWriting = false;
  #inbox: Observation[] = [];
  #lookedAtUpstreamAt = -Infinity;
  #lookOutstanding = false;
  #commandLife = 0;
  readonly #syncDriver: ModelSyncDriver;

  constructor(
    readonly cluster: Cluster,
    readonly nodeId: NodeId,
    readonly temper: CommandTemper,
  ) {
    this.#rate = cluster.random.between(0.99, 1.01);
    this.#settings = { ...cluster.scenario.settings, ...cluster.scenario.weakening?.settings };
    this.#syncDriver = new ModelSyncDriver(cluster, this, () => ({ life: this.#life, now: this.#clock }));
  }

  get isRunning(): boolean {
    return this.state !== null;
  }

  get #clock(): number {
    return this.cluster.time.now * this.#rate;
  }

  get #server() {
    return this.cluster.server(this.nodeId);
  }

  start(): void {
    if (this.state !== null || this.cluster.off.has(this.nodeId)) return;
    this.#life++;
    const { weakening } = this.cluster.scenario;
    if (weakening?.forgetsVotes === true && this.memory !== null)
      this.memory = { ...this.memory, vote: null };
    const leaseSeed = Math.floor(this.cluster.random.between(0, 1e9));
    const state = startState(this.nodeId, {
      memory: this.memory,
      leaseSeed,
      settings: this.#settings,
      now: this.#clock,
    });
    // A history begins with daemons that have run for longer than any hold.
    const begun = this.#life > 1 ? state : { ...state, voter: { ...state.voter, holdUntil: this.#clock } };
    this.state = weakening?.alterStart?.(begun) ?? begun;
    this.#isWriting = false;
    this.#inbox = [];
    this.#lookOutstanding = false;
    this.isFrozen = false;
    this.cluster.note(this.nodeId, () => "the daemon starts");
    this.#scheduleTurn(this.#life, 0);
    if (this.cluster.isPreferred) this.#syncDriver.start(this.#life);
  }

  kill(): void {
    this.#life++;
    this.state = null;
    this.#server.beacon = null;
  }

  thaw(): void {
    if (!this.isFrozen) return;
    this.isFrozen = false;
    this.#drain();
  }

  #scheduleTurn(life: number, delay: number): void {
    this.cluster.time.after(delay, () => {
      if (life !== this.#life || this.state === null) return;
      if (!this.isFrozen) this.#turn(this.state);
      const lease = this.#settings.primary_isolation_timeout;
      const calm = Math.min(this.#settings.monitor_interval_secs, lease === null ? Infinity : lease / 10);
      this.#scheduleTurn(life, (isUrgent(this.state) ? 100 : calm) * this.cluster.random.between(0.9, 1.1));
    });
  }

  #turn(state: DaemonState): void {
    const server = this.#server;
    if (server.isUp && !server.isFrozen) {
      const sessions = [...server.sessions.values()];
      this.#submit({
        kind: "local-seen",
        server: asSeen(this.cluster, this.cluster.report(this.nodeId)),
        membership: this.cluster.membership(this.nodeId),
        sessions: {
          requests: sessions.flatMap(({ request }) => (request === null ? [] : [request])),
          leases: sessions.flatMap(({ lease }) => (lease === null ? [] : [lease])),
          exclusions: sessions.flatMap(({ exclusion }) => (exclusion === null ? [] : [exclusion])),
        },
      });
    } else this.#submit({ kind: "local-lost", stoppedByGuard: server.stoppedByGuard });
    this.#lookAtUpstream(state);
    this.#submit({ kind: "tick" });
  }

  #lookAtUpstream(state: DaemonState): void {
    const upstream = watchedUpstream(state);
    const isReconnecting = state.watch.state.kind === "reconnecting";
    const period = isReconnecting ? this.#settings.reconnect_interval : this.#settings.monitor_interval_secs;
    if (upstream === null || this.#lookOutstanding || this.#clock - this.#lookedAtUpstreamAt < period * 0.9)
      return;
    this.#lookedAtUpstreamAt = this.#clock;
    this.#lookOutstanding = true;
    const life = this.#life;
    let isOver = false;
    const end = (observation: Observation): void => {
      if (isOver || life !== this.#life) return;
      isOver = true;
      this.#lookOutstanding = false;
      if (this.state !== null && watchedUpstream(this.state) === upstream) this.#submit(observation);
    };
    this.#call(upstream, (answer) =>
      end(
        answer.kind === "refused"
          ? { kind: "upstream-lost" }
          : { kind: "upstream-seen", inRecovery: answer.server.inRecovery },
      ),
    );
    this.cluster.time.after(ASK_MS, () => end({ kind: "upstream-lost" }));
  }

  #call(to: NodeId, receive: (answer: RpcAnswer) => void): void {
    const held = this.cluster.server(to).sessions.get(this.nodeId) ?? noMessage;
    this.cluster.call(this.nodeId, to, { session: held, receive });
  }

  #submit(observation: Observation): void {
    this.#inbox.push(observation);
    this.#drain();
  }

  #drain(): void {
    while (this.state !== null && !this.isFrozen && !this.#isWriting) {
      const observation = this.#inbox.shift();
      if (observation === undefined) return;
      this.#judge(this.state, observation);
    }
  }

  #judge(before: DaemonState, observation: Observation): void {
    const { state, actions } = decide(before, observation, { settings: this.#settings, now: this.#clock });
    this.cluster.note(this.nodeId, () => describeTransition(before, state, observation));
    const [first] = actions;
    if (first?.kind !== "write-memory") {
      this.#carryOut(state, actions);
      return;
    }
    const life = this.#life;
    const isWrittenEarly = this.cluster.random.chance(0.5);
    if (isWrittenEarly) this.#writeFile(first.memory);
    this.#isWriting = true;
    const finish = (): void => {
      if (life !== this.#life) return;
      if (this.isFrozen) {
        this.cluster.time.after(20, finish);
        return;
      }
      if (!isWrittenEarly) this.#writeFile(first.memory);
      this.#isWriting = false;
      this.#carryOut(state, actions.slice(1));
      this.#drain();
    };
    this.cluster.time.after(this.cluster.random.between(1, 15), finish);
  }

  #writeFile(memory: DaemonMemory): void {
    this.memory = memory;
    if (memory.wasPrimary !== null) this.#server.stoppedByGuard = null;
    if (memory.vote !== null) this.cluster.guarantees.voteWritten(this.nodeId, memory.vote);
  }

  #carryOut(state: DaemonState, actions: readonly Action[]): void {
    this.state = asRemembered(this.cluster, state);
    if (this.#server.isUp && !this.#server.isFrozen) this.#server.beacon = beaconOf(state, this.#clock);
    for (const action of actions) this.#act(action, state);
  }

  #act(action: Action, state: DaemonState): void {
    switch (action.kind) {
      case "write-memory":
        throw new Error("write-memory is not the first action");
      case "ask-members": {
        this.#askMembers(action);
        return;
      }
      case "run-validation":
        this.#run("validate", this.cluster.random.between(50, 3000), () => !this.cluster.random.chance(0.2));
        return;
      case "run-promote": {
        this.#promote(action.term, action.deadline);
        return;
      }
      case "abort-promotion": {
        this.#abort();
        return;
      }
      case "write-promotion": {
        const { log, isUp, isFrozen } = this.#server;
        if (!isUp || isFrozen) return;
        this.#server.names = BLOCKED_NAMES;
        const { branch } = log;
        const forkLsn = BigInt(branch.forkAt) as Lsn;
        const record = { term: action.term, node: this.nodeId, timeline: branch.timeline, forkLsn };
        this.cluster.writeRow(this.nodeId, {
          kind: "promotion",
          record,
          former: action.formerPrimary,
        });
        return;
      }
      case "run-follow": {
        this.#run("follow", this.cluster.random.between(50, 500), () => this.#follow(action.primary));
        return;
      }
      case "run-rejoin": {
        this.#rejoin(action.primary);
        return;
      }
      case "fence": {
        this.#run("fence", this.cluster.random.between(10, 100), () => {
          this.#server.startsAsStandby = true;
          this.cluster.stopServer(this.nodeId);
          return true;
        });
        return;
      }
      case "start-server":
        if (action.asStandby) this.#server.startsAsStandby = true;
        this.#run("start", this.cluster.random.between(200, 1500), () => {
          this.cluster.startServer(this.nodeId);
          return true;
        });
        return;
      case "start-guard":
        if (this.#server.guardUntil === Infinity || this.#server.inRecovery)
          this.#server.guardUntil = this.cluster.time.now + action.goodForMs / this.#rate;
        return;
      case "kick-guard":
      case "release-guard":
        this.#server.guardUntil =
          action.kind === "kick-guard" ? this.cluster.time.now + action.goodForMs / this.#rate : Infinity;
        return;
      case "detach-receiver":
        this.#detach();
        return;
      case "record-exclusion":
        recordExclusion(this.#server, action.exclusion);
        return;
      case "announce":
        this.cluster.note(this.nodeId, () => `announces ${action.event} (${state.watch.state.kind})`);
    }
  }

  #detach(): void {
    const [server, life] = [this.#server, this.#server.life];
    this.cluster.time.after(this.cluster.random.between(20, 400), () => {
      if (server.life === life && !server.isFrozen) server.upstream = null;
    });
  }

  #askMembers({ request, lease }: Extract<Action, { kind: "ask-members" }>): void {
    const life = this.#life;
    const askedAt = this.#clock;
    const altered =
      request === null ? null : (this.cluster.scenario.weakening?.alterRequest?.(request) ?? request);
    const others = this.cluster.scenario.members.filter(({ nodeId }) => nodeId !== this.nodeId);
    const answers = new Map<NodeId, MemberAnswer>();
    let isOver = false;
    const finish = (): void => {
      if (isOver || life !== this.#life) return;
      isOver = true;
      const all = others.map(
        ({ nodeId }) => answers.get(nodeId) ?? ({ kind: "unreachable", nodeId } as const),
      );
      this.#submit({ kind: "members-answered", answers: all, askedAt });
    };
    for (const { nodeId } of others) {
      const held = this.cluster.server(nodeId).sessions.get(this.nodeId) ?? noMessage;
      const session = { ...held, request: altered, lease: lease ?? held.lease };
      this.cluster.call(this.nodeId, nodeId, {
        session,
        receive: (answer) => {
          if (isOver || life !== this.#life) return;
          const heard = this.#hear(nodeId, answer);
          answers.set(nodeId, heard);
          if (answers.size === others.length) finish();
          else if (heard.kind === "answered")
            this.#submit({ kind: "member-answered", answer: heard, askedAt });
        },
      });
    }
    this.cluster.time.after(ASK_MS, finish);
    const lost = this.state?.watch.state.kind === "electing" ? watchedUpstream(this.state) : null;
    const isEnough = (): boolean => others.every(({ nodeId }) => nodeId === lost || answers.has(nodeId));
    this.cluster.time.after(lostAnswerLimitMs(0, ASK_MS), () => isEnough() && finish());
  }

  #hear(nodeId: NodeId, answer: RpcAnswer): MemberAnswer {
    if (answer.kind === "refused") return { kind: "unreachable", nodeId };
    const heard = { ...answer, nodeId };
    const alter = this.cluster.scenario.weakening?.alterAnswer;
    return this.state === null ? heard : (alter?.(heard, this.state) ?? heard);
  }

  /** A command is a process of its own: it goes on when the daemon dies, but then nobody hears of its end. */
  #run(command: LongCommand, duration: number, effect: () => boolean): void {
    const life = this.#life;
    const command_ = ++this.#commandLife;
    this.cluster.time.after(duration, () => {
      if (command_ !== this.#commandLife) return;
      const succeeded = !this.cluster.off.has(this.nodeId) && effect();
      if (life === this.#life) this.#submit({ kind: "command-ended", command, succeeded });
    });
  }

  #promote(term: number, deadline: number): void {
    this.cluster.guarantees.promotionBegun(this.nodeId, term);
    const { random, time, scenario } = this.cluster;
    const life = this.#life;
    const command = ++this.#commandLife;
    const end = (succeeded: boolean): void => {
      if (life === this.#life && command === this.#commandLife)
        this.#submit({ kind: "command-ended", command: "promote", succeeded });
    };
    const happens = (rate: number): boolean => random.chance(rate) && time.now < this.temper.isMendedAt;
    if (happens(this.temper.hangRate)) return;
    if (happens(this.temper.failureRate)) {
      time.after(100, () => end(false));
      return;
    }
    const slow = happens(this.temper.slowRate) ? random.between(1000, 9000) : random.between(20, 200);
    const isHeeded = !this.temper.isForeign && scenario.weakening?.ignoresDeadline !== true;
    const { life: serverLife } = this.#server;
    const isEndedInTime =
      this.#clock + slow * this.#rate >= deadline && scenario.weakening?.ignoresDeadline !== true;
    time.after(slow, () => {
      const server = this.#server;
      if (isEndedInTime || command !== this.#commandLife || server.life !== serverLife) {
        end(false);
        return;
      }
      const statement = (): void => {
        if (isHeeded && this.#clock >= deadline) {
          end(false);
          return;
        }
        this.cluster.promoteServer(this.nodeId, () => end(true));
      };
      if (server.isFrozen) server.waiting.push(statement);
      else statement();
    });
  }

  #abort(): void {
    this.#commandLife++;
    this.#server.startsAsStandby = true;
    this.cluster.stopServer(this.nodeId);
    this.#run("abort-promotion", this.cluster.random.between(300, 1500), () => {
      this.cluster.startServer(this.nodeId);
      return this.#server.isUp;
    });
  }

  #isUsable(primary: NodeId): boolean {
    const target = this.cluster.server(primary);
    const isThere = target.isUp && !target.isFrozen && !this.cluster.off.has(primary);
    return (
      isThere &&
      !target.inRecovery &&
      this.cluster.isConnected(this.nodeId, primary) &&
      this.cluster.isConnected(primary, this.nodeId)
    );
  }

  #follow(primary: NodeId): boolean {
    const server = this.#server;
    if (!server.isUp || server.isFrozen || !this.#isUsable(primary)) return false;
    const target = this.cluster.server(primary);
    if (this.cluster.isWitness(this.nodeId)) {
      server.log = target.log;
      return true;
    }
    if (!server.inRecovery) return false;
    const outcome = streamFrom(server.log, target.log);
    if (outcome === "corrupts") this.cluster.guarantees.sawTwin(server, target);
    if (outcome === "cannot") return false;
    server.upstream = primary;
    this.cluster.writeRow(primary, { kind: "joined", node: this.nodeId });
    return true;
  }

  #rejoin(primary: NodeId): void {
    this.cluster.stopServer(this.nodeId);
    this.#server.startsAsStandby = true;
    this.#run("rejoin", this.cluster.random.between(500, 3000), () => {
      const isUsable = this.#isUsable(primary);
      if (isUsable) {
        this.cluster.copyFrom(this.nodeId, primary);
        this.cluster.writeRow(primary, { kind: "joined", node: this.nodeId });
      }
      this.cluster.startServer(this.nodeId);
      return isUsable;
    });
  }
}
