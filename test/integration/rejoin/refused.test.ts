import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { makePlace } from "../clone/make-source.js";
import type { ProgramResult } from "../../harness/program.js";
import {
  addStandby,
  awaitReplay,
  awaitStreaming,
  expectSuccess,
  makePrimary,
  slotsOf,
  type Node,
} from "../killed/make-nodes.js";

/** A comment, quotes, and a value of several lines in the way that PostgreSQL knows. */
const SPECIAL = "# ours: don't touch\nmy.note = 'echo one\\necho ''two'' \\\\ %p' # why\n";

/** One story: each test leaves the nodes for the next. */
describe("node rejoin that is refused, and what it keeps", () => {
  let node1: Node;
  let node2: Node;
  let node3: Node;
  /** postgresql.auto.conf of a clone. */
  let cloned: string;
  const autoConf = ({ server }: Node): Promise<string> =>
    readFile(join(server.dataDirectory, "postgresql.auto.conf"), "utf8");
  const rejoin = (...words: string[]): Promise<ProgramResult> =>
    node1.run("node", "rejoin", "-d", node2.server.conninfo, ...words);

  beforeAll(async () => {
    node1 = await makePrimary({
      settings: { wal_log_hints: "off", wal_keep_size: "256MB" },
      dataChecksums: false,
    });
    await appendFile(join(node1.server.dataDirectory, "postgresql.auto.conf"), SPECIAL);
    const place = await makePlace(node1.server, { node_id: 4 });
    await expectSuccess(place.clone("-c"));
    cloned = await readFile(join(place.dataDirectory, "postgresql.auto.conf"), "utf8");
    node2 = await addStandby(node1, 2);
    node3 = await addStandby(node1, 3);
    await awaitReplay(node1, node2);
    await awaitReplay(node1, node3);
    await node1.server.stop();
    await expectSuccess(node2.run("standby", "promote"));
    await expectSuccess(node3.run("standby", "follow"));
  });

  it("keeps quotes, comments and values of several lines through clone and follow", async () => {
    expect(cloned).toContain(SPECIAL);
    expect(cloned).toContain("primary_conninfo = ");
    expect(await autoConf(node3)).toContain(SPECIAL);
    expect(await node3.server.sql("SHOW my.note")).toEqual([{ "my.note": "echo one\necho 'two' \\ %p" }]);
  });

  it("refuses a target that the records call the primary, but that is in recovery", async () => {
    await node2.server.sql("UPDATE repmgr.nodes SET active = false WHERE node_id = 2");
    await node2.server.sql("UPDATE repmgr.nodes SET type = 'primary' WHERE node_id = 3");
    const result = await rejoin();
    await node2.server.sql("UPDATE repmgr.nodes SET type = 'standby' WHERE node_id = 3");
    await node2.server.sql("UPDATE repmgr.nodes SET active = true WHERE node_id = 2");
    expect(result.exitCode, result.output).toBe(1);
    expect(result.stderr).toContain('"node3" (ID: 3)');
    expect(result.stderr).toMatch(/ERROR: .*rejoin target.* not (?:a|the) primary/);
    expect(await node1.server.isRunning()).toBe(false);
  });

  it("refuses when the target has no room for the slot", async () => {
    const fillers = Array.from(
      { length: 10 - (await slotsOf(node2)).length },
      (_, index) => `filler_${index}`,
    );
    for (const name of fillers)
      await node2.server.sql("SELECT pg_create_physical_replication_slot($1)", [name]);
    const result = await rejoin();
    for (const name of fillers) await node2.server.sql("SELECT pg_drop_replication_slot($1)", [name]);
    expect(result.exitCode, result.output).toBe(1);
    expect(result.stderr).toContain("ERROR: no free replication slot on rejoin target node");
    expect(result.stderr).toContain("HINT: drop slots that are no longer used");
  });

  it("attaches then, and keeps the settings as well", async () => {
    await expectSuccess(rejoin());
    await awaitStreaming(node2, node1);
    expect(await autoConf(node1)).toContain(SPECIAL);
  });

  it("refuses to rewind a node without checksums and wal_log_hints, and prints how to clone it", async () => {
    await awaitReplay(node2, node1);
    await node1.server.sql("SELECT pg_promote()");
    await node1.server.sql("CREATE TABLE public.lost AS SELECT 1 AS i");
    await node1.server.stop();
    const result = await rejoin("--force-rewind");
    expect(result.exitCode, result.output).toBe(1);
    expect(result.stderr).toContain(
      'ERROR: pg_rewind cannot be used: this node has neither data checksums nor "wal_log_hints"',
    );
    expect(result.stderr).toMatch(
      /HINT: to copy the target again: tsrepmgr -f '.*' standby clone --force -d 'host=/,
    );
    expect(await node1.server.isRunning()).toBe(false);
  });
});
