import { createNamedSession, type NamedSession } from "../coordination/named-session.js";
import { followLag, measureLag, noLag, type LagRecord } from "../decide/sync-lag.js";
import { judgePreferred } from "../decide/sync-offer.js";
import { decidePreferredStep, type PreferredFacts } from "../decide/sync-preferred.js";
import type { SyncFacts } from "../decide/sync-set.js";
import { readExclusion } from "../metadata/cluster-record.js";
import { renderExclusionWish } from "../model/beacon.js";
import { parseConninfo } from "../model/conninfo.js";
import { describeNode, type NodeId, type NodeRecord } from "../model/node-record.js";
import type { SyncExclusion } from "../model/sync-exclusion.js";
import type { SyncState, SyncStep } from "../model/sync-state.js";
import type { Runtime } from "./runtime.js";

const WITNESS_WITHIN_MS = 1000;
const WISH_IDLE_MS = 60_000;

/** The primary's side of `sync_mode=preferred`: what it asks of the witness, and who is late. */
export interface PreferredMode {
  /** Hears the witness before a step is judged. */
  listen(): Promise<void>;
  judge(facts: SyncFacts, term: number): SyncStep;
  ask(wish: SyncExclusion): Promise<void>;
  /** Tells of a row that was written. */
  tell(written: SyncState): void;
  /** This node does not lead any more, or not yet. */
  forget(): void;
  close(): Promise<void>;
}

export function createPreferredMode(runtime: Runtime): PreferredMode {
  const { context, peers, events } = runtime;
  const { clock, databases, reporter } = context;
  let witness: PreferredFacts["witness"] = null;
  let lag: LagRecord = noLag;
  let known: SyncState["exclusion"];
  let wishes: { readonly conninfo: string; readonly session: NamedSession } | null = null;
  let lastWish = "";

  const isOffered = (): boolean =>
    context.settings().sync_mode === "preferred" && judgePreferred(runtime.records) === null;
  const findWitness = (): NodeRecord | undefined => runtime.records.find(({ type }) => type === "witness");
  const nameOf = (id: NodeId): string => {
    const record = runtime.records.find(({ nodeId }) => nodeId === id);
    return record === undefined ? `(ID: ${id})` : describeNode(record);
  };
  return {
    listen: async () => {
      witness = null;
      const record = findWitness();
      if (record === undefined || (!isOffered() && known === undefined)) return;
      const answer = await peers.of(record).use(WITNESS_WITHIN_MS, readExclusion);
      if (answer.kind === "answered") witness = { record: answer.value };
    },
    judge: (facts, term) => {
      const timeoutMs = context.settings().sync_standby_timeout;
      const now = clock.monotonic();
      lag = followLag(lag, facts, { now, keepMs: 2 * timeoutMs });
      const ids = facts.nodes.map(({ nodeId }) => nodeId);
      known = facts.state?.exclusion;
      return decidePreferredStep({
        ...facts,
        term,
        mayExclude: isOffered(),
        witness,
        lagMs: measureLag(lag, ids, now),
        timeoutMs,
      });
    },
    ask: async (wish) => {
      const record = findWitness();
      if (record === undefined) return;
      const name = renderExclusionWish(wish);
      if (name !== lastWish)
        reporter.notice(
          wish.node === null
            ? "asking the witness to vote for every standby again"
            : `asking the witness for permission to go on without node ${nameOf(wish.node)}`,
          { detail: `epoch ${wish.epoch}, term ${wish.term}` },
        );
      lastWish = name;
      if (wishes?.conninfo !== record.conninfo) {
        void wishes?.session.close();
        const session = createNamedSession(databases, parseConninfo(record.conninfo), {
          idleTimeoutMs: WISH_IDLE_MS,
        });
        wishes = { conninfo: record.conninfo, session };
      }
      await wishes.session.show(name, WITNESS_WITHIN_MS);
    },
    tell: ({ exclusion }) => {
      const [before, now] = [known?.node ?? null, exclusion?.node ?? null];
      if (before === now) return;
      const epoch = exclusion?.epoch ?? 0;
      if (now !== null)
        events.raise({
          event: "sync_standby_excluded",
          successful: true,
          details: `commits go on without node ${nameOf(now)}, which is not promoted until it is counted again; epoch ${epoch}`,
        });
      else if (before !== null)
        events.raise({
          event: "sync_standby_readmitted",
          successful: true,
          details: `commits wait for node ${nameOf(before)} again, which has every acknowledged row`,
        });
    },
    forget: () => {
      lag = noLag;
      known = undefined;
    },
    close: async () => {
      await wishes?.session.close();
    },
  };
}
