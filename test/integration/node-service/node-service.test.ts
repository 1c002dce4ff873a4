import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runProgram, writeRepmgrConf, type ProgramResult } from "../../harness/program.js";
import { waitUntil } from "../../harness/wait-until.js";
import { createRegisteredPrimary, type TestNode } from "../cluster/make-cluster.js";

describe("node service", () => {
  let n1: TestNode;

  const service = (...options: string[]): Promise<ProgramResult> =>
    runProgram(["-f", n1.configFile, "node", "service", ...options]);
  const configure = (values: Record<string, string> = {}): Promise<string> =>
    writeRepmgrConf(n1.server, { node_id: 1, node_name: "n1", ...values });
  const startedAt = async (): Promise<unknown> =>
    (await n1.server.sql("SELECT pg_postmaster_start_time()::text AS time"))[0];

  beforeAll(async () => {
    n1 = await createRegisteredPrimary();
  });

  beforeEach(async () => {
    await configure();
    await n1.server.start();
  });

  it("lists the command of every action, or of one", async () => {
    await configure({ service_stop_command: "sudo systemctl stop postgresql" });
    const { dataDirectory, binDirectory } = n1.server;
    const command = (action: string): string =>
      `"${binDirectory}/pg_ctl  -w -D '${dataDirectory}' ${action}"`;
    expect(await service("--list-actions")).toMatchObject({
      exitCode: 0,
      stderr: "",
      stdout: [
        "Following commands would be executed for each action:",
        "",
        `    start: ${command("start")}`,
        '     stop: "sudo systemctl stop postgresql"',
        `  restart: ${command("restart")}`,
        `   reload: ${command("reload")}`,
        `  promote: ${command("promote")}`,
        "",
        "",
      ].join("\n"),
    });
    expect(await service("--list-actions", "--action=STOP")).toMatchObject({
      exitCode: 0,
      stdout: "sudo systemctl stop postgresql\n",
    });
  });

  it("says what is missing and what is unknown", async () => {
    const nothing = await service();
    expect(nothing.exitCode).toBe(1);
    expect(nothing.stderr).toContain("--action or --list-actions is required when executing NODE SERVICE");
    const unknown = await service("--action=bogus");
    expect(unknown.exitCode).toBe(1);
    expect(unknown.stderr).toContain(
      'ERROR: unknown value "bogus" provided for parameter --action\nHINT: valid values are "start", "stop", "restart", "reload" and "promote"\n',
    );
  });

  it("restarts after a checkpoint", async () => {
    const before = await startedAt();
    const result = await service("--action=Restart", "--checkpoint");
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toContain('NOTICE: issuing CHECKPOINT on node "n1" (ID: 1)\n');
    expect(result.stderr).toContain('DETAIL: executing server command "');
    expect(await startedAt()).not.toEqual(before);
    expect(await n1.server.log()).toContain("statement: CHECKPOINT");
  });

  it("stops and starts; the started server lives on", async () => {
    expect((await service("--action=stop", "-q")).output).toBe("");
    // As with the reference the command only asks for the shutdown.
    await waitUntil("the server is down", async () => !(await n1.server.isRunning()));
    expect((await service("--action=start")).exitCode).toBe(0);
    expect(await n1.server.isRunning()).toBe(true);
  });

  it("--dry-run runs neither checkpoint nor command", async () => {
    const before = await startedAt();
    const log = await n1.server.log();
    const result = await service("--action=restart", "--checkpoint", "--dry-run");
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toContain('INFO: a CHECKPOINT would be issued on node "n1" (ID: 1)');
    expect(result.stderr).toContain('INFO: would execute server command "');
    expect(await startedAt()).toEqual(before);
    expect((await n1.server.log()).slice(log.length)).not.toContain("CHECKPOINT");
  });

  it("goes on without the checkpoint when the user may not issue one", async () => {
    await n1.server.sql("ALTER ROLE repmgr NOSUPERUSER");
    const refused = await service("--action=stop", "--checkpoint", "--dry-run");
    const asSuperuser = await service("--action=stop", "--checkpoint", "--dry-run", "-S", "nobody");
    await n1.server.sql("ALTER ROLE repmgr SUPERUSER");
    expect(refused.exitCode).toBe(0);
    expect(refused.stderr).toContain("WARNING: a superuser connection is required to issue a CHECKPOINT");
    expect(asSuperuser.exitCode).toBe(6);
  });

  it("exits 5 with the command's own words when it fails", async () => {
    await configure({ service_reload_command: "echo out; echo why >&2; exit 3" });
    const result = await service("--action=reload");
    expect(result.exitCode).toBe(5);
    expect(result.stderr).toContain('INFO: executing action "reload" on this server');
    expect(result.stderr).toContain('ERROR: unable to execute action "reload" on this server');
    expect(result.stderr).toContain("exit code 3\nout\nwhy\n");
  });

  it("exits 6 for a checkpoint on a server that is down", async () => {
    await n1.server.stop();
    expect((await service("--action=stop", "--checkpoint")).exitCode).toBe(6);
    expect((await service("--action=stop")).exitCode).toBe(5);
  });
});
