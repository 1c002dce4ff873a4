import { setTimeout as sleep } from "node:timers/promises";
import { abandon, connectTo, type FaultNode } from "./fault-node.js";
import type { Acknowledgement } from "./figures.js";
import { waitUntil } from "../harness/wait-until.js";

export interface Load {
  /** Milliseconds since the load began, the time of its acknowledgements. */
  nowMs(): number;
  /** What was acknowledged until now. */
  acknowledgements(): readonly Acknowledgement[];
  /** Waits until so many rows were acknowledged after this moment. */
  awaitAcknowledged(count: number, timeoutMs?: number): Promise<void>;
  stop(): Promise<readonly Acknowledgement[]>;
}

const PAUSE_MS = 20;
const PAUSE_ON_STANDBY_MS = 50;
const isReadOnly = (error: unknown): boolean => (error as { code?: string }).code === "25006";

/** Rows of all loads of this process have numbers of their own. */
let lastRow = 0;

/**
 * Two clients for each node write numbered rows wherever writes are accepted. One gives up after a second and connects
 * again, as an application's pool; the other waits, so that it sees what a thawed server still answers.
 */
export async function startLoad(nodes: readonly FaultNode[]): Promise<Load> {
  const startedAt = performance.now();
  const acknowledged: Acknowledgement[] = [];
  const signal: { isOver: boolean } = { isOver: false };
  const nowMs = (): number => performance.now() - startedAt;
  const writers = nodes.flatMap((node) =>
    [1000, 120_000].map((patienceMs) =>
      write({
        node,
        patienceMs,
        signal,
        nowMs,
        note: (row, sentMs) => acknowledged.push({ row, node: node.name, sentMs, atMs: nowMs() }),
      }),
    ),
  );
  const load: Load = {
    nowMs,
    acknowledgements: () => acknowledged,
    awaitAcknowledged: async (count, timeoutMs) => {
      const before = acknowledged.length;
      await waitUntil(
        `${String(count)} more rows are acknowledged`,
        async () => acknowledged.length >= before + count,
        timeoutMs,
      );
    },
    stop: async () => {
      signal.isOver = true;
      // A patient client may wait for a server that is gone.
      await Promise.race([Promise.all(writers), sleep(1500)]);
      return acknowledged;
    },
  };
  await load.awaitAcknowledged(20);
  return load;
}

interface Writer {
  readonly node: FaultNode;
  readonly patienceMs: number;
  readonly signal: { readonly isOver: boolean };
  readonly nowMs: () => number;
  readonly note: (row: number, sentMs: number) => void;
}

async function write({ node, patienceMs, signal, nowMs, note }: Writer): Promise<void> {
  let client = null as ReturnType<typeof connectTo> | null;
  const warnings: unknown[] = [];
  while (!signal.isOver) {
    try {
      if (client === null) {
        client = connectTo(node.address, patienceMs);
        client.on("notice", (notice) => warnings.push(notice));
        await client.connect();
      }
      const row = ++lastRow;
      const sentMs = nowMs();
      await client.query("INSERT INTO load (row, node) VALUES ($1, $2)", [row, node.name]);
      // A commit whose wait for a standby was cancelled comes with a warning: it was not acknowledged.
      if (warnings.splice(0).length === 0) note(row, sentMs);
      await sleep(PAUSE_MS);
    } catch (error) {
      if (!isReadOnly(error) && client !== null) {
        abandon(client);
        client = null;
      }
      await sleep(PAUSE_ON_STANDBY_MS);
    }
  }
  if (client !== null) abandon(client);
}
