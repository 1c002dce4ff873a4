import type { NodeId } from "../../../src/model/node-record.js";
import type { Cluster } from "./cluster.js";
import type { ModelDaemon } from "./model-daemon.js";
import type { FaultKind } from "./scenario.js";

/** Breaks one thing after the other until `until`, and mends each of them after a while. */
export class Faults {
  readonly #ids: readonly NodeId[];

  constructor(
    readonly cluster: Cluster,
    readonly daemons: ReadonlyMap<NodeId, ModelDaemon>,
    readonly until: number,
  ) {
    this.#ids = [...daemons.keys()];
    this.#next();
  }

  #next(): void {
    const { random, time } = this.cluster;
    time.after(random.between(500, 5000), () => {
      if (time.now >= this.until) return;
      this.#strike(random.pick(this.cluster.scenario.faults), random.between(500, 12_000));
      this.#next();
    });
  }

  /** Half of the faults hit a primary, where there is one. */
  #victim(): NodeId {
    const { random } = this.cluster;
    const primary = this.cluster.writableServers()[0];
    return primary !== undefined && random.chance(0.5) ? primary.nodeId : random.pick(this.#ids);
  }

  #daemon(id: NodeId): ModelDaemon {
    const daemon = this.daemons.get(id);
    if (daemon === undefined) throw new RangeError(`no node ${id}`);
    return daemon;
  }

  #strike(kind: FaultKind, duration: number): void {
    const { cluster } = this;
    const { random, time } = cluster;
    const id = this.#victim();
    const others = this.#ids.filter((other) => other !== id);
    const other = random.pick(others);
    cluster.note(
      null,
      () => `${kind} node ${id}${kind.includes("cut") ? ` and ${other}` : ""} for ${Math.round(duration)} ms`,
    );
    const mend = (run: () => void): void => time.after(duration, run);
    switch (kind) {
      case "cut":
        this.#cut(
          [
            [id, other],
            [other, id],
          ],
          mend,
        );
        break;
      case "one-way-cut":
        this.#cut([random.chance(0.5) ? [id, other] : [other, id]], mend);
        break;
      case "isolate":
        this.#cut(
          others.flatMap((one): [NodeId, NodeId][] => [
            [id, one],
            [one, id],
          ]),
          mend,
        );
        break;
      case "split": {
        const side = new Set(this.#ids.filter(() => random.chance(0.5)));
        const wires = this.#ids.flatMap((a) =>
          this.#ids.filter((b) => side.has(a) !== side.has(b)).map((b): [NodeId, NodeId] => [a, b]),
        );
        this.#cut(wires, mend);
        break;
      }
      case "kill-server":
        this.killServer(id, duration);
        break;
      case "kill-daemon":
        this.killDaemon(id, duration);
        break;
      case "reboot":
        cluster.off.add(id);
        cluster.stopServer(id);
        this.#daemon(id).kill();
        mend(() => this.#boot(id));
        break;
      case "freeze-daemon":
        this.#daemon(id).isFrozen = true;
        mend(() => this.#daemon(id).thaw());
        break;
      case "freeze-server":
        this.#freezeServer(id);
        mend(() => cluster.thaw(id));
        break;
      case "freeze-node":
        this.#daemon(id).isFrozen = true;
        this.#freezeServer(id);
        mend(() => {
          cluster.thaw(id);
          this.#daemon(id).thaw();
        });
        break;
    }
  }

  #cut(wires: readonly (readonly [NodeId, NodeId])[], mend: (run: () => void) => void): void {
    for (const [from, to] of wires) this.cluster.cut(from, to);
    mend(() => {
      for (const [from, to] of wires) this.cluster.heal(from, to);
    });
  }

  #freezeServer(id: NodeId): void {
    const server = this.cluster.server(id);
    if (server.isUp) server.isFrozen = true;
  }

  killServer(id: NodeId, downFor: number): void {
    const { life } = this.cluster.server(id);
    this.cluster.stopServer(id);
    this.cluster.time.after(downFor, () => {
      if (this.cluster.server(id).life === life + 1) this.cluster.startServer(id);
    });
  }

  killDaemon(id: NodeId, downFor: number): void {
    this.#daemon(id).kill();
    this.cluster.time.after(downFor, () => this.#daemon(id).start());
  }

  #boot(id: NodeId): void {
    this.cluster.off.delete(id);
    this.cluster.time.after(this.cluster.random.between(0, 1000), () => this.cluster.startServer(id));
    this.cluster.time.after(this.cluster.random.between(0, 2000), () => this.#daemon(id).start());
  }

  /** Everything works again; who was stopped on purpose stays stopped. */
  healAll(): void {
    this.cluster.healAll();
    for (const id of this.#ids) {
      this.cluster.thaw(id);
      this.#daemon(id).thaw();
      if (this.cluster.off.has(id)) this.#boot(id);
      this.#daemon(id).start();
    }
  }
}
