import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { waitUntil } from "../../harness/wait-until.js";
import { addStandby, awaitReplay, expectSuccess, makePrimary, type Node } from "../killed/make-nodes.js";

interface Twins {
  readonly one: Node;
  readonly other: Node;
}

const timelineOf = async ({ server }: Node): Promise<unknown> =>
  (await server.sql<{ t: string }>("SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8) AS t"))[0]?.t;

/** Two standbys of one primary, promoted apart at the same position. */
async function makeTwins(promote: (node: Node) => Promise<unknown>): Promise<Twins> {
  const parent = await makePrimary();
  const [one, other] = [await addStandby(parent, 2), await addStandby(parent, 3)];
  await parent.server.sql("CREATE TABLE public.kept AS SELECT 1 AS i");
  for (const node of [one, other]) await awaitReplay(parent, node);
  await parent.server.stop();
  for (const node of [one, other]) {
    await waitUntil("nothing is left to be received", async () => {
      const rows = await node.server.sql("SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming'");
      return rows.length === 0;
    });
    await promote(node);
    await waitUntil("it is promoted", async () => {
      const [row] = await node.server.sql<{ r: boolean }>("SELECT pg_is_in_recovery() AS r");
      return row?.r === false;
    });
    // "standby promote" would find the other one.
    await node.server.stop("immediate");
  }
  for (const node of [one, other]) await node.server.start();
  expect(await timelineOf(one)).toBe(await timelineOf(other));
  // So that the position of the one is not behind that of the other.
  await other.server.sql("CREATE TABLE public.only_here AS SELECT generate_series(1, 5000) AS i");
  return { one, other };
}

describe("two standbys that were promoted apart from each other", () => {
  it.each([
    { how: "standby promote", promote: (node: Node) => expectSuccess(node.run("standby", "promote")) },
    {
      how: "pg_promote() and registered",
      promote: async (node: Node) => {
        await node.server.sql("SELECT pg_promote()");
        await expectSuccess(node.run("primary", "register", "--force"));
      },
    },
  ])("are kept apart by node rejoin, stopped well or killed: $how", async ({ promote }) => {
    const { one, other } = await makeTwins(promote);
    const rejoin = (...words: string[]) =>
      one.run("node", "rejoin", "--force-rewind", "-d", other.server.conninfo, ...words);
    const expectRefusal = async (): Promise<void> => {
      const refused = await rejoin();
      expect(refused.exitCode, refused.output).toBe(24);
      expect(refused.stderr).toContain("were promoted apart from each other");
      expect(refused.stderr).toMatch(
        /HINT: to copy the target again: tsrepmgr -f '.*' standby clone --force -d 'host=/,
      );
      expect(refused.stderr).not.toContain("executing pg_rewind");
    };
    await one.server.stop("immediate");
    await expectRefusal();
    await one.server.start();
    expect(await timelineOf(one)).toBe("00000002");
    await one.server.stop();
    await expectRefusal();
    expect(existsSync(join(one.server.dataDirectory, "standby.signal"))).toBe(false);
  });

  it("are kept apart by standby follow", async () => {
    const { one, other } = await makeTwins((node) => expectSuccess(node.run("standby", "promote")));
    const follower = await addStandby(one, 4);
    await awaitReplay(one, follower);
    // As a copy of the other's records would have it.
    await other.server.sql(
      `INSERT INTO repmgr.nodes (node_id, upstream_node_id, active, node_name, type, conninfo, repluser, slot_name, config_file)
       VALUES (4, 3, true, 'node4', 'standby', $1, 'repmgr', NULL, '/x')`,
      [follower.server.conninfo],
    );
    await one.server.stop("immediate");
    const refused = await follower.run("standby", "follow", "--upstream-node-id=3");
    expect(refused.exitCode, refused.output).toBe(23);
    expect(refused.stderr).toContain("were promoted apart from each other");
    expect(refused.stderr).toMatch(/HINT: to give up what it holds, .* standby clone --force -d 'host=/);
  });
});
