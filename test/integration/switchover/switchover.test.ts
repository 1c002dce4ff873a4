import { beforeAll, describe, expect, it } from "vitest";
import { waitUntil } from "../../harness/wait-until.js";
import { makeCluster, slotsOf, type SwitchCluster, type SwitchNode } from "./make-cluster.js";
import { tellStory, type Story } from "./story.js";
import { startWriter } from "./writer.js";

/** Many more rounds than fit into an ordinary run: TEST_LONG=1. */
const ROUNDS = process.env["TEST_LONG"] === undefined ? 1 : 10;

describe("standby switchover", () => {
  let cluster: SwitchCluster;
  let story: Story;
  let node1: SwitchNode;
  let node2: SwitchNode;
  let node3: SwitchNode;

  beforeAll(async () => {
    cluster = await makeCluster(3);
    story = tellStory(cluster);
    [node1, node2, node3] = cluster.nodes as [SwitchNode, SwitchNode, SwitchNode];
  });

  it("shows with --dry-run what it would do, and changes nothing", async () => {
    const result = await node2.run("standby", "switchover", "--dry-run", "--siblings-follow");
    expect(result.exitCode, result.output).toBe(0);
    expect(result.stderr).toContain('following shutdown command would be run on node "node1"');
    expect(result.stderr).toContain('would let node "node3" (ID: 3) follow node "node2" (ID: 2)');
    expect(result.stderr).toContain("INFO: prerequisites for executing STANDBY SWITCHOVER are met");
    await story.expectHealthy();
    expect((await story.findRoles()).primary.id).toBe(1);
  });

  it("refuses a primary, and reports all problems at once", async () => {
    const onPrimary = await node1.run("standby", "switchover");
    expect(onPrimary.exitCode, onPrimary.output).toBe(18);
    await cluster.configure(2, {
      replication_lag_critical: 2,
      replication_lag_warning: 1,
      ssh_options: "-p 1",
    });
    await node2.server.sql("SELECT pg_wal_replay_pause()");
    await node1.server.sql("CREATE TABLE public.lag AS SELECT 1 AS i");
    const result = await waitUntil("there is a lag", async () => {
      const refused = await node2.run("standby", "switchover", "--siblings-follow");
      return refused.stderr.includes("ERROR: replication lag on this node is critical") ? refused : null;
    });
    expect(result.exitCode, result.output).toBe(1);
    expect(result.stderr.match(/^ERROR: /gm)).toHaveLength(3);
    expect(result.stderr).toContain("ERROR: 1 of 1 sibling nodes cannot be told to follow");
    await node2.server.sql("SELECT pg_wal_replay_resume()");
    await cluster.configure(2, {});
  });

  it("loses no row that was acknowledged, there and back", { timeout: 60_000 * ROUNDS }, async () => {
    const writer = await startWriter([node1, node2]);
    for (let round = 0; round < 2 * ROUNDS; round += 1) {
      const { candidate } = await story.findRoles();
      const before = writer.acknowledged();
      const result = await candidate.run("standby", "switchover", "--siblings-follow");
      expect(result.exitCode, result.output).toBe(0);
      expect(result.stderr).toContain("NOTICE: STANDBY SWITCHOVER has completed successfully");
      await waitUntil("the writer goes on", async () => writer.acknowledged() > before + 5);
      await story.expectHealthy();
    }
    const outcome = await writer.stop();
    if (ROUNDS > 1)
      console.log(
        `${2 * ROUNDS} switchovers: ${outcome.ids.length} rows acknowledged, longest time without one ${Math.round(outcome.longestGapMs)} ms`,
      );
    const { primary } = await story.findRoles();
    const rows = await primary.server.sql<{ id: number }>("SELECT id FROM public.written ORDER BY id");
    const kept = new Set(rows.map(({ id }) => id));
    expect(outcome.ids.filter((id) => !kept.has(id))).toEqual([]);
    const events = await primary.server.sql<{ successful: boolean; details: string }>(
      "SELECT successful, details FROM repmgr.events WHERE event = 'standby_switchover'",
    );
    expect(events).toHaveLength(2 * ROUNDS);
    expect(events.every(({ successful }) => successful)).toBe(true);
  });

  it("leaves a sibling with the old primary when it is not told to follow", async () => {
    const result = await node2.run("standby", "switchover");
    expect(result.exitCode, result.output).toBe(0);
    expect(result.stderr).toContain('but option "--siblings-follow" not specified');
    expect(await slotsOf(node2)).toEqual(["repmgr_slot_1 active"]);
    await waitUntil(
      "the sibling streams",
      async () => (await slotsOf(node1)).join() === "repmgr_slot_3 active",
    );
    expect((await node3.run("standby", "follow")).exitCode).toBe(0);
    await story.expectHealthy();
  });

  it("leaves the old primary down, and says what to run, when it cannot rejoin", async () => {
    await cluster.configure(2, { service_start_command: "false" });
    const result = await node1.run("standby", "switchover", "--siblings-follow");
    await cluster.configure(2, {});
    expect(result.exitCode, result.output).toBe(22);
    expect(result.stderr).toContain("NOTICE: STANDBY SWITCHOVER has completed with issues");
    const hint = /HINT: on that node: tsrepmgr -f \S+ node rejoin -d '([^']+)'/.exec(result.stderr);
    const rejoined = await node2.run("node", "rejoin", "-d", hint?.[1] ?? "");
    expect(rejoined.exitCode, rejoined.output).toBe(0);
    const left = (await slotsOf(node2)).filter((slot) => slot.includes("3"));
    for (const slot of left) await node2.server.sql("SELECT pg_drop_replication_slot($1)", [slot]);
    await story.expectHealthy();
  });
});
