import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemProcesses, type ProcessResult, type RunOptions } from "../../../src/system/processes.js";
import { readUptimeMs } from "../../../src/system/uptime.js";

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tsrepmgr-limit-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

interface Limited {
  readonly leftMs: number;
  readonly whileThereIs?: string;
  readonly signal?: AbortSignal;
}

function run(script: string, { leftMs, whileThereIs = "/", signal }: Limited): Promise<ProcessResult> {
  const uptimeMs = readUptimeMs();
  const options: RunOptions = {
    limit: { uptimeMs: uptimeMs === null ? null : uptimeMs + leftMs, leftMs, whileThereIs },
    ...(signal === undefined ? {} : { signal }),
  };
  return systemProcesses.run("/bin/sh", ["-c", script], options);
}

const isGone = async (pid: number): Promise<boolean> => {
  const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return status === "" || / Z /.test(status);
};

describe("a program with a limit", () => {
  it("is killed then, with what it has started", async () => {
    const folder = await newFolder();
    const result = await run(`sleep 60 & echo $! >${folder}/child; sleep 60; true`, { leftMs: 300 });
    expect(result).toMatchObject({ exitCode: null, signal: "SIGKILL" });
    const child = Number(await readFile(join(folder, "child"), "utf8"));
    await expect.poll(() => isGone(child)).toBe(true);
  });

  it("goes on when it has done by then what it is for", async () => {
    const folder = await newFolder();
    const file = join(folder, "wanted");
    await writeFile(file, "");
    const result = await run(`rm ${file}; sleep 0.6; echo end`, { leftMs: 300, whileThereIs: file });
    expect(result).toMatchObject({ exitCode: 0, stdout: "end\n" });
  });

  it("is not started when the limit is over", async () => {
    expect(await run("echo begun", { leftMs: -100 })).toMatchObject({ exitCode: 124, stdout: "" });
  });

  it("ends by itself as any other, and is killed by the signal", async () => {
    expect(await run("exit 3", { leftMs: 60_000 })).toMatchObject({ exitCode: 3 });
    const signal = AbortSignal.timeout(200);
    expect(await run("sleep 60; true", { leftMs: 60_000, signal })).toMatchObject({ signal: "SIGKILL" });
  });
});
