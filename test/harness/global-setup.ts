import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { findLeaks } from "./find-leaks.js";
import { ordinaryUser } from "./ordinary-user.js";
import { sampleProcesses } from "./sample-processes.js";
import { stopLeftServers } from "./stop-left-servers.js";
import { testPassword } from "./test-run.js";

/** Makes the folder of this run; at the end nothing runs any more and nothing that was written tells the password. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const root = await mkdtemp(join(tmpdir(), "tsrepmgr-test-"));
  const evidence = join(root, "evidence");
  await mkdir(evidence);
  await mkdir(join(root, "home"));
  await writeFile(join(root, "passfile"), `*:*:*:*:${testPassword.replace(/[\\:]/g, "\\$&")}\n`);
  await chmod(join(root, "passfile"), 0o600);
  const user = ordinaryUser();
  if (user !== null) {
    for (const path of [root, evidence, join(root, "home"), join(root, "passfile")]) {
      await chown(path, user.uid, user.gid);
    }
  }
  project.provide("runDirectory", root);
  const stopSampling = sampleProcesses(root, join(evidence, "process-list"));
  return async () => {
    await stopSampling();
    await stopLeftServers(root);
    const leaks = await findLeaks(root);
    const failed = leaks.length > 0 || project.vitest.state.getCountOfFailedTests() > 0;
    if (failed) console.error(`the folder of this test run is kept: ${root}`);
    else await rm(root, { recursive: true, force: true });
    if (leaks.length > 0) {
      process.exitCode = 1;
      throw new Error(`the test password was written to:\n${leaks.join("\n")}`);
    }
  };
}
