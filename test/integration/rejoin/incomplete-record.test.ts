import { copyFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startProgram } from "../../harness/program.js";
import { waitUntil } from "../../harness/wait-until.js";
import {
  addStandby,
  awaitReplay,
  awaitStreaming,
  expectSuccess,
  makePrimary,
  type Node,
} from "../killed/make-nodes.js";

const SEGMENT_BYTES = 16 * 1024 * 1024;
/** Less than a page, more than any record that the server writes by itself. */
const REST_BYTES = 3000;

interface Cluster {
  /** Died within a record that goes on in the next segment. */
  readonly old: Node;
  readonly promoted: Node;
  /** Has received as much of that record as there is, and crashed. */
  readonly ahead: Node;
}

async function emit({ server }: Node, bytes: number): Promise<void> {
  await server.sql("SELECT pg_logical_emit_message(true, 'filler', repeat('x', $1))", [bytes]);
}

async function restOfSegment({ server }: Node): Promise<number> {
  const [row] = await server.sql<{ written: string }>(
    "SELECT (pg_current_wal_insert_lsn() - '0/0') % $1 AS written",
    [SEGMENT_BYTES],
  );
  return SEGMENT_BYTES - Number(row?.written);
}

async function fillSegment(node: Node): Promise<void> {
  for (;;) {
    const rest = await restOfSegment(node);
    if (rest < REST_BYTES) return;
    await emit(node, rest > 10 * REST_BYTES ? Math.floor(rest * 0.9) : REST_BYTES / 10);
  }
}

async function detach({ server }: Node): Promise<void> {
  await server.sql("ALTER SYSTEM SET primary_conninfo = ''");
  await server.sql("SELECT pg_reload_conf()");
  await waitUntil("it receives nothing any more", async () => {
    return (await server.sql("SELECT FROM pg_stat_wal_receiver")).length === 0;
  });
}

const walOf = ({ server }: Node, name: string): string => join(server.dataDirectory, "pg_wal", name);

/** The next segment: PostgreSQL makes a file of zeros, or takes one that is not needed any more, before it writes. */
type NextSegment = "missing" | "empty";

async function makeCluster(nextSegment: NextSegment): Promise<Cluster> {
  const settings = {
    autovacuum: "off",
    bgwriter_delay: "10s",
    wal_keep_size: "128MB",
    wal_retrieve_retry_interval: "200ms",
  };
  const old = await makePrimary({ settings });
  const [promoted, ahead] = [await addStandby(old, 2), await addStandby(old, 3)];
  await old.server.sql("CREATE TABLE public.kept AS SELECT 1 AS i");
  await fillSegment(old);
  const [row] = await old.server.sql<{ name: string }>(
    "SELECT pg_walfile_name(pg_current_wal_lsn()) AS name",
  );
  const segment = row?.name ?? "";
  for (const standby of [promoted, ahead]) {
    await awaitReplay(old, standby);
    await detach(standby);
  }
  await emit(old, 5 * REST_BYTES);
  for (const { server } of [old, ahead]) await server.stop("immediate");
  const later = (await readdir(walOf(old, ""))).filter(
    (name) => /^[0-9A-F]{24}$/.test(name) && name > segment,
  );
  const [next = "", ...unused] = later.sort();
  for (const name of unused) await rm(walOf(old, name));
  if (nextSegment === "missing") await rm(walOf(old, next));
  else await writeFile(walOf(old, next), Buffer.alloc(SEGMENT_BYTES));
  for (const name of nextSegment === "missing" ? [segment] : [segment, next])
    await copyFile(walOf(old, name), walOf(ahead, name));
  await promoted.server.sql("SELECT pg_promote()");
  await expectSuccess(promoted.run("primary", "register", "--force"));
  return { old, promoted, ahead };
}

const rejoinTo = ({ server }: Node): readonly string[] => [
  "node",
  "rejoin",
  "-d",
  server.conninfo,
  "--force-rewind",
];

async function killAt({ conf }: Node, words: readonly string[], announcement: string): Promise<void> {
  const program = startProgram(["-f", conf, ...words], {
    onStderr: (text) => {
      if (text.includes(announcement)) program.kill("SIGKILL");
    },
  });
  expect((await program.result).exitCode).toBeNull();
}

async function expectAttached({ promoted, node }: { promoted: Node; node: Node }): Promise<void> {
  await awaitStreaming(promoted, node);
  await promoted.server.sql("CREATE TABLE public.later AS SELECT generate_series(1, 100) AS i");
  await awaitReplay(promoted, node);
  await node.server.stop();
  await node.server.start();
  await awaitStreaming(promoted, node);
  await promoted.server.sql("DROP TABLE public.later");
  await awaitReplay(promoted, node);
}

describe("a log that ends within a record that goes on in the next segment", () => {
  it.each<NextSegment>(["missing", "empty"])(
    "is no obstacle to node rejoin of the old primary and of a standby that received it: that is %s",
    async (nextSegment) => {
      const { old, promoted, ahead } = await makeCluster(nextSegment);
      for (const node of [old, ahead]) {
        const dry = await expectSuccess(node.run(...rejoinTo(promoted), "--dry-run"));
        expect(dry.stderr).toContain("would discard the incomplete record");
        await expectSuccess(node.run(...rejoinTo(promoted)));
        await expectAttached({ promoted, node });
      }
    },
    120_000,
  );

  it("is no obstacle to standby follow of the old primary, started as a standby of nobody", async () => {
    const { old, promoted } = await makeCluster("missing");
    await writeFile(join(old.server.dataDirectory, "standby.signal"), "");
    await old.server.start();
    await killAt(old, ["standby", "follow"], "discarding the incomplete record");
    await expectSuccess(old.run("standby", "follow"));
    await expectAttached({ promoted, node: old });
  }, 120_000);
});
