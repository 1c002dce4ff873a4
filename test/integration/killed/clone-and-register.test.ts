import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { adoptServer, freePort, newDirectory } from "../../harness/postgres-server.js";
import { writeRepmgrConf } from "../../harness/program.js";
import { killAtEachAnnouncement } from "./kill-at.js";
import {
  addStandby,
  awaitStreaming,
  expectSuccess,
  makeNode,
  makePrimary,
  recordOf,
  slotsOf,
  type Node,
} from "./make-nodes.js";

describe("killed by SIGKILL at each announcement and run again", () => {
  let primary: Node;

  beforeAll(async () => {
    primary = await makePrimary();
  });

  it("standby clone -F leaves a standby that streams through its slot", async () => {
    const directory = await newDirectory("clone");
    const dataDirectory = join(directory, "data");
    const { server } = primary;
    const port = await freePort();
    const conf = await writeRepmgrConf(
      {
        directory,
        dataDirectory,
        binDirectory: server.binDirectory,
        conninfo: `host=127.0.0.1 port=${port}`,
      },
      { node_id: 2, node_name: "node2", use_replication_slots: true },
    );
    const source = ["-h", server.host, "-p", String(server.port), "-U", "repmgr", "-d", "repmgr"];
    const count = await killAtEachAnnouncement({
      prepare: () => Promise.resolve(["-f", conf, ...source, "standby", "clone", "-F", "-c"]),
      verify: async () => {
        const clone = await makeNode(await adoptServer({ name: "node2", dataDirectory, port }), 2);
        await clone.server.start();
        await awaitStreaming(primary, clone);
        expect(await slotsOf(primary)).toEqual(["repmgr_slot_2"]);
        await clone.server.stop();
      },
    });
    expect(count).toBeGreaterThanOrEqual(8);
    await server.sql("SELECT pg_drop_replication_slot('repmgr_slot_2')");
  }, 300_000);

  it("standby register leaves a standby that is recorded", async () => {
    const standby = await addStandby(primary, 3);
    const count = await killAtEachAnnouncement({
      exitCodeWhenDone: 1,
      prepare: async () => {
        await expectSuccess(standby.run("standby", "unregister"));
        return ["-f", standby.conf, "standby", "register", "--wait-sync=20"];
      },
      verify: async () => {
        expect(await recordOf(primary, 3)).toEqual({ type: "standby", upstream: 1, active: true });
      },
    });
    expect(count).toBeGreaterThanOrEqual(4);
  }, 120_000);
});
