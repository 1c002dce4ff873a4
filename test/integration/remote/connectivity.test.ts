import { spawn } from "node:child_process";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { runProgram, writeRepmgrConf, type ProgramResult } from "../../harness/program.js";
import { createKey, startSshd, type TestSshd, writeSshConfig } from "../../harness/sshd.js";
import { newDirectory, testEnvironment } from "../../harness/test-run.js";
import { waitUntil } from "../../harness/wait-until.js";
import { addStandby, createRegisteredPrimary, type TestNode } from "../cluster/make-cluster.js";

const builtProgram = resolve(import.meta.dirname, "../../../bin/tsrepmgr.js");

let nodes: readonly TestNode[];
let sshd: TestSshd;
let calls: string;
let sshOptions: string;

beforeAll(async () => {
  const key = await createKey(await newDirectory("keys"), "id_test");
  const profile = `export PGPASSFILE='${testEnvironment().PGPASSFILE ?? ""}'\n`;
  sshd = await startSshd({ allowedKeys: [key], profile });
  ({ sshOptions } = await writeSshConfig({ hosts: { "127.0.0.1": sshd }, knownHosts: [sshd], keys: [key] }));
  const n1 = await createRegisteredPrimary();
  nodes = [n1, await addStandby(2, n1), await addStandby(3, n1)];
  calls = await installCountedProgram();
  for (const { id, server, configFile } of nodes) {
    await n1.server.sql("UPDATE repmgr.nodes SET config_file = $1 WHERE node_id = $2", [configFile, id]);
    await configure({ id, server, configFile });
  }
});

/** The program as the other nodes have it, which notes each start. */
async function installCountedProgram(): Promise<string> {
  const directory = await newDirectory("remote-bin");
  const log = join(directory, "calls");
  const script = `#!/bin/sh\necho "$@" >> '${log}'\nexec '${process.execPath}' '${builtProgram}' "$@"\n`;
  await writeFile(join(directory, "tsrepmgr"), script);
  await chmod(join(directory, "tsrepmgr"), 0o755);
  await writeFile(log, "");
  return log;
}

const configure = ({ id, server }: TestNode, more: Readonly<Record<string, string>> = {}) =>
  writeRepmgrConf(server, {
    node_id: id,
    node_name: `n${id}`,
    ssh_options: sshOptions,
    repmgr_bindir: join(calls, ".."),
    ...more,
  });

async function run(
  ...args: readonly string[]
): Promise<ProgramResult & { readonly calls: readonly string[] }> {
  await writeFile(calls, "");
  const result = await runProgram(["-f", nodes[0]?.configFile ?? "", "cluster", ...args]);
  return { ...result, calls: (await readFile(calls, "utf8")).split("\n").filter((line) => line !== "") };
}

const all = ["1,1,0", "1,2,0", "1,3,0", "2,1,0", "2,2,0", "2,3,0", "3,1,0", "3,2,0", "3,3,0", ""].join("\n");

describe.each(["matrix", "crosscheck"])("cluster %s", (verb) => {
  it("asks each node by one process", async () => {
    const result = await run(verb, "--csv");
    expect(result).toMatchObject({ exitCode: 0, stdout: all, stderr: "" });
    expect(result.calls).toHaveLength(2);
  });

  it("says who could not be asked", async () => {
    const [n1, , n3] = nodes;
    if (n1 === undefined || n3 === undefined) throw new Error("no nodes");
    await n3.server.stop();
    try {
      const result = await run(verb, "--format=json");
      const document = JSON.parse(result.stdout) as { connections: readonly { state: string }[] };
      expect(result.exitCode).toBe(25);
      expect(document.connections.map(({ state }) => state)).toEqual([
        ...["reachable", "reachable", "unreachable"],
        ...["reachable", "reachable", "unreachable"],
        ...["unknown", "unknown", "unknown"],
      ]);
      expect(document).toMatchObject({
        problems: verb === "matrix" ? [] : [{ code: "no_answer_over_ssh", node_id: 3 }],
      });
    } finally {
      await n3.server.start();
    }
  });

  it("ends with code 12 when only SSH is broken", async () => {
    const [n1] = nodes;
    if (n1 === undefined) throw new Error("no nodes");
    await configure(n1, { ssh_options: `${sshOptions} -p 1` });
    try {
      const result = await run(verb);
      expect(result.exitCode).toBe(12);
      expect(result.stdout).toContain(" n1   | 1  | * | * | * \n n2   | 2  | ? | ? | ? \n");
      expect(result.stderr).toContain("  node 2 inaccessible via SSH\n  node 3 inaccessible via SSH");
    } finally {
      await configure(n1);
    }
  });
});

describe("cluster show --csv as the other nodes are asked for it", () => {
  it("tells who can be reached and leaves the states out", async () => {
    const [n1, n2, n3] = nodes;
    if (n1 === undefined || n2 === undefined || n3 === undefined) throw new Error("no nodes");
    const ask = (configFile: string, ...words: string[]) =>
      runProgram(["-f", configFile, "-L", "NOTICE", "cluster", "show", "--csv", ...words], {
        env: { TSREPMGR_REACH_ONLY: "1" },
      });
    const show = () => ask(n2.configFile, "--terse");
    expect(await show()).toMatchObject({ exitCode: 0, stdout: "1,0,-1\n2,0,-1\n3,0,-1\n\n", stderr: "" });
    await n3.server.stop();
    try {
      expect(await show()).toMatchObject({ exitCode: 25, stdout: "1,0,-1\n2,0,-1\n3,-1,-1\n\n" });
      expect(await ask(n3.configFile, "--terse")).toMatchObject({
        exitCode: 6,
        stdout: "",
        stderr: "ERROR: connection to database failed\n",
      });
    } finally {
      await n3.server.start();
    }
  });

  it("keeps its sessions, once it has answered, until its input ends", async () => {
    const [n1, n2] = nodes;
    if (n1 === undefined || n2 === undefined) throw new Error("no nodes");
    const sessions = () =>
      n1.server.sql("SELECT FROM pg_stat_activity WHERE datname = 'repmgr' AND application_name = 'repmgr'");
    await waitUntil("nobody is there", async () => (await sessions()).length === 0);
    const child = spawn(
      process.execPath,
      [builtProgram, "-f", n2.configFile, "cluster", "show", "--csv", "--terse"],
      { env: { ...testEnvironment(), TSREPMGR_REACH_ONLY: "1" } },
    );
    let answer = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (answer += text));
    await waitUntil("the answer is whole", async () => answer.endsWith("\n\n"));
    expect(await sessions()).toHaveLength(1);
    child.stdin.end();
    await waitUntil("it has ended", async () => child.exitCode !== null);
    expect(child.exitCode).toBe(0);
    await waitUntil("the session has ended", async () => (await sessions()).length === 0);
  });

  it("is the command itself, states and all, when the question or the configuration is another one", async () => {
    const [n1, n2] = nodes;
    if (n1 === undefined || n2 === undefined) throw new Error("no nodes");
    const words = ["-f", n2.configFile, "cluster", "show", "--csv", "--terse", "--verbose"];
    const env = { TSREPMGR_REACH_ONLY: "1" };
    expect(await runProgram(words, { env })).toMatchObject({ exitCode: 0, stdout: "1,0,0\n2,0,1\n3,0,1\n" });
    const missing = await runProgram(["-f", "/nowhere.conf", "cluster", "show", "--csv", "--terse"], { env });
    expect(missing).toMatchObject({ exitCode: 1, stdout: "" });
    expect(missing.stderr).toContain('configuration file "/nowhere.conf"');
  });
});
