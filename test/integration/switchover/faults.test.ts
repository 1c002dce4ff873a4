import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newDirectory } from "../../harness/test-run.js";
import { waitUntil } from "../../harness/wait-until.js";
import { isInRecovery, makeCluster, type SwitchCluster, type SwitchNode } from "./make-cluster.js";
import { tellStory, type Story } from "./story.js";

let cluster: SwitchCluster;
let story: Story;
let node3: SwitchNode;
let hang: string;
let stopWatching: () => Promise<number>;

beforeAll(async () => {
  hang = join(await newDirectory("archive"), "hang");
  // The archiver of a server that shuts down runs once more, and the shutdown waits for it.
  cluster = await makeCluster(3, {
    settings: { archive_mode: "on", archive_command: `while test -f ${hang}; do sleep 0.1; done` },
  });
  for (const { id } of cluster.nodes) await cluster.configure(id, { shutdown_check_timeout: 10 });
  story = tellStory(cluster);
  node3 = cluster.nodes[2] as SwitchNode;
});

beforeEach(() => {
  stopWatching = story.watchWritable();
});

afterEach(async () => {
  expect(await stopWatching()).toBe(1);
});

const words = ["standby", "switchover", "--siblings-follow"];

describe("standby switchover", () => {
  it("starts the old primary again when that hangs in its shutdown", async () => {
    const { primary, candidate } = await story.findRoles();
    await writeFile(hang, "");
    const result = await candidate.run(...words);
    await rm(hang);
    expect(result.exitCode, result.output).toBe(18);
    expect(result.stderr).toContain("has not completed in time");
    expect(result.stderr).toContain(`"${primary.server.name}" (ID: ${primary.id}) is the primary again`);
    expect(await isInRecovery(primary)).toBe(false);
    await story.expectHealthy();
  });

  it("starts the old primary again when this server dies before its promotion", async () => {
    const { primary, candidate } = await story.findRoles();
    const started = candidate.start(...words);
    await started.hasSaid("stopping current primary");
    await candidate.server.stop("immediate");
    const result = await started.result;
    expect(result.exitCode, result.output).toBe(18);
    expect(await isInRecovery(primary)).toBe(false);
    await candidate.server.start();
    await story.expectHealthy();
  });

  it("leaves one primary when this server dies during its promotion", async () => {
    const { candidate } = await story.findRoles();
    const started = candidate.start(...words);
    await started.hasSaid("waiting up to");
    await candidate.server.stop("immediate");
    const result = await started.result;
    expect([18, 22], result.output).toContain(result.exitCode);
    await candidate.server.start();
    if ((await node3.run("cluster", "show")).output.includes("is not finished")) {
      const again = await candidate.run(...words);
      expect([0, 18], again.output).toContain(again.exitCode);
    }
    await story.expectHealthy();
  });

  it("takes everything back on Ctrl-C", async () => {
    const { primary, candidate } = await story.findRoles();
    const started = candidate.start(...words);
    await started.hasSaid("stopping current primary");
    started.kill("SIGINT");
    const result = await started.result;
    expect(result.exitCode, result.output).toBe(130);
    expect(await isInRecovery(primary)).toBe(false);
    await story.expectHealthy();
  });

  it("goes on, or takes everything back, when the SSH connection breaks", async () => {
    const { candidate } = await story.findRoles();
    const started = candidate.start(...words);
    await started.hasSaid("stopping current primary");
    cluster.sshd.dropSessions();
    const result = await started.result;
    expect([0, 18], result.output).toContain(result.exitCode);
    await story.expectHealthy();
  });

  it("promotes nobody while the host of the old primary is out of reach, and finishes later", async () => {
    const { primary, candidate } = await story.findRoles();
    await writeFile(hang, "");
    const started = candidate.start(...words);
    await started.hasSaid("stopping current primary");
    await waitUntil("the primary shuts down", () =>
      primary.server.sql("SELECT 1").then(
        () => false,
        () => true,
      ),
    );
    await rename(cluster.keyFile, `${cluster.keyFile}.away`);
    cluster.sshd.dropSessions();
    await rm(hang);
    const result = await started.result;
    expect(result.exitCode, result.output).toBe(18);
    expect(result.stderr).toContain("execute again: tsrepmgr -f");
    expect(await isInRecovery(candidate)).toBe(true);
    const blind = await candidate.run(...words);
    await rename(`${cluster.keyFile}.away`, cluster.keyFile);
    expect(blind.exitCode, blind.output).toBe(18);
    expect(blind.stderr).toContain("ERROR: unable to learn how the old primary ended");
    const again = await candidate.run(...words);
    expect(again.exitCode, again.output).toBe(0);
    expect(await isInRecovery(primary)).toBe(true);
    await story.expectHealthy();
  });
});
