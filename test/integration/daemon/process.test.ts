import { execFile } from "node:child_process";
import { appendFile, readFile, rename, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { newDirectory, freePort } from "../../harness/postgres-server.js";
import { runProgram, writeRepmgrConf, type ProgramResult } from "../../harness/program.js";
import { testEnvironment } from "../../harness/test-run.js";
import { waitUntil } from "../../harness/wait-until.js";
import { createRegisteredPrimary, type TestNode } from "../cluster/make-cluster.js";
import { throwLater } from "../../harness/throw-later.js";
import { startDaemon, waitUntilGone, waitUntilShown } from "./start-daemon.js";

const STAMP = /\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\]/.source;

describe("tsrepmgrd", () => {
  let n1: TestNode;
  beforeAll(async () => {
    n1 = await createRegisteredPrimary();
  });

  const run = (...args: string[]): Promise<ProgramResult> => runProgram(args, { program: "tsrepmgrd" });
  const settingsOf = async (values: Readonly<Record<string, string | number>>): Promise<string> => {
    const directory = await newDirectory("conf");
    return writeRepmgrConf(
      { ...n1.server, directory },
      { node_id: 1, node_name: "n1", state_directory: join(directory, "state"), ...values },
    );
  };
  const readPid = async (path: string): Promise<number> => Number(await readFile(path, "utf8"));

  it.each([
    ["tsrepmgrd", ["--version"], /^tsrepmgrd \S+ \(compatible with repmgr 5\.5\.0\)\n$/],
    ["repmgrd", ["-V"], /^repmgrd 5\.5\.0 \(tsrepmgr \S+\)\n$/],
    ["repmgrd", ["-?"], /^repmgrd: failover .*\nUsage:\n {4}repmgrd \[OPTIONS\]\n/s],
  ] as const)("%s %j prints on standard output", async (program, args, expected) => {
    const result = await runProgram(args, { program });
    expect(result).toMatchObject({ exitCode: 0, stderr: "" });
    expect(result.stdout).toMatch(expected);
  });

  it.each([
    [
      ["--nonsense"],
      "tsrepmgrd: unrecognized option '--nonsense'\nTry \"tsrepmgrd --help\" for more information.\n",
    ],
    [
      ["-L", "LOUD", "--daemonize=maybe"],
      'invalid log level "LOUD" provided\n  value "maybe" provided for --daemonize',
    ],
    [
      ["-f", "/nonexistent/repmgr.conf"],
      'ERROR: provided configuration file "/nonexistent/repmgr.conf" not found',
    ],
  ])("refuses %j with code 1", async (args, expected) => {
    const result = await run(...args);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(expected);
  });

  it("tells of an error that nobody catches, and goes on", async () => {
    const daemon = startDaemon(await settingsOf({}), { env: throwLater(1500) });
    await daemon.says(/ERROR\] internal error: thrown where nobody catches it\n/);
    await waitUntilShown(daemon, n1.server);
    daemon.signal("SIGTERM");
    expect(await daemon.ended).toEqual({ exitCode: 0, signal: null });
  });

  it("needs the commands of an automatic failover", async () => {
    const result = await run("-f", await settingsOf({ failover: "automatic", promote_command: "true" }));
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain('"follow_command" must be defined when "failover" is "automatic"');
  });

  it.each([
    [["-p", "/run/a.pid"], "/run/a.pid"],
    [["--no-pid-file", "-p", "/run/a.pid"], ""],
    [[], "/run/b.pid"],
  ])("--show-pid-file %j shows the path in use", async (args, expected) => {
    const conf = await settingsOf({ repmgrd_pid_file: "/run/b.pid" });
    expect(await run("-f", conf, "-s", ...args)).toMatchObject({ exitCode: 0, stdout: `${expected}\n` });
  });

  it("returns with -d when the pid file is written, runs on under its name, and ends on SIGTERM", async () => {
    const directory = await newDirectory("pid");
    const pidFile = join(directory, "made", "d.pid");
    const logFile = join(directory, "d.log");
    const conf = await settingsOf({ log_file: logFile });
    expect(await runProgram(["-f", conf, "-d", "-p", pidFile], { program: "repmgrd" })).toMatchObject({
      exitCode: 0,
      output: "",
    });
    const pid = await readPid(pidFile);
    onTestFinished(async () => {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended, as it should.
      }
    });
    expect(await readFile(`/proc/${pid}/comm`, "utf8")).toMatch(/^repmgrd/);
    const second = await run("-f", conf, "-d", "-p", pidFile);
    expect(second.exitCode).toBe(3);
    expect(second.stderr).toContain(`the daemon of process ${pid} is running`);
    process.kill(pid, "SIGTERM");
    await waitUntilGone(pid);
    await expect(readFile(pidFile)).rejects.toThrow("ENOENT");
    const log = await readFile(logFile, "utf8");
    expect(log).toMatch(new RegExp(`^${STAMP} \\[NOTICE\\] repmgrd .*starting up$`, "m"));
    expect(log).toContain("[NOTICE] TERM signal received");
  });

  it("takes over the pid file of a process that is no daemon, as after the restart of a container", async () => {
    const pidFile = join(await newDirectory("pid"), "d.pid");
    await writeFile(pidFile, String(process.pid));
    const conf = await settingsOf({ log_file: `${pidFile}.log` });
    expect((await run("-f", conf, "-d", "-p", pidFile)).exitCode).toBe(0);
    const pid = await readPid(pidFile);
    expect(pid).not.toBe(process.pid);
    process.kill(pid, "SIGTERM");
    await waitUntilGone(pid);
  });

  it("takes over the pid file of the number that its starter has got after a restart of the container", async () => {
    const pidFile = join(await newDirectory("pid"), "d.pid");
    const conf = await settingsOf({ log_file: `${pidFile}.log` });
    const program = resolve(import.meta.dirname, "../../../bin/tsrepmgrd.js");
    const line = `printf %s $$ > ${pidFile}; exec ${process.execPath} ${program} -f ${conf} -d -p ${pidFile}`;
    await promisify(execFile)("sh", ["-c", line], { env: testEnvironment() });
    const pid = await readPid(pidFile);
    process.kill(pid, "SIGTERM");
    await waitUntilGone(pid);
  });

  it("refuses sync_mode=preferred without a witness that could permit it", async () => {
    const conf = await settingsOf({ sync_mode: "preferred" });
    const result = await run("-f", conf, "--daemonize=false", "--no-pid-file");
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain('"sync_mode" "preferred" needs two data nodes and one witness');
    expect(result.stderr).toMatch(/\[HINT\] .*until a witness is registered/);
  });

  it("refuses sync_mode=quorum when nothing could be remembered", async () => {
    const conf = await settingsOf({ sync_mode: "quorum", state_directory: "/dev/null/state" });
    const result = await run("-f", conf, "--daemonize=false", "--no-pid-file");
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("needs a directory for what the daemon must remember");
  });

  it("shows an error of the start on the terminal, with its code, also with -d and a log file", async () => {
    const directory = await newDirectory("pid");
    const conf = await settingsOf({ node_id: 9, log_file: join(directory, "d.log") });
    const result = await run("-f", conf, "-d", "-p", join(directory, "d.pid"));
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("ERROR: no metadata record found for this node - terminating");
    expect(await readFile(join(directory, "d.log"), "utf8")).toContain("[ERROR] no metadata record found");
    await expect(readFile(join(directory, "d.pid"))).rejects.toThrow("ENOENT");
  });

  it("writes one JSON object a record with log_format=json", async () => {
    const daemon = startDaemon(await settingsOf({ log_format: "json" }));
    await daemon.says(/"message":"starting monitoring of node/);
    daemon.signal("SIGTERM");
    expect(await daemon.ended).toMatchObject({ exitCode: 0 });
    const records = daemon
      .log()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
    for (const record of records)
      expect(record).toMatchObject({
        program: "tsrepmgrd",
        level: expect.any(String),
        time: expect.any(String),
      });
    expect(records).toContainEqual(
      expect.objectContaining({
        level: "NOTICE",
        message: expect.stringMatching(/^starting monitoring of node/),
      }),
    );
  });

  it("waits for a local server that is not there, and ends on SIGINT meanwhile", async () => {
    const conf = await settingsOf({
      conninfo: `host=127.0.0.1 port=${await freePort()} user=repmgr dbname=repmgr`,
    });
    const daemon = startDaemon(conf);
    await daemon.says(/\[WARNING\] the local server does not answer, waiting for it/);
    daemon.signal("SIGINT");
    expect(await daemon.ended).toEqual({ exitCode: 0, signal: null });
  });

  it("says with a beacon on its server that it runs, and takes it away with it", async () => {
    const running = async (): Promise<boolean> => {
      const [row] = await n1.server.sql<{ running: boolean }>(
        "SELECT repmgr.repmgrd_is_running() AS running",
      );
      return row?.running === true;
    };
    const daemon = startDaemon(await settingsOf({}));
    await waitUntil("the beacon is there", running);
    const [row] = await n1.server.sql(
      "SELECT repmgr.get_repmgrd_pid() AS pid, repmgr.get_local_node_id() AS id",
    );
    expect(row).toEqual({ pid: daemon.pid, id: 1 });
    daemon.signal("SIGKILL");
    await waitUntil("the beacon is gone", async () => !(await running()));
  });

  describe("on SIGHUP", () => {
    it("keeps what it has when the file is bad, and takes level and log file when it is good", async () => {
      const directory = await newDirectory("reload");
      const conf = await settingsOf({ log_level: "INFO" });
      const good = await readFile(conf, "utf8");
      const daemon = startDaemon(conf);
      await waitUntil("it runs", async () => daemon.log().includes("connecting"));
      await appendFile(conf, "reconnect_attempts='many'\n");
      daemon.signal("SIGHUP");
      await daemon.says(/\[ERROR\] configuration was not reloaded: .*repmgr\.conf:\d+: .*reconnect_attempts/);
      const logFile = join(directory, "new.log");
      await writeFile(conf, `${good}reconnect_interval='200ms'\nlog_level=DEBUG\nlog_file='${logFile}'\n`);
      daemon.signal("SIGHUP");
      const log = async (): Promise<string> => readFile(logFile, "utf8").catch(() => "");
      await waitUntil("the new log is written", async () =>
        (await log()).includes("configuration was reloaded"),
      );
      expect(await log()).toContain('"reconnect_interval": "10" -> "200ms"');
      await rename(logFile, `${logFile}.1`);
      daemon.signal("SIGHUP");
      await waitUntil("the log is opened again", async () =>
        (await log()).includes("configuration has not changed"),
      );
    });
  });
});
