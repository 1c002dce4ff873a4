import type { NodeId } from "../../../src/model/node-record.js";
import type { PromotionRecord, Vote } from "../../../src/model/vote.js";
import type { Cluster } from "./cluster.js";
import { holds, type ModelLog } from "./model-log.js";
import type { ModelServer } from "./model-server.js";
import { hasMajority } from "../../../src/decide/quorum.js";

export type Violation =
  | "same term twice"
  | "promoted without a majority"
  | "two votes in one term"
  | "a vote of a lower term"
  | "two promotions at once"
  | "two servers acknowledge at once"
  | "an acknowledged row is lost"
  | "a twin follows its twin"
  | "no end: not one primary with all others behind it";

/** Watches a history for what is promised; which of it is promised in which mode is the test's to say. */
export class Guarantees {
  readonly violations = new Map<Violation, string>();
  readonly #promotions = new Map<number, PromotionRecord>();
  /** By voter and term, as its state file had them. */
  readonly #votes = new Map<string, NodeId>();
  readonly #lastVote = new Map<NodeId, Vote>();
  readonly #acknowledged = new Map<NodeId, ModelLog[]>();
  #overlapMs = 0;
  promotionCount = 0;
  /** Told of each vote as it is written, for faults that wait for one. */
  onVote: (voter: NodeId, vote: Vote) => void = () => undefined;

  constructor(readonly cluster: Cluster) {}

  get overlapMs(): number {
    return this.#overlapMs;
  }

  #violate(violation: Violation, detail: string): void {
    if (this.violations.has(violation)) return;
    const at = (this.cluster.time.now / 1000).toFixed(3);
    this.violations.set(violation, `${violation} at ${at} s: ${detail}`);
    this.cluster.note(null, () => `VIOLATION ${violation}: ${detail}`);
  }

  voteWritten(voter: NodeId, vote: Vote): void {
    const key = `${voter}/${vote.term}`;
    const before = this.#votes.get(key);
    if (before !== undefined && before !== vote.candidate)
      this.#violate(
        "two votes in one term",
        `node ${voter} voted for ${before} and ${vote.candidate} in term ${vote.term}`,
      );
    this.#votes.set(key, vote.candidate);
    const last = this.#lastVote.get(voter);
    if (last !== undefined && vote.term < last.term)
      this.#violate("a vote of a lower term", `node ${voter} voted in term ${vote.term} after ${last.term}`);
    this.#lastVote.set(voter, vote);
    if (before === undefined) this.onVote(voter, vote);
  }

  /** A daemon is about to promote its server: the files of the others must say so too. */
  promotionBegun(candidate: NodeId, term: number): void {
    const { members } = this.cluster.scenario;
    const rows = members.map((member) => ({ ...member, active: true, location: "" }));
    const granting = rows.filter(({ nodeId }) => this.#votes.get(`${nodeId}/${term}`) === candidate);
    if (members.length >= 3 && !hasMajority(rows, new Set(granting.map(({ nodeId }) => nodeId))))
      this.#violate("promoted without a majority", `node ${candidate} in term ${term}`);
  }

  promoted(server: ModelServer): void {
    this.promotionCount++;
    const { now } = this.cluster.time;
    const other = this.cluster
      .writableServers()
      .find((one) => one !== server && !one.isFrozen && now - one.promotedAt < 3500);
    if (other === undefined || other.wasFrozenInPromotion || server.wasFrozenInPromotion) return;
    this.#violate("two promotions at once", `nodes ${other.nodeId} and ${server.nodeId}`);
  }

  recorded(record: PromotionRecord): void {
    const before = this.#promotions.get(record.term);
    if (before !== undefined && before.node !== record.node)
      this.#violate("same term twice", `nodes ${before.node} and ${record.node} in term ${record.term}`);
    this.#promotions.set(record.term, record);
  }

  acknowledged(server: ModelServer, upTo: ModelLog): void {
    const { now } = this.cluster.time;
    if (this.cluster.scenario.settings.sync_mode !== "off") {
      const list = this.#acknowledged.get(server.nodeId) ?? [];
      const last = list.at(-1);
      if (last?.branch === upTo.branch && last.end >= upTo.end) return;
      if (last?.branch === upTo.branch) list.pop();
      list.push(upTo);
      this.#acknowledged.set(server.nodeId, list);
    }
    server.lastAckAt = now;
    for (const other of this.cluster.dataNodes) {
      if (other === server || now - other.lastAckAt > 50) continue;
      this.#overlapMs += 50;
      const hasJustThawed = [server, other].some(({ thawedAt }) => now - thawedAt < 250);
      if (this.cluster.scenario.settings.sync_mode === "off" && hasJustThawed) continue;
      this.#violate("two servers acknowledge at once", `nodes ${other.nodeId} and ${server.nodeId}`);
    }
  }

  sawTwin(standby: ModelServer, source: ModelServer): void {
    this.#violate("a twin follows its twin", `node ${standby.nodeId} streams from node ${source.nodeId}`);
  }

  ended(isWhole: boolean): void {
    if (!isWhole) this.#violate("no end: not one primary with all others behind it", this.#describeEnd());
    const [primary] = this.cluster.writableServers();
    if (primary === undefined) return;
    for (const [node, list] of this.#acknowledged) {
      const lost = list.find((entry) => !holds(primary.log, entry));
      if (lost !== undefined)
        this.#violate(
          "an acknowledged row is lost",
          `of node ${node} at ${lost.end}, timeline ${lost.branch.timeline}`,
        );
    }
  }

  #describeEnd(): string {
    return this.cluster.dataNodes
      .map(({ nodeId, isUp, inRecovery, log, upstream }) => {
        const role = isUp ? (inRecovery ? `standby of ${upstream}` : "writable") : "down";
        return `node ${nodeId} ${role} on timeline ${log.branch.timeline} at ${log.end}`;
      })
      .join(", ");
  }
}
