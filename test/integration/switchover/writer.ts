import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { testPassword } from "../../harness/test-run.js";
import type { SwitchNode } from "./make-cluster.js";

export interface Writer {
  /** Commits that a server confirmed so far. */
  acknowledged(): number;
  stop(): Promise<{ readonly ids: readonly number[]; readonly longestGapMs: number }>;
}

/** Commits a row after the other on whichever of the nodes takes writes. */
export async function startWriter(nodes: readonly SwitchNode[]): Promise<Writer> {
  const [first] = nodes;
  if (first === undefined) throw new RangeError("a node is needed");
  await first.server.sql("CREATE TABLE IF NOT EXISTS public.written (id integer PRIMARY KEY)");
  const ids: number[] = [];
  const writing = { isOn: true };
  let longestGapMs = 0;
  let lastAt = performance.now();
  let next = 0;
  const write = async (node: SwitchNode): Promise<void> => {
    const client = new pg.Client({
      host: node.server.directory,
      port: node.server.port,
      user: "postgres",
      database: "repmgr",
      password: testPassword,
      options: "-c log_statement=none -c log_min_error_statement=panic",
    });
    client.on("error", () => undefined);
    try {
      await client.connect();
      while (writing.isOn) {
        next += 1;
        await client.query("INSERT INTO public.written VALUES ($1)", [next]);
        ids.push(next);
        longestGapMs = Math.max(longestGapMs, performance.now() - lastAt);
        lastAt = performance.now();
        await sleep(2);
      }
    } catch {
      // Down, or a standby: the other one is tried.
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  const written = (async () => {
    for (let turn = 0; writing.isOn; turn += 1) {
      const node = nodes[turn % nodes.length];
      if (node !== undefined) await write(node);
      await sleep(2);
    }
  })();
  return {
    acknowledged: () => ids.length,
    stop: async () => {
      writing.isOn = false;
      await written;
      return { ids, longestGapMs };
    },
  };
}
