import { access } from "node:fs/promises";
import { expect, it } from "vitest";
import { createPrimary } from "../../harness/postgres-server.js";
import { runProgram, writeRepmgrConf } from "../../harness/program.js";
import { waitUntil } from "../../harness/wait-until.js";
import { letFailOver } from "./make-failover-cluster.js";
import { startDaemon } from "./start-daemon.js";

const isInstalled = await access("/usr/lib/postgresql/15/lib/repmgr.so").then(
  () => true,
  () => false,
);

it.skipIf(!isInstalled)(
  "the functions of the reference's library tell of the daemon, and of its end",
  async () => {
    const server = await createPrimary({ name: "n1" });
    await server.sql("ALTER SYSTEM SET shared_preload_libraries = 'repmgr'");
    await server.stop("fast");
    await server.start();
    await server.sql("CREATE EXTENSION repmgr");
    const configFile = await writeRepmgrConf(server, { node_id: 1, node_name: "n1" });
    const registered = await runProgram(["-f", configFile, "primary", "register"]);
    expect(registered.exitCode, registered.output).toBe(0);
    await letFailOver({ id: 1, server, configFile });
    const daemon = startDaemon(configFile);
    const pid = async (): Promise<unknown> =>
      (await server.sql("SELECT repmgr.get_repmgrd_pid() AS pid"))[0]?.["pid"];
    await waitUntil("the library knows the process", async () => (await pid()) === daemon.pid).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}\n${daemon.log()}`);
      },
    );
    expect(
      await server.sql(
        "SELECT repmgr.get_local_node_id() AS id, repmgr.repmgrd_is_running() AS runs, repmgr.get_upstream_node_id() AS upstream",
      ),
    ).toEqual([{ id: 1, runs: true, upstream: -1 }]);
    daemon.signal("SIGTERM");
    expect(await daemon.ended).toEqual({ exitCode: 0, signal: null });
    expect(await pid()).toBe(-1);
  },
);
