import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import {
  adoptServer,
  createPrimary,
  freePort,
  newDirectory,
  testPassword,
  type TestServer,
} from "../../harness/postgres-server.js";
import { runProgram, writeRepmgrConf } from "../../harness/program.js";

/** The statements that README gives for a role without superuser, for another name and an existing database. */
function grantsOfReadme(role: string): readonly string[] {
  const readme = readFileSync(resolve(import.meta.dirname, "../../../README.md"), "utf8");
  const [, block = ""] = /### Without a superuser\n.*?```sql\n(.*?)```/s.exec(readme) ?? [];
  return block
    .split("\n")
    .map((line) =>
      line
        .replace(/--.*/, "")
        .trim()
        .replaceAll(/\brepmgr\b/g, role),
    )
    .filter((line) => line !== "");
}

/** Where the role has the rights of README, the superuser is either not needed or named once. */
describe.each([
  ["owning its database", []],
  ["in somebody else's database, the schema made by a superuser", ["--superuser=repmgr"]],
])("the main job with a role that is no superuser, %s", (_case, superuser) => {
  let primary: TestServer;
  let database: string;

  const confOf = async (server: TestServer, nodeId: number): Promise<string> => {
    const conninfo = server.conninfo.replace("user=repmgr dbname=repmgr", `user=manager dbname=${database}`);
    return writeRepmgrConf(
      { ...server, conninfo },
      { node_id: nodeId, node_name: `node${nodeId}`, use_replication_slots: true },
    );
  };

  beforeAll(async () => {
    primary = await createPrimary({ name: "node1" });
    const grants = grantsOfReadme("manager");
    expect(grants).toHaveLength(3);
    for (const grant of grants) await primary.sql(grant);
    await primary.sql(`ALTER ROLE manager PASSWORD '${testPassword}'`);
    await primary.sql("CREATE DATABASE somebody_elses");
    database = superuser.length === 0 ? "manager" : "somebody_elses";
  });

  it("registers, clones, registers and shows", async () => {
    const conf1 = await confOf(primary, 1);
    expect(await runProgram(["-f", conf1, "primary", "register", ...superuser])).toMatchObject({
      exitCode: 0,
    });

    const dataDirectory = join(await newDirectory("node2"), "data");
    const port = await freePort();
    const conninfo = `host=127.0.0.1 port=${port} user=manager dbname=${database} connect_timeout=2`;
    const planned = {
      directory: await newDirectory("conf"),
      dataDirectory,
      binDirectory: primary.binDirectory,
      conninfo,
    };
    const conf2 = await writeRepmgrConf(planned, {
      node_id: 2,
      node_name: "node2",
      use_replication_slots: true,
    });
    const source = ["-h", "127.0.0.1", "-p", String(primary.port), "-U", "manager", "-d", database];
    const clone = await runProgram(["-f", conf2, ...source, "standby", "clone", "-c"]);
    expect(clone.exitCode, clone.output).toBe(0);

    const standby = await adoptServer({ name: "node2", dataDirectory, port });
    await standby.start();
    const register = await runProgram(["-f", conf2, "standby", "register", "--wait-sync=20"]);
    expect(register.exitCode, register.output).toBe(0);
    const show = await runProgram(["-f", conf2, "cluster", "show"]);
    expect(show.exitCode, show.output).toBe(0);
    expect(show.stdout).toContain("standby |   running | node1 ");
    expect(await primary.sql("SELECT slot_name, active FROM pg_replication_slots")).toEqual([
      { slot_name: "repmgr_slot_2", active: true },
    ]);
  });
});
