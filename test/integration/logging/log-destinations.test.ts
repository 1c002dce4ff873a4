import { chmod, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { freePort, newDirectory } from "../../harness/postgres-server.js";
import { runProgram, writeRepmgrConf } from "../../harness/program.js";

const TIMESTAMP = /\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\]/.source;

/** A configuration whose server is down, so that a command has an ERROR to tell. */
async function confWith(
  values: Readonly<Record<string, string>>,
): Promise<{ conf: string; logFile: string }> {
  const directory = await newDirectory("logging");
  const logFile = join(directory, "repmgr.log");
  const conninfo = `host=127.0.0.1 port=${await freePort()} user=repmgr dbname=repmgr`;
  const place = { directory, dataDirectory: join(directory, "data"), binDirectory: "/usr/bin", conninfo };
  const conf = await writeRepmgrConf(place, { node_id: 1, node_name: "node1", log_file: logFile, ...values });
  return { conf, logFile };
}

const ignoresLogFile = "without --log-to-file the log stays on standard error";

describe("the log", () => {
  it(`has the reference's line shape; ${ignoresLogFile}`, async () => {
    const { conf, logFile } = await confWith({});
    const result = await runProgram(["-f", conf, "cluster", "show"]);
    expect(result.exitCode).toBe(6);
    expect(result.stderr).toMatch(/^ERROR: connection to database failed\nDETAIL: connection to server at /);
    await expect(readFile(logFile)).rejects.toThrow("ENOENT");
  });

  it("goes to log_file with --log-to-file, with time stamps", async () => {
    const { conf, logFile } = await confWith({});
    const result = await runProgram(["-f", conf, "--log-to-file", "cluster", "show"]);
    expect(result).toMatchObject({
      exitCode: 6,
      stderr: `NOTICE: redirecting logging output to "${logFile}"\n`,
    });
    const lines = await readFile(logFile, "utf8");
    expect(lines).toMatch(new RegExp(`^${TIMESTAMP} \\[ERROR\\] connection to database failed$`, "m"));
    expect(lines).toMatch(new RegExp(`^${TIMESTAMP} \\[DETAIL\\] connection to server at `, "m"));
    expect(lines).toMatch(new RegExp(`^${TIMESTAMP} \\[HINT\\] `, "m"));
  });

  it("is one JSON object a record with log_format=json", async () => {
    const { conf, logFile } = await confWith({ log_format: "json" });
    const onTerminal = await runProgram(["-f", conf, "cluster", "show"]);
    await runProgram(["-f", conf, "--log-to-file", "cluster", "show"]);
    for (const text of [onTerminal.stderr, await readFile(logFile, "utf8")]) {
      expect(JSON.parse(text)).toMatchObject({
        level: "ERROR",
        program: "tsrepmgr",
        message: "connection to database failed",
        detail: expect.stringContaining("Connection refused"),
        hint: expect.any(String),
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      });
    }
  });

  it("ends the command with code 1 when log_file cannot be opened", async () => {
    const { conf, logFile } = await confWith({});
    await chmod(join(logFile, ".."), 0o500);
    const result = await runProgram(["-f", conf, "--log-to-file", "cluster", "show"]);
    await chmod(join(logFile, ".."), 0o700);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(`ERROR: unable to open log file "${logFile}"`);
    expect(result.stderr).toContain("HINT: ");
  });
});
