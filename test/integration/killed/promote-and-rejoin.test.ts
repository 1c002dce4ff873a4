import { beforeEach, describe, expect, it } from "vitest";
import { newDirectory } from "../../harness/postgres-server.js";
import { startProgram } from "../../harness/program.js";
import { killAtEachAnnouncement } from "./kill-at.js";
import {
  addStandby,
  awaitReplay,
  awaitStreaming,
  expectSuccess,
  makePrimary,
  recordOf,
  slotsOf,
  type Node,
} from "./make-nodes.js";

const CONFIG_FILES = "--config-files=postgresql.conf,pg_hba.conf";

describe("killed by SIGKILL at each announcement and run again", () => {
  let primary: Node;
  let standby: Node;
  const swap = (): void => {
    [primary, standby] = [standby, primary];
  };
  const rejoinWords = (): string[] => ["node", "rejoin", "-d", primary.server.conninfo];

  beforeEach(async () => {
    primary = await makePrimary({ settings: { wal_keep_size: "256MB" } });
    standby = await addStandby(primary, 2);
  });

  const verifyAttached = async (): Promise<void> => {
    await awaitStreaming(primary, standby);
    expect(await recordOf(primary, standby.id)).toEqual({
      type: "standby",
      upstream: primary.id,
      active: true,
    });
    expect(await slotsOf(primary)).toEqual([`repmgr_slot_${standby.id}`]);
    expect(await slotsOf(standby)).toEqual([]);
  };

  it("standby promote leaves a primary that is recorded as one", async () => {
    const count = await killAtEachAnnouncement({
      exitCodeWhenDone: 8,
      prepare: async (round) => {
        if (round > 0) {
          swap();
          await expectSuccess(standby.run(...rejoinWords()));
          await awaitReplay(primary, standby);
        }
        await primary.server.stop();
        return ["-f", standby.conf, "standby", "promote"];
      },
      verify: async () => {
        expect(await standby.server.sql("SELECT pg_is_in_recovery() AS yes")).toEqual([{ yes: false }]);
        expect(await recordOf(standby, standby.id)).toEqual({
          type: "primary",
          upstream: null,
          active: true,
        });
        expect(await recordOf(standby, primary.id)).toMatchObject({ active: false });
        const [event] = await standby.server.sql(
          "SELECT event, node_id FROM repmgr.events ORDER BY event_timestamp DESC LIMIT 1",
        );
        expect(event).toEqual({ event: "standby_promote", node_id: standby.id });
      },
    });
    expect(count).toBeGreaterThanOrEqual(3);
  }, 300_000);

  const changeRoles = async (): Promise<void> => {
    await expectSuccess(standby.run("standby", "promote"));
    swap();
  };

  it("node rejoin leaves a standby that streams", async () => {
    const count = await killAtEachAnnouncement({
      prepare: async () => {
        await awaitReplay(primary, standby);
        await primary.server.stop();
        await changeRoles();
        return ["-f", standby.conf, ...rejoinWords()];
      },
      verify: verifyAttached,
    });
    expect(count).toBeGreaterThanOrEqual(5);
  }, 300_000);

  it("node rejoin goes on with a server that the killed run started while this one looks", async () => {
    await primary.server.stop();
    await changeRoles();
    await expectSuccess(standby.run(...rejoinWords()));
    await standby.server.stop();
    const restarts: Promise<void>[] = [];
    const started = startProgram(["-f", standby.conf, ...rejoinWords()], {
      onStderr: (text) => {
        if (restarts.length > 0 || !text.includes("NOTICE: rejoin target is node")) return;
        started.kill("SIGSTOP");
        const restart = standby.server.start().then(() => awaitStreaming(primary, standby));
        restarts.push(restart.finally(() => started.kill("SIGCONT")));
      },
    });
    await expectSuccess(started.result);
    expect(restarts).toHaveLength(1);
    await Promise.all(restarts);
    await verifyAttached();
  });

  it.each(["fast", "immediate"] as const)(
    "node rejoin --force-rewind of a node that diverged and was stopped (%s) leaves a standby that streams",
    async (mode) => {
      const archive = `--config-archive-dir=${await newDirectory("archive")}`;
      const count = await killAtEachAnnouncement({
        prepare: async (round) => {
          await awaitReplay(primary, standby);
          await standby.server.stop();
          await primary.server.sql(
            `CREATE TABLE public.lost_${round} AS SELECT generate_series(1, 1000) AS i`,
          );
          await primary.server.stop(mode);
          await standby.server.start();
          await changeRoles();
          await primary.server.sql(
            `CREATE TABLE public.kept_${round} AS SELECT generate_series(1, 1000) AS i`,
          );
          return ["-f", standby.conf, ...rejoinWords(), "--force-rewind", CONFIG_FILES, archive];
        },
        verify: async () => {
          await verifyAttached();
          await awaitReplay(primary, standby);
          const tables = await standby.server.sql("SELECT relname FROM pg_class WHERE relname LIKE 'lost_%'");
          expect(tables).toEqual([]);
        },
      });
      expect(count).toBeGreaterThanOrEqual(7);
    },
    600_000,
  );
});
