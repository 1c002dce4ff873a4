import { expect, it } from "vitest";
import { createPrimary } from "../../harness/postgres-server.js";
import { runProgram, writeRepmgrConf } from "../../harness/program.js";
import { createStandby } from "../../harness/standby.js";

it("the version of the membership rises with each node that is registered or unregistered", async () => {
  const primary = await createPrimary({ name: "node1" });
  const conf = await writeRepmgrConf(primary, { node_id: 1, node_name: "node1" });
  const version = async (): Promise<unknown> =>
    (await primary.sql("SELECT value FROM repmgr.settings WHERE name = 'members_version'"))[0]?.["value"];
  const run = async (configFile: string, ...words: string[]): Promise<void> => {
    const { exitCode, output } = await runProgram(["-f", configFile, ...words]);
    expect(exitCode, output).toBe(0);
  };
  await run(conf, "primary", "register");
  expect(await version()).toBe("1");
  const standby = await createStandby(primary, "node2");
  const standbyConf = await writeRepmgrConf(standby, { node_id: 2, node_name: "node2" });
  await run(standbyConf, "standby", "register");
  expect(await version()).toBe("2");
  await run(standbyConf, "standby", "register", "--force");
  expect(await version()).toBe("2");
  await run(standbyConf, "standby", "unregister");
  expect(await version()).toBe("3");
});
