import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findProcess } from "../../../src/system/process-table.js";
import { findDaemonOfPidFile, holdPidFile, mayBeDaemon } from "../../../src/system/pid-file.js";

describe("mayBeDaemon", () => {
  it.each<[readonly string[] | null, boolean]>([
    [null, true],
    [["repmgrd -f /etc/repmgr.conf -d"], true],
    [["/usr/lib/postgresql/15/bin/repmgrd", "-f", "x"], true],
    [["/usr/bin/node", "/opt/x/bin/tsrepmgrd.js", "-d"], true],
    [["node", "/usr/local/bin/repmgrd"], true],
    [["postgres"], false],
    [["tail", "-f", "/var/log/repmgrd"], false],
    [["node", "/opt/x/bin/tsrepmgr.js", "daemon", "start"], false],
  ])("of %j is %s", (commandLine, expected) => {
    expect(mayBeDaemon({ commandLine })).toBe(expected);
  });
});

describe("holdPidFile", () => {
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "pid-"))));
  afterEach(() => rmSync(directory, { recursive: true }));

  it.each(["", "nonsense", "0", "999999999", "1 "])(
    "replaces a stale file with content %j",
    async (content) => {
      const path = join(directory, "d.pid");
      writeFileSync(path, content);
      // Process 1 is no daemon of ours.
      const outcome = await holdPidFile(path);
      expect(outcome.kind).toBe("held");
      expect(readFileSync(path, "utf8")).toBe(String(process.pid));
      if (outcome.kind === "held") outcome.release();
      expect(await findDaemonOfPidFile(path)).toEqual({ kind: "none" });
    },
  );

  it("takes the number of a thread for nobody's, though the system shows the command line of its process", async () => {
    // Node.js has threads of its own beside the main one, which has the number of the process.
    const thread = readdirSync("/proc/self/task").find((id) => id !== String(process.pid));
    const path = join(directory, "d.pid");
    writeFileSync(path, thread ?? "");
    expect(await findProcess(Number(thread))).toBeNull();
    expect((await findDaemonOfPidFile(path)).kind).toBe("stale");
  });

  it("leaves a file that somebody else has written meanwhile", async () => {
    const path = join(directory, "d.pid");
    const outcome = await holdPidFile(path);
    writeFileSync(path, "12345");
    if (outcome.kind === "held") outcome.release();
    expect(readFileSync(path, "utf8")).toBe("12345");
  });

  it("says why it cannot write", async () => {
    writeFileSync(join(directory, "file"), "");
    expect(await holdPidFile(join(directory, "file/d.pid"))).toMatchObject({ kind: "unwritable" });
  });
});
