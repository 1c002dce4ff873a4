import { describe, expect, it } from "vitest";
import {
  addStandby,
  awaitReplay,
  awaitStreaming,
  expectSuccess,
  makePrimary,
  type Node,
} from "../killed/make-nodes.js";

const rejoinTo = ({ server }: Node): readonly string[] => [
  ...["node", "rejoin", "-d", server.conninfo],
  ...["--force-rewind", "--config-files=postgresql.conf"],
];

type Settings = Readonly<Record<string, string>>;

interface Standbys {
  readonly second: Node;
  readonly crashed: Node;
  readonly next: Node;
}

/** `second` is promoted, and the others follow it. */
async function makeFollowers(settings: Settings): Promise<Standbys> {
  const first = await makePrimary({ settings });
  const second = await addStandby(first, 2);
  const crashed = await addStandby(first, 3);
  const next = await addStandby(first, 4);
  await first.server.stop();
  await expectSuccess(second.run("standby", "promote"));
  await expectSuccess(crashed.run("standby", "follow"));
  await expectSuccess(next.run("standby", "follow"));
  return { second, crashed, next };
}

/** Only `crashed` gets what the statement writes before `second` and it crash and `next` is promoted. */
async function crashAhead({ second, crashed, next }: Standbys, statement: string): Promise<void> {
  await awaitReplay(second, next);
  await next.server.stop();
  // pg_rewind needs one on the timeline that is left.
  await second.server.sql("CHECKPOINT");
  await second.server.sql(statement);
  await awaitReplay(second, crashed);
  await second.server.stop("immediate");
  await crashed.server.stop("immediate");
  await next.server.start();
  await expectSuccess(next.run("standby", "promote"));
}

async function expectRewound({ crashed, next }: Standbys): Promise<void> {
  const rewound = await expectSuccess(crashed.run(...rejoinTo(next)));
  expect(rewound.stderr).toContain("WARNING: WAL that exists on this node only will be discarded");
  await awaitStreaming(next, crashed);
  await awaitReplay(next, crashed);
}

describe("node rejoin of a standby that crashed", () => {
  it("finds the end of its log on a timeline that is younger than its last restart point", async () => {
    const standbys = await makeFollowers({ wal_keep_size: "128MB" });
    const { crashed } = standbys;
    await crashAhead(standbys, "CREATE TABLE public.lost AS SELECT generate_series(1, 1000) AS i");
    await expectRewound(standbys);
    expect(await crashed.server.sql("SELECT to_regclass('public.lost') IS NULL AS gone")).toEqual([
      { gone: true },
    ]);
  }, 120_000);

  it("finds it as well when its last restart point is on the timeline before", async () => {
    // Little room for pages: they are written while WAL is replayed, and pg_control says how far.
    const standbys = await makeFollowers({ wal_keep_size: "128MB", shared_buffers: "1MB" });
    const { second, crashed } = standbys;
    await second.server.sql("CREATE TABLE public.kept AS SELECT generate_series(1, 50000) AS i");
    await awaitReplay(second, crashed);
    expect(
      await crashed.server.sql(
        `SELECT timeline_id AS restart_point, min_recovery_end_timeline AS recovery
         FROM pg_control_checkpoint(), pg_control_recovery()`,
      ),
    ).toEqual([{ restart_point: 1, recovery: 2 }]);
    await crashAhead(standbys, "INSERT INTO public.kept VALUES (0)");
    await expectRewound(standbys);
    expect(await crashed.server.sql("SELECT count(*)::int AS rows FROM public.kept WHERE i = 0")).toEqual([
      { rows: 0 },
    ]);
  }, 120_000);

  it("replays what a primary that came back has sent, far beyond where it is consistent", async () => {
    const settings = { bgwriter_lru_maxpages: "0", wal_retrieve_retry_interval: "100ms" };
    const first = await makePrimary({ settings });
    const second = await addStandby(first, 2);
    const crashed = await addStandby(first, 3);
    await first.server.sql("CREATE TABLE public.lost (i integer)");
    await awaitReplay(first, crashed);
    await first.server.stop();
    await expectSuccess(second.run("standby", "promote"));
    await second.server.sql("CHECKPOINT");
    await first.server.start();
    await first.server.sql("INSERT INTO public.lost SELECT generate_series(1, 1000)");
    await awaitReplay(first, crashed);
    await crashed.server.stop("immediate");
    await first.server.stop("immediate");

    const rewound = await expectSuccess(crashed.run(...rejoinTo(second)));
    expect(rewound.stderr).toContain("NOTICE: executing pg_rewind");
    expect(rewound.stderr).not.toContain("no rewind is required");
    await awaitStreaming(second, crashed);
    await awaitReplay(second, crashed);
    expect(await crashed.server.sql("SELECT count(*)::int AS rows FROM public.lost")).toEqual([{ rows: 0 }]);
  }, 120_000);
});
