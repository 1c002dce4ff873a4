import pg from "pg";
import { onTestFinished } from "vitest";
import { testPassword } from "../../harness/test-run.js";
import type { TestNode } from "../cluster/make-cluster.js";

const PAUSE_MS = 20;
/** An acknowledgement is a COMMIT answered without a warning within this time. */
const ANSWER_WITHIN_MS = 1500;

interface Acknowledged {
  readonly id: string;
  readonly server: string;
  readonly at: number;
}

export interface Writers {
  readonly acknowledged: readonly Acknowledged[];
  countOn(node: TestNode): number;
  /** Ends all writers; what was asked for by then and not answered counts for nothing. */
  stop(): Promise<void>;
  /** Acknowledged rows that are not on this server. */
  missingOn(node: TestNode): Promise<readonly string[]>;
  /** Pairs of acknowledgements by different servers, less than `ms` apart. */
  overlaps(ms: number): readonly string[];
}

/** One client at each server that writes again and again, whoever is the primary. */
export async function startWriters(primary: TestNode, nodes: readonly TestNode[]): Promise<Writers> {
  await primary.server.sql("CREATE TABLE IF NOT EXISTS public.written (id text PRIMARY KEY)");
  const acknowledged: Acknowledged[] = [];
  const stopped = new AbortController();
  const loops = nodes.map((node) => writeTo(node, acknowledged, stopped.signal));
  const stop = async (): Promise<void> => {
    stopped.abort();
    await Promise.all(loops);
  };
  onTestFinished(stop);
  return {
    acknowledged,
    countOn: ({ server }) => acknowledged.filter((row) => row.server === server.name).length,
    stop,
    missingOn: async ({ server }) => {
      const rows = await server.sql<{ id: string }>("SELECT id FROM public.written");
      const there = new Set(rows.map(({ id }) => id));
      return acknowledged.filter(({ id }) => !there.has(id)).map(({ id }) => id);
    },
    overlaps: (ms) => {
      const sorted = [...acknowledged].sort((a, b) => a.at - b.at);
      return sorted.flatMap((row, index) => {
        const next = sorted[index + 1];
        return next !== undefined && next.server !== row.server && next.at - row.at < ms
          ? [`${row.id} and ${next.id} within ${Math.round(next.at - row.at)} ms`]
          : [];
      });
    },
  };
}

async function writeTo(
  { server }: TestNode,
  acknowledged: Acknowledged[],
  stopped: AbortSignal,
): Promise<void> {
  const isStopped = (): boolean => stopped.aborted;
  for (let count = 0; !isStopped();) {
    const client = new pg.Client({
      host: server.host,
      port: server.port,
      user: "repmgr",
      database: "repmgr",
      password: testPassword,
      connectionTimeoutMillis: 1000,
    });
    const warnings: unknown[] = [];
    client.on("error", () => undefined);
    client.on("notice", (notice) => warnings.push(notice));
    try {
      await client.connect();
      while (!isStopped()) {
        count += 1;
        const id = `${server.name}-${process.hrtime.bigint()}-${count}`;
        warnings.length = 0;
        const answered = await Promise.race([
          client.query("INSERT INTO public.written VALUES ($1)", [id]).then(() => true),
          new Promise<false>((resolve) => setTimeout(() => resolve(false), ANSWER_WITHIN_MS)),
        ]);
        if (!answered) break;
        if (warnings.length === 0) acknowledged.push({ id, server: server.name, at: performance.now() });
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    } catch {
      // Down, read-only or starting up: it is tried again.
    }
    client.connection.stream.destroy();
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
