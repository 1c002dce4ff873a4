import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { dirname, join, resolve } from "node:path";
import { writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { runProgram, type ProgramOptions, type ProgramResult } from "../../harness/program.js";
import { newDirectory } from "../../harness/test-run.js";
import { throwLater } from "../../harness/throw-later.js";

let configFile: string;

beforeAll(async () => {
  configFile = join(await newDirectory("conf"), "repmgr.conf");
  const conninfo = "host=127.0.0.1 port=1 user=repmgr dbname=repmgr connect_timeout=1";
  await writeFile(configFile, `node_id=1\nnode_name=n1\nconninfo='${conninfo}'\ndata_directory='/nowhere'\n`);
});

const run = (line: string, options: ProgramOptions = {}): Promise<ProgramResult> =>
  runProgram(
    line.split(" ").filter((word) => word !== ""),
    { program: "repmgr", ...options },
  );

const errors = (...lines: readonly string[]): string =>
  ["The following command line errors were encountered:\n", ...lines.map((line) => `  ${line}\n`)].join("");
const tryHelp = (noun?: string): string =>
  `Try "repmgr --help"${noun === undefined ? "" : ` or "repmgr ${noun} --help"`} for more information.\n`;

describe("a mistake of ours that nobody catches", () => {
  it("ends the command with code 15 and one error", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    try {
      const conninfo = `host=127.0.0.1 port=${port} user=repmgr dbname=repmgr connect_timeout=30`;
      const file = join(await newDirectory("conf"), "repmgr.conf");
      await writeFile(file, `node_id=1\nnode_name=n1\nconninfo='${conninfo}'\ndata_directory='/nowhere'\n`);
      const result = await run(`-f ${file} cluster event`, { env: throwLater(1500) });
      expect(result).toMatchObject({
        exitCode: 15,
        stdout: "",
        stderr:
          "ERROR: internal error: thrown where nobody catches it\n" +
          "HINT: please report this; execute with --verbose to see where it happened\n",
      });
    } finally {
      silent.close();
    }
  });
});

describe("the command line", () => {
  it("searches the usual places when the path of -f is empty, as it is from an unset variable", async () => {
    const options = { program: "repmgr", cwd: dirname(configFile) } as const;
    const result = await runProgram(["-v", "-f", "", "node", "status"], options);
    expect(result.stderr).toContain(`NOTICE: using configuration file "${configFile}"`);
    expect(result.exitCode).toBe(6);
  });

  it.each<[string, Partial<ProgramResult>]>([
    ["", { stdout: "", stderr: errors("no repmgr command provided") + tryHelp() }],
    ["Cluster", { stderr: errors("no action provided for command 'Cluster'") + tryHelp("Cluster") }],
    [
      "clutser shwo",
      { stderr: errors("unknown repmgr action 'clutser shwo'; did you mean 'cluster show'?") + tryHelp() },
    ],
    [
      "standbye",
      { stderr: errors("unknown repmgr command 'standbye'; did you mean 'standby'?") + tryHelp() },
    ],
    [
      "CLUSTER show a b",
      { stderr: errors('too many command-line arguments (first extra is "a")') + tryHelp("CLUSTER") },
    ],
    [
      "cluster show --csv --nagios -w -W",
      {
        stderr:
          errors("only one of --csv, --nagios can be used", "only one of --wait, --no-wait can be used") +
          tryHelp("cluster"),
      },
    ],
  ])("refuses %j", async (line, expected) => {
    expect(await run(line)).toMatchObject({ exitCode: 1, stdout: "", ...expected });
  });

  it("says an unknown option on standard error, and where to look on standard output", async () => {
    expect(await run("cluster show --cvs")).toMatchObject({
      exitCode: 1,
      stdout: tryHelp("cluster"),
      stderr: "repmgr: unrecognized option '--cvs'; did you mean '--csv'?\n",
    });
  });

  it("reports bad values before it reads the configuration", async () => {
    const { exitCode, stderr } = await run("-f /nonexistent cluster show --limit=0 -L loud");
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      errors(
        'value of --limit must be an integer of at least 1 (provided: "0")',
        'invalid log level "loud" provided',
      ) + tryHelp(),
    );
  });

  it("reports a missing configuration before an unknown word", async () => {
    const { exitCode, stderr } = await run("-f /nonexistent clutser shwo");
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^ERROR: provided configuration file "\/nonexistent" not found\n/);
    expect(stderr).not.toContain("clutser");
  });

  it.each([
    ["-?", "Usage:"],
    ["bogus --help", "Usage:"],
    ["cluster bogus -?", "CLUSTER EVENT"],
    ["-f /nonexistent cluster show --help", "CLUSTER SHOW"],
    ["--frobnicate -V", "repmgr 5.5.0"],
    ["cluster --version --frobnicate", "repmgr 5.5.0"],
    ["--version-number --help", "50500\n"],
    ["--dump-config --frobnicate", "node_id|"],
  ])("answers %j", async (line, start) => {
    const { exitCode, stdout } = await run(line);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(start);
  });

  it("warns about options that do not fit, even with -q, but not with -t", async () => {
    const warnings =
      "WARNING: following problems with command line parameters detected:\n" +
      "  --remote-config-file is no longer required; the node records hold the path\n" +
      "  --siblings-follow is not effective when executing CLUSTER SHOW\n";
    const line = `cluster show -f ${configFile} -C /x --siblings-follow`;
    const quiet = await run(`${line} -q`);
    expect(quiet.exitCode).toBe(6);
    expect(quiet.stderr.startsWith(warnings)).toBe(true);
    expect((await run(`${line} -t`)).stderr).not.toContain("WARNING");
  });

  it("names the configuration file with -v", async () => {
    const { stderr } = await run(`-vf ${configFile} cluster show`);
    expect(stderr).toContain(`NOTICE: using provided configuration file "${configFile}"\n`);
  });

  it("writes log lines with times to the log file with --log-to-file", async () => {
    const directory = await newDirectory("log");
    const file = join(directory, "repmgr.conf");
    const settings = "node_id=1\nnode_name=n1\nconninfo='host=127.0.0.1 port=1'\ndata_directory='/nowhere'\n";
    await writeFile(file, `${settings}log_file='${directory}/repmgr.log'\n`);
    const { exitCode, stderr } = await run(`-f ${file} cluster show --log-to-file`);
    expect(exitCode).toBe(6);
    expect(stderr).toBe(`NOTICE: redirecting logging output to "${directory}/repmgr.log"\n`);
  });

  it("refuses root everything but help, versions and completion", async ({ skip }) => {
    const bin = resolve(import.meta.dirname, "../../../bin/tsrepmgr.js");
    const asRoot = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
      spawnSync("unshare", ["--map-root-user", process.execPath, bin, ...args], { encoding: "utf8" });
    if (spawnSync("unshare", ["--map-root-user", "true"]).status !== 0)
      skip("this machine lets no ordinary user look like root (unshare)");
    for (const line of ["cluster show", "clutser", "cluster show --frobnicate", "--dump-config"]) {
      const { status, stderr } = asRoot(...line.split(" "));
      expect(status, line).toBe(1);
      expect(stderr, line).toContain("tsrepmgr.js: cannot be run as root\n".replace(".js", ""));
    }
    for (const line of ["--help", "cluster show --help", "-V", "--version-number", "completion bash"]) {
      expect(asRoot(...line.split(" ")).status, line).toBe(0);
    }
  });
});
