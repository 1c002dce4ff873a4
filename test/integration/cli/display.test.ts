import { spawn, type ChildProcessByStdio } from "node:child_process";
import { join, resolve } from "node:path";
import type { Readable, Writable } from "node:stream";
import { beforeAll, describe, expect, it } from "vitest";
import { runProgram } from "../../harness/program.js";
import { evidenceDirectory, newDirectory, testEnvironment } from "../../harness/test-run.js";
import { waitUntil } from "../../harness/wait-until.js";
import { addStandby, createRegisteredPrimary, insertNode, type TestNode } from "../cluster/make-cluster.js";

let n1: TestNode;
let n3: TestNode;

beforeAll(async () => {
  n1 = await createRegisteredPrimary();
  const n2 = await addStandby(2, n1);
  n3 = await addStandby(3, n2, n1);
  await insertNode(n1, { node_id: 4, conninfo: "host=127.0.0.1 port=1 user=repmgr dbname=repmgr" });
});

const show = (...options: readonly string[]): readonly string[] => [
  ...["-f", n1.configFile],
  ...["cluster", "show", "--compact"],
  ...options,
];

interface Watched {
  /** What has arrived so far, both streams together in a terminal, standard output otherwise. */
  readonly output: () => string;
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  readonly ended: Promise<number | null>;
}

function start(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Watched {
  const child = spawn(command, args, {
    env: { ...testEnvironment(), TERM: "xterm", ...env },
    stdio: ["pipe", "pipe", "ignore"],
    cwd: evidenceDirectory(),
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const ended = new Promise<number | null>((fulfil) => child.on("close", fulfil));
  return { output: () => output.replaceAll("\r\n", "\n"), child, ended };
}

const bin = resolve(import.meta.dirname, "../../../bin/tsrepmgr.js");

const inPipe = (args: readonly string[]): Watched => start(process.execPath, [bin, ...args]);

/** The program in a pseudo-terminal of script(1). */
async function inTerminal(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Watched> {
  // Without exec a shell in between would end by the Ctrl-C that the program takes as its end.
  const command = `exec ${[process.execPath, bin, ...args].map((word) => `'${word}'`).join(" ")}`;
  const record = join(await newDirectory("terminal"), "record");
  return start("script", ["--quiet", "--return", "--command", command, record], env);
}

async function shownInTerminal(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const terminal = await inTerminal(args, env);
  expect(await terminal.ended).toBe(25);
  return terminal.output();
}

const COLOURS = new RegExp("\x1b\\[\\d+m", "g");

describe("cluster show --tree", () => {
  it("draws the cascade in the characters of the locale", async () => {
    const ascii = await runProgram(["-f", n3.configFile, "cluster", "show", "--tree"]);
    expect(ascii.exitCode).toBe(25);
    expect(ascii.stdout.split("\n").slice(2, 6)).toEqual([
      " n1       | 1  | primary | * running     |             | 1        ",
      " |- n2    | 2  | standby |   running     | streaming   | 1        ",
      " |  `- n3 | 3  | standby |   running     | streaming   | 1        ",
      " `- n4    | 4  | standby | ? unreachable | ? unknown   |          ",
    ]);
    const utf8 = await runProgram(["-f", n3.configFile, "cluster", "show", "--tree"], {
      env: { LC_ALL: "C.UTF-8" },
    });
    expect(utf8.stdout).toContain("│  └─ n3");
  });
});

describe("colours", () => {
  it("are only on a terminal, and change nothing else", async () => {
    const plain = await runProgram(show());
    expect(plain.output).not.toContain("\x1b");
    const coloured = await shownInTerminal(show());
    expect(coloured).toContain("\x1b[32m* running    \x1b[39m");
    expect(coloured).toContain("\x1b[33m? unreachable\x1b[39m");
    expect(coloured).toContain("\x1b[33mWARNING\x1b[39m: following issues were detected");
    expect(coloured.replace(COLOURS, "")).toBe(plain.stdout + plain.stderr);
    expect((await runProgram(show(), { env: { FORCE_COLOR: "1" } })).stdout).toContain("\x1b[32m* running");
  });

  it.each([{ NO_COLOR: "1" }, { TERM: "dumb" }, { FORCE_COLOR: "0" }])("are off with %j", async (env) => {
    expect(await shownInTerminal(show(), env)).not.toContain("\x1b");
  });

  it("mark the word of an error that comes before any command", async () => {
    const terminal = await inTerminal(["-f", "/nonexistent", "cluster", "show"], {});
    expect(await terminal.ended).toBe(1);
    expect(terminal.output()).toMatch(/^\x1b\[31mERROR\x1b\[39m: provided configuration file/);
  });
});

describe("cluster show --watch", () => {
  it("prints one block after another where nothing can be redrawn, until Ctrl-C", async () => {
    const { stdout: single } = await runProgram(show());
    const { output, child, ended } = inPipe(show("--watch=1"));
    const blocks = (): readonly string[] => output().split(/^(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n)/m);
    await waitUntil("two blocks are printed", async () => blocks().length > 2);
    child.kill("SIGINT");
    expect(await ended).toBe(0);
    for (const block of blocks()) expect(block.replace(/^.*\n/, "")).toBe(`${single}\n`);
  });

  it("prints a JSON document a line, and goes on after a look that fails", async () => {
    const { output, child, ended } = inPipe([
      "-f",
      n3.configFile,
      ...show("--watch=1", "--format=json").slice(2),
    ]);
    const exitCodes = (): readonly unknown[] =>
      output()
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => (JSON.parse(line) as { readonly exit_code: number }).exit_code);
    await waitUntil("the cluster is shown", async () => exitCodes().includes(25));
    await n3.server.stop();
    await waitUntil("a look has failed", async () => exitCodes().includes(6));
    await n3.server.start();
    await waitUntil("the cluster is shown again", async () => exitCodes().at(-1) === 25);
    child.kill("SIGINT");
    expect(await ended).toBe(0);
    const [first = ""] = output().split("\n");
    expect(JSON.parse(first)).toMatchObject({
      schema_version: 1,
      command: "cluster show",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
    });
  });

  it("ends when the first look fails", async () => {
    const noServer = ["-h", "127.0.0.1", "-p", "1", "cluster", "show", "--watch=1", "--format=json"];
    const { exitCode, stdout } = await runProgram(noServer);
    expect(exitCode).toBe(6);
    expect(JSON.parse(stdout)).toMatchObject({ command: "cluster show", exit_code: 6 });
  });

  it("redraws on a terminal, and Ctrl-C ends it", async () => {
    const { output, child, ended } = await inTerminal(show("--watch=1"), { NO_COLOR: "1" });
    await waitUntil("two pictures are drawn", async () => output().split("\x1b[H\x1b[2J").length > 2);
    expect(output()).toContain("cluster show, every 1 s, Ctrl-C ends it; ");
    child.stdin.write("\x03");
    expect(await ended).toBe(0);
  });
});
